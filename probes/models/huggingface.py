"""Hugging Face's hub and what speaks as it does: look a model up, bring its files into the library's cache.

The weights are brought first, by `probes.models.download`: the library throws a file away that was stopped in
its middle. It then finds them in its cache, and brings the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from probes.errors import ModelError
from probes.models.download import Wanted, download_all
from probes.models.hubs import PATIENCE, Hub, explained, note_reach, within
from probes.models.listing import ELSEWHERE, SMALL, WEIGHTS, Listing
from probes.models.stages import Progress


def look_up(repo: str, revision: str | None, hub: Hub) -> Listing:
    """Ask the hub for `repo`: one short request.

    Raises:
        ModelError: no hub in reach, no such model, no such revision, or access is refused; each says which.
    """
    from huggingface_hub import HfApi

    api = HfApi(endpoint=hub.address, token=hub.token or False)
    with explained(repo, revision, hub):
        info = within(
            PATIENCE, lambda: api.model_info(repo, revision=revision, files_metadata=True, timeout=PATIENCE)
        )
    note_reach(hub, True)
    siblings = info.siblings or []
    files = {file.rfilename: int(file.size or 0) for file in siblings}
    hashes = {file.rfilename: file.lfs.sha256 for file in siblings if file.lfs}
    total = info.safetensors.total if info.safetensors else None
    return Listing(repo, revision or "main", str(info.sha), files, total, hub, hashes)


def cached(repo: str, revision: str | None) -> Path | None:
    """The folder of an earlier, complete download, or None. Asks nobody."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    if not (_storage(repo) / "snapshots").is_dir():
        return None
    try:
        folder = snapshot_download(
            repo, revision=revision, local_files_only=True, cache_dir=cache(),
            allow_patterns=SMALL + WEIGHTS, ignore_patterns=ELSEWHERE,
        )  # fmt: skip
    except LocalEntryNotFoundError:
        return None
    return Path(folder) if _complete(Path(folder)) else None


def _complete(folder: Path) -> bool:
    """Whether all weights are there: one file, or every part that the index names."""
    from probes.models.folder import weight_files

    try:
        return all(path.exists() for path in weight_files(folder, folder.name))
    except ModelError:
        return False


def left(listing: Listing) -> int:
    """Bytes of the weights that are not here yet."""
    here = sum(wanted.have(blob) for wanted, blob in _blobs(listing))
    known = sum(wanted.size for wanted, _ in _blobs(listing))
    others = sum(listing.files[name] for name in listing.wanted(weights=True)) - known
    return known - here + others


def bring(listing: Listing, *, weights: bool, on_progress: Progress | None = None) -> Path:
    """Download what is not here yet; the folder.

    Args:
        weights: False brings the configuration and the tokenizer alone, which are small.

    Raises:
        ModelError: as `look_up`; a gated model is often refused only here.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils._http import hf_raise_for_status

    hub = listing.hub
    with explained(listing.repo, listing.revision, hub):
        if weights:
            download_all(list(_blobs(listing)), listing.repo, hub, hf_raise_for_status, on_progress)
        folder = Path(
            snapshot_download(
                listing.repo,
                revision=listing.commit,
                endpoint=hub.address,
                token=hub.token or False,
                cache_dir=cache(),
                etag_timeout=PATIENCE,
                allow_patterns=SMALL + (WEIGHTS if weights else []),
                ignore_patterns=ELSEWHERE,
                tqdm_class=_silent(),
            )
        )
        _remember(listing)
    return folder


def _blobs(listing: Listing) -> Iterator[tuple[Wanted, Path]]:
    """The files of weights whose hash is known, and where the library's cache has them, in its documented
    layout: named by their hash.
    """
    for name in listing.wanted(weights=True):
        digest = listing.hashes.get(name, "")
        if len(digest) == 64 and digest.isalnum():
            url = f"{listing.hub.address}/{listing.repo}/resolve/{listing.commit}/{name}"
            yield (
                Wanted(name, url, listing.files[name], digest),
                _storage(listing.repo) / "blobs" / digest,
            )


def _remember(listing: Listing) -> None:
    """Note in the cache, in its documented layout, which commit a branch or tag stood for."""
    if listing.revision != listing.commit:
        note = _storage(listing.repo) / "refs" / listing.revision
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(listing.commit, encoding="utf-8")


def _storage(repo: str) -> Path:
    return cache() / f"models--{repo.replace('/', '--')}"


def cache() -> Path:
    """Where downloads are kept: the hub library's own cache, shared with other programs."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _silent() -> Any:
    """A progress bar that shows nothing."""
    from tqdm.auto import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            for name in ("name", "log_level"):  # of the hub's own bar; tqdm knows them not
                options.pop(name, None)
            super().__init__(*args, **{**options, "disable": True})

    return Bar
