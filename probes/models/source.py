"""From what a person typed to where a model is: built in, in the catalogue, a folder, a file, a hub id.

What was typed is checked strictly before any library sees it, because on a hosted page it is a stranger's.
Nothing here asks the network or opens a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from probes.errors import InputError, ModelError
from probes.models import catalog
from probes.models.fetch import smollm2_folder
from probes.models.hubs import hub_named

Kind = Literal["builtin", "catalogue", "folder", "gguf", "hub"]

BUILTIN = Path(__file__).parent / "builtin"

_LONGEST = 1024
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_REPO = re.compile(rf"{_PART}(?:/{_PART})?")
_REVISION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,126}[A-Za-z0-9_-])?")
_PATH_LIKE = re.compile(r"[/~.]|[A-Za-z]:[/\\]|.*\\|.*/.*/|.*\.(gguf|safetensors|bin|pt|pth)$", re.S | re.I)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model is. Exactly one of `path` (on this machine) and `repo` (on the hub) is set."""

    kind: Kind
    name: str
    path: Path | None = None
    repo: str | None = None
    revision: str | None = None
    hub: str = ""
    """By its name in `probes.models.hubs`; "" is the one asked by default."""


def resolve(spec: str, revision: str | None = None, *, paths: bool = True, hub: str = "") -> Source:
    """Where `spec` is: "builtin", a catalogue name, an existing folder or .gguf file, a Hugging Face id.

    Args:
        spec: what was typed.
        revision: branch, tag or commit of a hub repository.
        paths: whether folders and files of this machine may be named; a page for strangers says no.
        hub: where a repository is asked for, by its name in `probes.models.hubs`.

    Raises:
        ModelError: there is no such path, or `spec` is none of these.
        InputError: the revision cannot be one, or the model has no revisions; or there is no such hub.
    """
    spec = spec.strip()
    hub = hub and hub_named(hub).name
    entry = catalog.find(spec)
    fetched = smollm2_folder() if entry and entry.wheel and revision is None else None
    if spec == "builtin":
        return _local(Source("builtin", "builtin", path=BUILTIN), revision)
    if entry and fetched:
        return Source("catalogue", entry.name, path=fetched)
    if entry:
        return Source("catalogue", entry.name, repo=entry.repo, revision=_checked_revision(revision), hub=hub)
    here = _existing(spec) if paths else None
    if here and here.is_dir():
        return _local(Source("folder", here.resolve().name, path=here), revision)
    if here and here.suffix.casefold() == ".gguf":
        return _local(Source("gguf", here.stem, path=here), revision)
    if here:
        raise ModelError("model_file", path=spec)
    if paths and _PATH_LIKE.match(spec):
        raise ModelError("path_missing", path=_shown(spec))
    if not is_repo_id(spec):
        raise ModelError("model_id", spec=_shown(spec))
    return Source("hub", spec, repo=spec, revision=_checked_revision(revision), hub=hub)


def is_repo_id(text: str) -> bool:
    """Whether `text` has the form of a Hugging Face model id, `name` or `owner/name`."""
    return len(text) <= 96 and _REPO.fullmatch(text) is not None and not re.search(r"--|\.\.|\.git$", text)


def _existing(spec: str) -> Path | None:
    if not spec or len(spec) > _LONGEST or "\0" in spec:
        return None
    try:
        path = Path(spec).expanduser()
        return path if path.exists() else None
    except (OSError, RuntimeError):  # a name the system cannot hold; "~nobody"
        return None


def _checked_revision(revision: str | None) -> str | None:
    if revision is None:
        return None
    if not _REVISION.fullmatch(revision) or ".." in revision or "//" in revision:
        raise InputError("revision", revision=_shown(revision))
    return revision


def _local(source: Source, revision: str | None) -> Source:
    if revision is not None:
        raise InputError("revision_local", name=source.name, revision=_shown(revision))
    return source


def _shown(text: str) -> str:
    """At most 80 characters, printable: what is put into an error message."""
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return printable if len(printable) <= 80 else printable[:79] + "…"
