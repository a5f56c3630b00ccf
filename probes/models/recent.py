"""What was worked out for the questions asked last, from memory: several readers ask by turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from probes.asking.question import Question

KEPT = 32
T = TypeVar("T")


class Recent(Generic[T]):
    """One value for each of a few questions. Any thread calls it, and none waits: who comes at the same time
    works it out again.
    """

    def __init__(self) -> None:
        self._known: tuple[tuple[Question, T], ...] = ()
        """The newest first; replaced as a whole."""

    def of(self, question: Question, make: Callable[[], T]) -> T:
        """Equal questions have equal values, whether they are one object or two."""
        known = self._known
        for asked, value in known:
            if asked is question or asked == question:
                return value
        value = make()
        self._known = ((question, value), *known[: KEPT - 1])
        return value
