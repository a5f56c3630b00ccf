"""How fast something comes, and how long the rest will take, from what came lately."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

WINDOW = 10.0
"""Seconds that are looked back."""
FIRST = 1.0
"""Seconds before anything is said."""


class Pace:
    """One thing that comes bit by bit.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def left(self, done: int, total: int) -> float | None:
        """Seconds until all is here, with `done` of `total` here now; None where that cannot be told yet."""
        now = self._clock()
        self._seen.append((now, done))
        while now - self._seen[0][0] > WINDOW and len(self._seen) > 2:
            self._seen.popleft()
        since, before = self._seen[0]
        if now - since < FIRST or done <= before:
            return None
        return (total - done) * (now - since) / (done - before)
