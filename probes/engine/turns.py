"""Whose turn it is to use a model: one lock for each torch module, however many engines stand on it.

Hooks, swapped buffers and the choice of attention are changes of the module itself, so all that runs a model
holds its lock meanwhile. The lock is handed on in the order in which threads asked: a long run that gives it
back between two steps does not take it again before one who waits (Python's own locks let it).
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


log = logging.getLogger(__name__)

LOOK = 1.0
"""Seconds between two looks at whether the thread that is waited for still lives."""


class Turns:
    """A lock that its holder may take again, and that is handed on in the order of asking.

    The turn of a thread that has ended without giving it back is handed on, too: nobody else could.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._line: deque[tuple[threading.Thread, threading.Lock]] = deque()
        self._holder: threading.Thread | None = None
        self._depth = 0

    def acquire(self, timeout: float = -1) -> bool:
        """Wait for the turn.

        Args:
            timeout: seconds to wait at most; negative for no bound.

        Returns:
            whether the turn is held now.
        """
        me, ticket = threading.current_thread(), threading.Lock()
        with self._guard:
            if self._holder in (None, me):
                self._holder = me
                self._depth += 1
                return True
            ticket.acquire()
            place = (me, ticket)
            self._line.append(place)
        try:
            return self._waited(ticket, timeout) or not self._left(place)
        except BaseException:  # Ctrl-C while waiting
            if not self._left(place):
                self.release()
            raise

    def _waited(self, ticket: threading.Lock, timeout: float) -> bool:
        """Whether the turn came in time."""
        until = time.monotonic() + timeout if timeout >= 0 else float("inf")
        while (left := until - time.monotonic()) > 0:
            if ticket.acquire(timeout=min(left, LOOK)):
                return True
            with self._guard:
                if self._holder is not None and not self._holder.is_alive():
                    log.warning("%s ended without giving back its turn at a model", self._holder.name)
                    self._hand_on()
        return False

    def _left(self, place: tuple[threading.Thread, threading.Lock]) -> bool:
        """Leave the line; False where the turn had come just then."""
        with self._guard:
            if place not in self._line:
                return False
            self._line.remove(place)
            return True

    def release(self) -> None:
        """Give the turn back, once for every `acquire`.

        Raises:
            RuntimeError: this thread does not hold it.
        """
        with self._guard:
            if self._holder is not threading.current_thread():
                raise RuntimeError("a turn is given back by the thread that holds it")
            self._depth -= 1
            if not self._depth:
                self._hand_on()

    def lend(self) -> None:
        """Let those who wait have the turn, and take it again behind them, as deep as it was held.

        To be called where the model is as it was found: between two forwards. Nothing happens where nobody
        waits.

        Raises:
            RuntimeError: this thread does not hold it.
        """
        with self._guard:
            if self._holder is not threading.current_thread():
                raise RuntimeError("a turn is lent by the thread that holds it")
            if not self._line:
                return
            depth, self._depth = self._depth, 1
        self.release()
        self.acquire()
        with self._guard:
            self._depth = depth

    def _hand_on(self) -> None:
        """To the first in line, under the guard."""
        self._holder, self._depth = None, 0
        if self._line:
            self._holder, ticket = self._line.popleft()
            self._depth = 1
            ticket.release()

    def __enter__(self) -> Turns:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


_TURNS: weakref.WeakKeyDictionary[nn.Module, Turns] = weakref.WeakKeyDictionary()
_TABLE = threading.Lock()


def turns_of(model: nn.Module) -> Turns:
    """The one lock of this module."""
    with _TABLE:
        return _TURNS.setdefault(model, Turns())


@contextmanager
def all_still() -> Iterator[None]:
    """While open no model runs in any other thread: for what changes settings of the whole process."""
    with _TABLE:
        every = list(_TURNS.values())
    with ExitStack() as held:
        for turns in every:
            held.enter_context(turns)
        yield
