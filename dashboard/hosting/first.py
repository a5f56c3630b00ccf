"""The first page of a server that has just started: it is drawn before torch is imported.

Importing torch takes seconds in which Python's lock is mostly held, so the visitor whose coming started the
server would wait for it, though the first page needs no model.
"""

from __future__ import annotations

import threading

COMES = 2.0
"""Seconds after the start within which a visitor is expected."""
PATIENCE = 5.0
"""Seconds that the first page is waited for at most, once it has been asked for."""


class FirstPage:
    """Whether the first page has been asked for, and has been drawn; the server's loop, the scripts' threads
    and the warm-up share it.
    """

    def __init__(self, comes: float = COMES, patience: float = PATIENCE) -> None:
        self._comes, self._patience = comes, patience
        self._asked, self._drawn = threading.Event(), threading.Event()

    def ask(self) -> None:
        """A page was asked for."""
        self._asked.set()

    def draw(self) -> None:
        """A page has been drawn."""
        self._drawn.set()

    def wait(self) -> None:
        """Until the first page is drawn, nobody has asked for one, or it takes too long."""
        if self._asked.wait(self._comes):
            self._drawn.wait(self._patience)


FIRST_PAGE = FirstPage()
