"""One computation at a time, and a short line outside.

Plain Python, no Streamlit: `turn` polls and calls `waiting` between polls, so that a Streamlit caller
reaches a point where it can be stopped while it stands in line.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from probes.errors import LimitError


class Gate:
    """Whoever holds the turn may use the model; the others wait in the order they came.

    Args:
        room: how many may stand in line.
        patience: seconds that one waits before giving up.
        poll: seconds between two calls of `waiting`.
    """

    def __init__(self, *, room: int = 4, patience: float = 60.0, poll: float = 0.25) -> None:
        self._line: list[object] = []  # the first one holds the turn
        self._changed = threading.Condition()
        self._room, self._patience, self._poll = room, patience, poll

    @contextmanager
    def turn(self, waiting: Callable[[int], None] = lambda ahead: None) -> Iterator[None]:
        """Hold the only turn; `waiting(ahead)` is called while others are in front, and may raise.

        Raises:
            LimitError: the line is full, or patience ran out.
        """
        me, until = object(), time.monotonic() + self._patience
        with self._changed:
            if len(self._line) > self._room:
                raise LimitError("page_line_full", waiting=self._room)
            self._line.append(me)
        try:
            while ahead := self._ahead(me):
                if time.monotonic() > until:
                    raise LimitError("page_line_slow", seconds=round(self._patience))
                waiting(ahead)
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
