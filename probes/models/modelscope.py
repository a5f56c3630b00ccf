"""ModelScope (魔搭): look a model up, bring its files into Crux's cache.

What it answers is known from its own client (modelscope/hub/api.py and file_download.py in the repository
modelscope/modelscope on GitHub) and others in use. `/api/v1/models/{owner}/{name}/repo/files?Revision=…` is
the list of files, with sizes and sha256, in `Data.Files`; `/models/{owner}/{name}/resolve/{revision}/{file}`
sends one, from any byte on. A list does not always name its commit: a hash over it stands for that.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from probes.errors import ModelError
from probes.models.download import Wanted, download_all
from probes.models.folder import weight_files
from probes.models.hashing import write_whole
from probes.models.hubs import PATIENCE, Hub, explained, note_reach, refused, within
from probes.models.listing import Listing
from probes.models.stages import Progress
from probes.record.store import cache_folder

MAIN = "master"
_SHA256 = re.compile(r"[0-9a-f]{64}")


def look_up(repo: str, revision: str | None, hub: Hub) -> Listing:
    """Ask ModelScope for `repo`: one short request, two where a revision is refused.

    Raises:
        ModelError: out of reach, no such model, no such revision, or access is refused; each says which.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise ModelError("hub_offline", name=repo)
    try:
        found = _listed(repo, revision or MAIN, hub)
    except ModelError as error:
        if revision and error.key == "hub_unknown":
            _listed(repo, MAIN, hub)  # the model is there
            raise ModelError("hub_revision", name=repo, revision=revision) from error
        raise
    note_reach(hub, True)
    files = {path: size for path, (size, _) in found.items()}
    hashes = {path: digest for path, (_, digest) in found.items() if digest}
    listing = Listing(repo, revision or MAIN, "", files, None, hub, hashes)
    return Listing(repo, listing.revision, _stamp(listing), files, None, hub, hashes)


def _listed(repo: str, revision: str, hub: Hub) -> dict[str, tuple[int, str]]:
    """Sizes and hashes of the files, by path."""
    import httpx2

    url = f"{hub.address}/api/v1/models/{quote(repo)}/repo/files"
    asked = {"Revision": revision, "Recursive": "true"}
    with explained(repo, revision, hub):
        get = partial(httpx2.get, url, params=asked, timeout=PATIENCE, follow_redirects=True)
        answer = within(PATIENCE, get)
        _check(repo, hub, answer)
        told = answer.json()
        if not isinstance(told, dict) or told.get("Code") not in (200, None) or not told.get("Data"):
            raise refused(404, repo, hub)
        rows = told["Data"].get("Files") if isinstance(told["Data"], dict) else None
        return dict(_entry(row) for row in rows or [] if isinstance(row, dict) and row.get("Type") != "tree")


def _entry(row: Mapping[str, Any]) -> tuple[str, tuple[int, str]]:
    size, digest = row.get("Size"), str(row.get("Sha256") or "").lower()
    known = size if isinstance(size, int) and size >= 0 else 0
    return str(row.get("Path") or ""), (known, digest if _SHA256.fullmatch(digest) else "")


def _check(repo: str, hub: Hub, answer: Any) -> None:
    """Raises ModelError where it is a refusal."""
    if answer.status_code >= 400:
        raise refused(answer.status_code, repo, hub)


def _stamp(listing: Listing) -> str:
    """40 hexadecimal digits over all that would be brought."""
    wanted = [*listing.wanted(weights=False), *listing.wanted(weights=True)]
    rows = [(name, listing.files[name], listing.hashes.get(name, "")) for name in wanted]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:40]


def cached(repo: str, revision: str | None) -> Path | None:
    """The folder of an earlier, complete download, by Crux or by ModelScope's own tool; or None."""
    try:
        stamp = _note(repo, revision or MAIN).read_text(encoding="utf-8").strip()
    except OSError:
        return None if revision else _by_its_own_tool(repo)
    folder = _storage(repo) / "snapshots" / stamp
    return folder if re.fullmatch(r"[0-9a-f]{40}", stamp) and folder.is_dir() else None


def _by_its_own_tool(repo: str) -> Path | None:
    """Where `modelscope download` puts a model: with ___ for each dot of its name."""
    root = os.environ.get("MODELSCOPE_CACHE") or Path("~/.cache/modelscope/hub").expanduser()
    owner, _, name = repo.partition("/")
    if not name:
        return None
    folder = Path(root) / "models" / owner / name.replace(".", "___")
    try:
        whole = folder.is_dir() and all(path.exists() for path in weight_files(folder, name))
    except ModelError:
        return None
    return folder if whole and (folder / "config.json").exists() else None


def left(listing: Listing) -> int:
    """Bytes of the weights that are not here yet."""
    return sum(wanted.size - wanted.have(path) for wanted, path in _files(listing, weights=True))


def bring(listing: Listing, *, weights: bool, on_progress: Progress | None = None) -> Path:
    """Download what is not here yet; the folder.

    Args:
        weights: False brings the configuration and the tokenizer alone, which are small.

    Raises:
        ModelError: as `look_up`; or a file is not the one that was listed.
    """
    check = partial(_check, listing.repo, listing.hub)
    small = _files(listing, weights=False)
    large = _files(listing, weights=True) if weights else []
    with explained(listing.repo, listing.revision, listing.hub):
        download_all(small, listing.repo, listing.hub, check)
        download_all(large, listing.repo, listing.hub, check, on_progress)
        if weights:
            write_whole(_note(listing.repo, listing.revision), listing.commit)
    return _storage(listing.repo) / "snapshots" / listing.commit


def _files(listing: Listing, *, weights: bool) -> list[tuple[Wanted, Path]]:
    base = f"{listing.hub.address}/models/{quote(listing.repo)}/resolve/{quote(listing.revision)}"
    folder = _storage(listing.repo) / "snapshots" / listing.commit
    return [
        (
            Wanted(name, f"{base}/{quote(name)}", listing.files[name], listing.hashes.get(name, "")),
            folder / name,
        )
        for name in listing.wanted(weights=weights)
    ]


def _note(repo: str, revision: str) -> Path:
    """Where it is noted what a branch or tag stood for, once all of it was here."""
    return _storage(repo) / "refs" / quote(revision, safe="")


def _storage(repo: str) -> Path:
    return cache_folder() / "models" / f"modelscope--{repo.replace('/', '--')}"


def cache() -> Path:
    """Where downloads are kept."""
    return cache_folder() / "models"
