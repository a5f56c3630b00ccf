"""A model hub, whichever it is: look a model up, see what is here of it, bring its files.

A hub that cannot be reached is said so within seconds; what was downloaded before is then used. Only files
that are safe to read are asked for: safetensors, JSON, tokenizers. A token is sent only where `HF_TOKEN` sets
one, and only to whom `Hub.token` says.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from probes.models import catalog, huggingface, modelscope
from probes.models.hubs import Hub
from probes.models.listing import Listing
from probes.models.stages import Progress


class _Place(Protocol):
    """A module that speaks a hub's protocol."""

    def look_up(self, repo: str, revision: str | None, hub: Hub) -> Listing: ...

    def cached(self, repo: str, revision: str | None) -> Path | None: ...

    def left(self, listing: Listing) -> int: ...

    def bring(self, listing: Listing, *, weights: bool, on_progress: Progress | None = None) -> Path: ...

    def cache(self) -> Path: ...


def _place(hub: Hub) -> _Place:
    return modelscope if hub.protocol == "modelscope" else huggingface


def repo_at(repo: str, hub: Hub) -> str:
    """What the model that Hugging Face calls `repo` is called by `hub`."""
    if hub.protocol == "modelscope":
        return next((e.modelscope for e in catalog.entries() if e.repo == repo and e.modelscope), repo)
    return repo


def look_up(repo: str, revision: str | None, hub: Hub) -> Listing:
    """Ask `hub` for the model that it calls `repo`: one short request.

    Raises:
        ModelError: not in reach, no such model, no such revision, or access is refused; each says which.
    """
    return _place(hub).look_up(repo, revision, hub)


def cached(repo: str, revision: str | None, hub: Hub) -> Path | None:
    """The folder of an earlier, complete download from a hub of this protocol, or None. Asks nobody."""
    return _place(hub).cached(repo_at(repo, hub), revision)


def here(repo: str, revision: str | None, first: Hub, others: tuple[Hub, ...]) -> tuple[Path, Hub] | None:
    """An earlier, complete download from whichever hub, and which: `first`'s where there is one."""
    for hub in (first, *(other for other in others if other.protocol != first.protocol)):
        if folder := cached(repo, revision, hub):
            return folder, hub
    return None


def left(listing: Listing) -> int:
    """Bytes of the weights that `bring` would still download."""
    return _place(listing.hub).left(listing)


def bring(listing: Listing, *, weights: bool, on_progress: Progress | None = None) -> Path:
    """Download what is not here yet, and go on where a download was stopped; the folder.

    Args:
        weights: False brings the configuration and the tokenizer alone, which are small.

    Raises:
        ModelError: as `look_up`; a gated model is often refused only here.
    """
    return _place(listing.hub).bring(listing, weights=weights, on_progress=on_progress)


def cache(hub: Hub) -> Path:
    """Where downloads from `hub` are kept."""
    return _place(hub).cache()


def is_commit(revision: str) -> bool:
    """Whether `revision` names one commit for ever, as a branch or a tag does not."""
    return re.fullmatch(r"[0-9a-f]{40}", revision) is not None
