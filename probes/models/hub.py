"""The Hugging Face hub, or a mirror of it (`HF_ENDPOINT`): look a model up, bring its files here.

A hub that cannot be reached is said so within seconds; what was downloaded before is then used. Only files
that are safe to read are asked for: safetensors, JSON, tokenizers. A token is sent only where `HF_TOKEN` sets
one.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from probes.errors import CruxError, ModelError
from probes.models.memory import readable
from probes.models.side_files import MOST_INDEX
from probes.models.stages import Progress

T = TypeVar("T")

PATIENCE = 6.0
"""Seconds until a hub that says nothing counts as out of reach, the look-up of its name included."""

_SMALL = ["*.json", "*.jinja", "*.txt", "*.model"]
_WEIGHTS = ["model*.safetensors"]
_ELSEWHERE = ["*/*"]  # sub-folders hold other formats of the same weights


@dataclass(frozen=True)
class Listing:
    """What the hub says of a repository at one commit, before anything is downloaded."""

    repo: str
    revision: str
    """What was asked for, "main" where nothing was."""
    commit: str
    files: Mapping[str, int]
    """Sizes in bytes, by path."""
    parameters: int | None


def look_up(repo: str, revision: str | None = None) -> Listing:
    """Ask the hub for `repo`: one short request.

    Raises:
        ModelError: no hub in reach, no such model, no such revision, or access is refused; each says which.
    """
    from huggingface_hub import HfApi

    api = HfApi(endpoint=_endpoint(), token=_token())
    with _explained(repo, revision):
        info = _within(
            PATIENCE, lambda: api.model_info(repo, revision=revision, files_metadata=True, timeout=PATIENCE)
        )
    files = {file.rfilename: int(file.size or 0) for file in info.siblings or []}
    total = info.safetensors.total if info.safetensors else None
    return Listing(repo, revision or "main", str(info.sha), files, total)


def cached(repo: str, revision: str | None = None) -> Path | None:
    """The folder of an earlier, complete download, or None. Asks nobody."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            repo, revision=revision, local_files_only=True,
            allow_patterns=_SMALL + _WEIGHTS, ignore_patterns=_ELSEWHERE,
        )  # fmt: skip
    except LocalEntryNotFoundError:
        return None
    return Path(folder) if _complete(Path(folder)) else None


def _complete(folder: Path) -> bool:
    """Whether all weights are there: one file, or every part that the index names."""
    from probes.errors import ModelError
    from probes.models.folder import weight_files

    try:
        return all(path.exists() for path in weight_files(folder, folder.name))
    except ModelError:
        return False


def bring(listing: Listing, *, weights: bool, on_progress: Progress | None = None) -> Path:
    """Download what is not here yet; the folder.

    Args:
        weights: False brings the configuration and the tokenizer alone, which are small.

    Raises:
        ModelError: as `look_up`; a gated model is often refused only here.
    """
    from huggingface_hub import snapshot_download

    with _explained(listing.repo, listing.revision):
        folder = Path(
            snapshot_download(
                listing.repo,
                revision=listing.commit,
                endpoint=_endpoint(),
                token=_token(),
                etag_timeout=PATIENCE,
                allow_patterns=_SMALL + (_WEIGHTS if weights else []),
                ignore_patterns=_ELSEWHERE,
                tqdm_class=_bar(on_progress if weights else None),
            )
        )
        _remember(listing)
    return folder


def _remember(listing: Listing) -> None:
    """Note in the cache, in its documented layout, which commit a branch or tag stood for."""
    if not is_commit(listing.revision):
        note = cache() / f"models--{listing.repo.replace('/', '--')}" / "refs" / listing.revision
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(listing.commit, encoding="utf-8")


def refuse_large(listing: Listing) -> None:
    """Refuse a repository whose small files are not small, before any of them is downloaded.

    Raises:
        ModelError: with the file, its size and the limit.
    """
    for file, size in listing.files.items():
        if "/" not in file and any(fnmatch(file, small) for small in _SMALL) and size > MOST_INDEX:
            values = {"file": file, "size": readable(size), "most": readable(MOST_INDEX)}
            raise ModelError("side_file_large", name=listing.repo, **values)


def weight_bytes(listing: Listing) -> int:
    """Bytes of the weights that `bring` would download."""
    wanted = [file for file in listing.files if fnmatch(file, _WEIGHTS[0]) and "/" not in file]
    return sum(listing.files[file] for file in wanted)


def cache() -> Path:
    """Where downloads are kept: the hub library's own cache, shared with other programs."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def is_commit(revision: str) -> bool:
    """Whether `revision` names one commit for ever, as a branch or a tag does not."""
    return re.fullmatch(r"[0-9a-f]{40}", revision) is not None


def host() -> str:
    """The hub's host name, without anything a URL may hide (a password, a path)."""
    from huggingface_hub import constants

    url = _endpoint() or constants.ENDPOINT
    return urlsplit(url if "//" in url else f"//{url}").hostname or "?"


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def _token() -> str | bool:
    return os.environ.get("HF_TOKEN") or False


def _within(seconds: float, call: Callable[[], T]) -> T:
    """The result of `call`, or TimeoutError. A call that hangs is left behind in its own thread."""
    box: dict[str, Any] = {}

    def work() -> None:
        try:
            box["result"] = call()
        except Exception as error:  # noqa: BLE001 (handed over to the caller's thread, raised there)
            box["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if "error" in box:
        raise box["error"]
    if "result" not in box:
        raise TimeoutError
    result: T = box["result"]
    return result


@contextmanager
def _explained(repo: str, revision: str | None) -> Iterator[None]:
    """Turn what the hub's library raises into one clear sentence each. Messages of its own are not passed on:
    they can hold addresses and tokens."""
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except CruxError:
        raise
    except errors.OfflineModeIsEnabled as error:
        raise ModelError("hub_offline", name=repo) from error
    except errors.GatedRepoError as error:
        raise ModelError("hub_gated", name=repo) from error
    except errors.RevisionNotFoundError as error:
        raise ModelError("hub_revision", name=repo, revision=revision) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status == 401 and _token():
            raise ModelError("hub_token", host=host()) from error
        if status == 403:
            raise ModelError("hub_gated", name=repo) from error
        if status in (401, 404):
            raise ModelError("hub_unknown", name=repo, host=host()) from error
        raise ModelError("hub_error", name=repo, host=host(), status=status) from error
    except (
        httpx2.RequestError,
        httpx2.InvalidURL,
        errors.LocalEntryNotFoundError,
        ConnectionError,
        TimeoutError,
        json.JSONDecodeError,  # some other server answered, a log-in page for instance
    ) as error:
        raise ModelError("hub_unreachable", name=repo, host=host()) from error
    except OSError as error:
        raise ModelError("hub_write", name=repo, reason=error.strerror or type(error).__name__) from error


def _bar(on_progress: Progress | None) -> Any:
    """A silent progress bar that reports the bytes written."""
    from tqdm.auto import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            self._total_of_all = str(options.get("desc", "")).startswith("Reconstructing")
            for name in ("name", "log_level"):  # of the hub's own bar; tqdm knows them not
                options.pop(name, None)
            super().__init__(*args, **{**options, "disable": True})
            self.n = options.get("initial", 0) or 0

        def update(self, n: float | None = 1) -> bool | None:
            self.n += n or 0
            if self._total_of_all and on_progress:
                on_progress("download", int(self.n), int(self.total or 0))
            return None

    return Bar
