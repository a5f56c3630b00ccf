"""One at a time, and a line outside: for places that hold one model, and for loading one.

Plain Python, no Streamlit: `turn` polls and calls `waiting` between polls, so that a Streamlit caller
reaches a point where it can be stopped while it stands in line. Nobody is sent away: who waits gets a turn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """Where somebody who waits stands.

    Attributes:
        ahead: how many are in front; 0 once the wait is over.
        seconds: how long it will be, about; None where nobody knows.
        own: whether it is a run of one's own that comes first.
    """

    ahead: int
    seconds: float | None = None
    own: bool = False


Waiting = Callable[[Standing], None]
"""Called again and again while one waits; with nobody in front once the wait is over."""


def patiently(standing: Standing) -> None:
    """A `Waiting` that tells nobody."""


class Gate:
    """Whoever holds the turn may use what is behind; the others wait in the order they came.

    Args:
        poll: seconds between two calls of `waiting`.
    """

    def __init__(self, *, poll: float = 0.25) -> None:
        self._line: list[object] = []  # the first one holds the turn
        self._changed = threading.Condition()
        self._poll = poll

    @contextmanager
    def turn(self, waiting: Waiting = patiently) -> Iterator[None]:
        """Hold the only turn; `waiting` may raise, which leaves the line."""
        me, waited = object(), False
        with self._changed:
            self._line.append(me)
        try:
            while ahead := self._ahead(me):
                waited = True
                waiting(Standing(ahead))
            if waited:
                waiting(Standing(0))
            yield
        finally:  # also when Streamlit stops the script, or the tab is closed
            with self._changed:
                self._line.remove(me)
                self._changed.notify_all()

    def _ahead(self, me: object) -> int:
        with self._changed:
            if self._line.index(me):
                self._changed.wait(self._poll)
            return self._line.index(me)
