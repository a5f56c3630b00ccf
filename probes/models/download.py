"""One file from a hub: taken up where it was left, held to size and hash, in place whole or not at all."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probes.errors import ModelError
from probes.models.hashing import sha256_of
from probes.models.hubs import Hub
from probes.models.stages import Progress
from probes.record.store import cache_folder

SILENCE = 20.0
"""Seconds that a hub may say nothing in the middle of a file."""
EVERY = 0.1
"""Seconds between two words of how much is here."""
TRIES = 5
"""How often a broken line is taken up again without a byte that came."""
PART = ".part.incomplete"
"""What the name of a file ends in until it is whole."""


@dataclass(frozen=True)
class Wanted:
    """A file as its hub lists it."""

    name: str
    url: str
    size: int
    sha256: str = ""
    """Of its content, where the hub gives it."""

    def part(self, target: Path) -> Path:
        """Where it is kept until it is whole; another content is another file."""
        mark = hashlib.sha256(f"{self.size} {self.sha256}".encode()).hexdigest()[:8]
        return target.with_name(f"{target.name[:80]}.{mark}{PART}")

    def have(self, target: Path) -> int:
        """Bytes of it that are here."""
        for path in (target, self.part(target)):
            if path.is_file():
                return min(path.stat().st_size, self.size)
        return 0


def download_all(
    files: Sequence[tuple[Wanted, Path]],
    repo: str,
    hub: Hub,
    check: Callable[[Any], None],
    on_progress: Progress | None = None,
) -> None:
    """Bring several, each to its path, and tell of them as of one download, in bytes.

    Raises:
        ModelError, httpx2.RequestError: as `download`.
    """
    total, done = sum(wanted.size for wanted, _ in files), 0
    for wanted, target in files:

        def told(here: int, before: int = done) -> None:
            if on_progress:
                on_progress("download", before + here, total)

        download(wanted, target, repo, hub, check, told)
        done += wanted.size
        told(0, done)


def download(
    wanted: Wanted,
    target: Path,
    repo: str,
    hub: Hub,
    check: Callable[[Any], None],
    on_bytes: Callable[[int], None],
) -> None:
    """Bring `wanted` to `target`, where it is not yet.

    Args:
        check: looks at an answer of the hub, and raises where it refuses.
        on_bytes: told how many bytes are here, again and again; what it raises stops the work, and what came
            stays for the next time.

    Raises:
        ModelError: what came is not what the hub lists.
        httpx2.RequestError: the line broke, again and again.
    """
    part = wanted.part(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(part, lambda: on_bytes(wanted.have(target))):
        if target.exists():
            return
        _take_up(wanted, part, hub, check, on_bytes)
        if wanted.sha256 and (found := sha256_of(part)) != wanted.sha256:
            part.unlink()
            values = {"file": wanted.name, "expected": wanted.sha256[:12], "found": found[:12]}
            raise ModelError("hub_hash", name=repo, host=hub.host, **values)
        part.replace(target)


def is_written(part: Path) -> bool:
    """Whether a thread or process is writing this part of a file at the moment; so said, too, where the cache
    folder lets nobody find out.
    """
    try:
        with _lock(part, 0.05):
            return False
    except OSError:  # a TimeoutError is one
        return True


def throw_away(part: Path) -> int:
    """Delete a part of a file, unless it is being written or may not be; the bytes that are free by it."""
    try:
        with _lock(part, 0.05):
            size = part.stat().st_size
            part.unlink()
            return size
    except OSError:  # a TimeoutError is one
        return 0


@contextmanager
def _alone(part: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """No other thread or process writes the same file meanwhile."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(_lock(part, 0.5))
                break
            except TimeoutError:
                waiting()
        yield


def _lock(part: Path, patience: float) -> AbstractContextManager[object]:
    """Raises TimeoutError on entering where it is taken for so many seconds."""
    from huggingface_hub.utils._fixes import WeakFileLock

    name = hashlib.sha256(str(part.absolute()).encode()).hexdigest()[:32]
    locks = cache_folder() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    return WeakFileLock(locks / f"{name}.lock", timeout=patience)


def _take_up(
    wanted: Wanted, part: Path, hub: Hub, check: Callable[[Any], None], on_bytes: Callable[[int], None]
) -> None:
    import httpx2

    have, left = part.stat().st_size if part.exists() else 0, TRIES
    if have > wanted.size:
        part.unlink()
        have = 0
    on_bytes(have)
    while have < wanted.size:
        before = have
        try:
            have = _read_on(wanted, part, have, hub, check, on_bytes)
        except httpx2.RequestError:
            have = part.stat().st_size if part.exists() else 0
            left = TRIES if have > before else left - 1
            if not left:
                raise
            time.sleep(min(1.0, 0.1 * (TRIES - left + 1)))
            on_bytes(have)
    part.touch()  # an empty file is a file


def _read_on(
    wanted: Wanted,
    part: Path,
    have: int,
    hub: Hub,
    check: Callable[[Any], None],
    on_bytes: Callable[[int], None],
) -> int:
    """Ask for the rest, and write what comes; how much is here then."""
    import httpx2

    headers = {"Accept-Encoding": "identity", **_token(hub)}
    if have:
        headers["Range"] = f"bytes={have}-"
    patience = httpx2.Timeout(SILENCE)
    with httpx2.stream("GET", wanted.url, headers=headers, timeout=patience, follow_redirects=True) as answer:
        if answer.status_code >= 400:
            answer.read()
            check(answer)
        if have and answer.status_code != 206:  # it sends the file from its beginning
            have = 0
        with part.open("ab" if have else "wb") as file:
            told = time.monotonic()
            for chunk in answer.iter_bytes():
                if have + len(chunk) > wanted.size:
                    raise httpx2.RemoteProtocolError("more than was listed")
                file.write(chunk)
                have += len(chunk)
                if time.monotonic() - told >= EVERY:
                    on_bytes(have)
                    told = time.monotonic()
    if have < wanted.size:
        raise httpx2.RemoteProtocolError("less than was listed")
    return have


def _token(hub: Hub) -> Mapping[str, str]:
    """Sent to the hub itself; where it leads on to another host, the library leaves it out."""
    return {"Authorization": f"Bearer {hub.token}"} if hub.token else {}
