"""Results on disk: one SQLite table, one row a trial, shared by the page and the command line.

The key is a hash of all that decides the numbers (model fingerprint, dtype, device, engine, token ids, what
is hidden), so a row can never be served for another question. What was computed before a Stop stays.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from probes.errors import InputError

VERSION = 1
LIMIT_MB = 512
_LOOK_UP = 500
_ROW_BYTES = 64
_FRESH = 3600
"""Seconds in which a second use need not be noted."""

_SCHEMA = """
create table if not exists trials (
    key blob primary key, value text not null, bytes integer not null, used real not null
) without rowid;
create index if not exists by_use on trials (used);
"""


def key_of(content: Any) -> bytes:
    """The content hash of anything JSON can hold."""
    text = json.dumps([VERSION, content], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def cache_folder() -> Path:
    """Where this user's results and converted models are kept; `CRUX_CACHE` moves it."""
    import platformdirs

    return Path(os.environ.get("CRUX_CACHE") or platformdirs.user_cache_dir("crux", appauthor=False))


class Store:
    """A cache of numbers by content hash. Safe for several threads and processes (WAL).

    A cache must never cost a result: what goes wrong after it was opened (a full disk, a lock that is not
    given back) is kept in `fault`, and from then on nothing is looked up or kept.
    """

    def __init__(self, path: Path, *, limit_mb: float = LIMIT_MB) -> None:
        """Open or create.

        Raises:
            InputError: `path` cannot be written, or is there but no database of ours.
        """
        self.path, self.limit = path, int(limit_mb * 1_000_000)
        self.fault: Exception | None = None
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(
                path, timeout=30, check_same_thread=False, isolation_level="IMMEDIATE"
            )
            self._base.execute("pragma journal_mode = wal")
            self._base.execute("pragma synchronous = normal")
            self._base.executescript(_SCHEMA)
            self._size = self._measured()
        except (OSError, sqlite3.Error) as fault:
            raise InputError("store_broken", path=path, reason=fault) from fault

    @classmethod
    def default(cls) -> Store:
        """The user's own, in the cache folder."""
        return cls(cache_folder() / "trials.sqlite")

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Any]:
        """The values of those keys that are known."""
        found: dict[bytes, Any] = {}
        if self.fault is not None:
            return found
        with self._careful():
            for start in range(0, len(keys), _LOOK_UP):
                some = keys[start : start + _LOOK_UP]
                marks = ",".join("?" * len(some))
                rows = self._base.execute(f"select key, value from trials where key in ({marks})", some)  # noqa: S608 - marks are "?"
                found |= {key: json.loads(value) for key, value in rows}
            self._touch(found)
        return found

    def _touch(self, keys: Iterable[bytes]) -> None:
        """Note the use, if the last note is old: a look-up should not have to write."""
        now = time.time()
        old = [(now, key, now - _FRESH) for key in keys]
        if any(
            self._base.execute("select 1 from trials where key = ? and used < ?", row[1:]).fetchone()
            for row in old
        ):
            with self._base:  # one transaction, undone whatever happens inside
                self._base.executemany("update trials set used = ? where key = ? and used < ?", old)

    def put(self, values: Mapping[bytes, Any]) -> None:
        """Keep these; what was used longest ago goes when the limit is passed."""
        if self.fault is not None:
            return
        now = time.time()
        texts = {key: json.dumps(value, separators=(",", ":")) for key, value in values.items()}
        rows = [(key, text, len(text) + _ROW_BYTES, now) for key, text in texts.items()]
        with self._careful(), self._base:
            self._base.executemany("insert or replace into trials values (?, ?, ?, ?)", rows)
            self._size += sum(row[2] for row in rows)
            if self._size > self.limit:
                self._shrink()

    def _measured(self) -> int:
        (size,) = self._base.execute("select coalesce(sum(bytes), 0) from trials").fetchone()
        return int(size)

    def _shrink(self) -> None:
        """Make room, a tenth more than needed; other processes write too, so the size is measured anew."""
        self._size = self._measured()
        for key, bytes_ in self._base.execute("select key, bytes from trials order by used").fetchall():
            if self._size <= 0.9 * self.limit:
                return
            self._base.execute("delete from trials where key = ?", (key,))
            self._size -= bytes_

    @contextmanager
    def _careful(self) -> Iterator[None]:
        """One at a time; a fault of the database is kept instead of raised, and ends the keeping."""
        with self._lock:
            try:
                yield
            except (sqlite3.Error, ValueError) as fault:  # ValueError: what is kept is no JSON any more
                self.fault = fault

    def close(self) -> None:
        with self._lock:
            self._base.close()
