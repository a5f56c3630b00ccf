"""How often somebody may ask: a bucket for each, emptied by asking, filled by time. Nothing else is kept."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MOST = 20_000
"""Buckets that are kept; the one that was asked least lately goes first."""


class Buckets:
    """Threads of all visitors call it.

    Args:
        most: how often one may ask at once.
        a_minute: how fast a bucket fills again.
        clock: seconds, ever growing.
    """

    def __init__(self, most: int, a_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.a_minute = most, a_minute
        self._clock, self._lock = clock, threading.Lock()
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when it was so

    def take(self, who: str) -> float:
        """One from the bucket of `who`: 0.0, or the seconds until there is one."""
        with self._lock:
            now = self._clock()
            left, then = self._kept.pop(who, (float(self.most), now))
            left = min(float(self.most), left + (now - then) * self.a_minute / 60)
            wait = 0.0 if left >= 1 else (1 - left) * 60 / self.a_minute
            self._kept[who] = (left - 1 if left >= 1 else left, now)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
            return wait
