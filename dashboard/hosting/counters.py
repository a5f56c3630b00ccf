"""What an operator sees: plain counts since the start. Nobody's text, address or session is in it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Counters:
    """Threads of all visitors call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._now: Counter[str] = Counter()
        self._begun = time.monotonic()

    def add(self, name: str, kind: str = "") -> None:
        """One more of `name`; `kind` is from a fixed list of the code's, never a visitor's."""
        with self._lock:
            self._counts[name, kind] += 1

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """One more at this moment, as long as this is open."""
        with self._lock:
            self._now[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._now[name] -= 1

    def now(self, name: str) -> int:
        with self._lock:
            return self._now[name]

    def count(self, name: str, kind: str = "") -> int:
        with self._lock:
            return self._counts[name, kind]

    def all(self) -> dict[str, dict[str, float]]:
        """Counts by name and kind; what is at this moment has its own name."""
        import psutil

        with self._lock:
            found: dict[str, dict[str, float]] = {name: {"": 0} for name in ("visits", "cached")}
            found |= {"runs": {}, "refusals": {}}
            for (name, kind), count in sorted(self._counts.items()):
                found.setdefault(name, {})[kind] = count
            for name in ("visitors_now", "running_now", "in_line_now"):
                found[name] = {"": self._now[name]}
        found["memory_bytes"] = {"": psutil.Process().memory_info().rss}
        found["uptime_seconds"] = {"": round(time.monotonic() - self._begun)}
        return found


COUNTERS = Counters()
"""This process's."""
