"""Whose turn it is at one model: short runs first, one after the other, the shorter before the longer; long
ones share what is left.

A long run comes to a point where it may give its turn away between two steps, a few times a second at most,
and does so where another should go on: a short one at once, another long one after a slice of time, the one
that had least of it. Short runs do not wait for the step that is under way: the engine hands its lock on
between forwards. Models of one process share its processor, so a long run at one leaves it to short runs at
the others as well. Only at a model that answers from elsewhere, which knows no two callers, everything goes
one by one.

Nobody starves: while short runs come without end, a long one still makes a step every few seconds; of long
ones so many are under way at a time, and the next begins when one of them has ended. A visitor has one long
run under way, so that who opens many tabs has no more of the model than others; the second waits, for the
first is still looked at in its own tab. What nobody looks at any more comes last.

Threads: `_changed` guards everything here. It is not held while anything is computed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dashboard.gate import Standing

SHORT = 1.0
"""Seconds that a short run takes at most, by its estimate. A pressed word is short, every word of a passage
is not: with many readers a press would stand behind those."""
TOO_LONG = 2.0
"""Seconds of work after which a short run goes on as a long one. Not of waiting: on a busy machine a pressed
word may have its turn for longer than that, and would then stand behind all the long ones."""
HASTE = 100.0
"""A short run is due after so many times what it takes: the shorter goes first, until another waited long."""
SLICE = 1.0
"""Seconds that a long run keeps its turn while others that are long wait."""
PATIENCE = 4.0
"""Seconds after which long runs make a step however many short ones there are."""
UNDER_WAY = 4
"""Long runs that are begun and not ended, at most: each holds memory."""
LEAST_LEFT = 0.1
"""Of what was expected is left at least, as long as a run has not ended."""


@dataclass(eq=False)
class Ticket:
    """One run's place in line.

    Attributes:
        visitor: whose it is.
        expected: seconds that it takes alone, about.
        check: called while it waits and between its steps; what it raises ends the run.
        used: seconds that it had the turn.
        worked: seconds that its thread had of a processor meanwhile.
        attended: whether anybody looks at it.
    """

    visitor: Hashable
    expected: float
    check: Callable[[], None] = lambda: None
    used: float = 0.0
    worked: float = 0.0
    attended: bool = True
    _since: float | None = None
    """When its turn was last counted; None while it waits."""
    _at_work: float = 0.0
    """What its thread had of a processor then."""
    _share: float = 0.0
    """What it had of the model, as if it had been here as long as the others."""
    _due: float = 0.0
    """When a short run is due."""
    _begun: bool = False
    _slice: float = 0.0
    """What it had used when its slice began."""

    @property
    def left(self) -> float:
        """Seconds that it still takes, about."""
        return max(self.expected - self.used, LEAST_LEFT * self.expected)


class Rush:
    """How many short runs there are at all models of this process, which share its processor.

    Any thread calls it; a line's lock may be held meanwhile, and it holds none beside its own.
    """

    def __init__(self) -> None:
        self._count, self._lock = 0, threading.Lock()

    def add(self, more: int) -> None:
        with self._lock:
            self._count += more

    def __bool__(self) -> bool:
        """Whether there are any."""
        with self._lock:
            return self._count > 0


class Line:
    """See the module's docstring.

    Args:
        rush: shared with the lines of the other models; none where the model takes none of this processor.
        alone: whether the model stands no two callers at once.
        poll: seconds between two calls of a ticket's `check`.
        clock: seconds, for slices and patience.
        work: seconds that the calling thread had of a processor; where the model works elsewhere, the clock.
    """

    def __init__(
        self,
        *,
        alone: bool = False,
        poll: float = 0.25,
        clock: Callable[[], float] = time.monotonic,
        work: Callable[[], float] | None = None,
        rush: Rush | None = None,
    ) -> None:
        self.alone, self._rush = alone, Rush() if rush is None else rush
        self._poll, self._clock = poll, clock
        self._work = work or (clock if alone else time.thread_time)
        self._short: list[Ticket] = []
        self._long: list[Ticket] = []
        self._holder: Ticket | None = None
        """The long run that has the turn."""
        self._last_step = clock()
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, ticket: Ticket) -> Iterator[None]:
        """From the moment when `ticket` may go to the end of its run."""
        with self._changed:
            if ticket.expected <= SHORT:
                self._put_in(ticket)
                self._rush.add(1)
            else:
                self._long.append(ticket)
        try:
            self._wait(ticket)
            yield
        finally:
            with self._changed:
                self._account(ticket)
                if ticket in self._short:
                    self._short.remove(ticket)
                    self._rush.add(-1)
                if ticket in self._long:
                    self._long.remove(ticket)
                if self._holder is ticket:
                    self._holder = None
                self._changed.notify_all()

    def give_way(self, ticket: Ticket) -> None:
        """Between two steps of its run: let others go on that should, and wait until it is its turn again."""
        ticket.check()
        with self._changed:
            self._account(ticket)
            if ticket in self._short:
                if ticket.worked <= TOO_LONG:
                    return
                self._short.remove(ticket)  # not so short after all
                self._rush.add(-1)
                self._long.append(ticket)
                ticket._since = None
            elif self._holder is ticket:
                self._last_step = self._clock()
                others = [one for one in self._admitted() if one is not ticket]
                sliced = bool(others) and ticket.used - ticket._slice >= SLICE
                unseen = not ticket.attended and any(one.attended for one in others)
                if not (self._hurried() or sliced or unseen):
                    return
                self._holder, ticket._since = None, None
            self._changed.notify_all()
        self._wait(ticket)

    def standing(self, ticket: Ticket) -> Standing:
        """Where a ticket that waits stands; nobody is in front of one whose turn it is."""
        with self._changed:
            if ticket in self._short:
                first = self._short[: self._short.index(ticket)]
                held = [self._holder] if self.alone and self._holder else []
                return Standing(len(first) + len(held), sum(one.left for one in first))
            if ticket not in self._long or self._holder is ticket:
                return Standing(0)
            short, admitted = sum(one.left for one in self._short), self._admitted()
            if ticket in admitted:
                others = len(admitted) - 1
                return Standing(others + len(self._short), short + SLICE * others)
            mine = [one for one in self._before(ticket) if one.visitor == ticket.visitor]
            if mine:
                return Standing(len(mine), short + sum(one.left for one in mine) * len(admitted), own=True)
            before = self._before(ticket)
            queued = [one.left for one in before if one not in admitted]
            return Standing(len(before), short + _until_begun([one.left for one in admitted], queued))

    def seconds(self) -> float:
        """Until all who are in line have ended, about."""
        with self._changed:
            return sum(one.left for one in (*self._short, *self._long))

    # ---- under the lock

    def _put_in(self, ticket: Ticket) -> None:
        """Among the short runs by when it is due, behind the one that has begun."""
        ticket._due = self._clock() + HASTE * ticket.expected
        place = len(self._short)
        while place and self._short[place - 1]._since is None and self._short[place - 1]._due > ticket._due:
            place -= 1
        self._short.insert(place, ticket)

    def _wait(self, ticket: Ticket) -> None:
        while True:
            with self._changed:
                if self._may_go(ticket):
                    self._go(ticket)
                    return
                self._changed.wait(self._poll)
            ticket.check()

    def _may_go(self, ticket: Ticket) -> bool:
        if ticket in self._short:
            return self._short[0] is ticket and not (self.alone and self._holder)
        if self._holder is not None or (self.alone and any(one._since is not None for one in self._short)):
            return False
        if self._hurried() and not self._overdue():
            return False
        return self._next() is ticket

    def _go(self, ticket: Ticket) -> None:
        """Its turn begins; called by its own thread, as `_account` is."""
        ticket._since, ticket._at_work = self._clock(), self._work()
        if ticket in self._long:
            if not ticket._begun:
                ticket._share = self._least_share()
                ticket._begun = True
            self._holder, self._last_step = ticket, self._clock()
            ticket._slice = ticket.used

    def _next(self) -> Ticket | None:
        """The long run that goes on: of those looked at, the one that had least."""

        def rank(one: Ticket) -> tuple[bool, float, bool]:
            return not one.attended, one._share if one._begun else self._least_share(), one._begun

        return min(self._admitted(), key=rank, default=None)

    def _least_share(self) -> float:
        return min((one._share for one in self._long if one._begun), default=0.0)

    def _admitted(self) -> list[Ticket]:
        """Long runs that may be under way: those that came first, one of each visitor."""
        of_each = {one.visitor: one for one in reversed(self._long)}
        return [one for one in self._long if of_each[one.visitor] is one][:UNDER_WAY]

    def _before(self, ticket: Ticket) -> list[Ticket]:
        return self._long[: self._long.index(ticket)]

    def _hurried(self) -> bool:
        """Whether there are short runs, here or at another model: long ones leave the processor to them."""
        return bool(self._rush)

    def _overdue(self) -> bool:
        return self._clock() - self._last_step > PATIENCE

    def _account(self, ticket: Ticket) -> None:
        if ticket._since is not None:
            now, work = self._clock(), self._work()
            ticket.used += now - ticket._since
            ticket._share += now - ticket._since
            ticket.worked += work - ticket._at_work
            ticket._since, ticket._at_work = now, work


def _until_begun(running: list[float], queued: list[float]) -> float:
    """Seconds until one more may begin, where those running share the model and those queued come first."""
    running, passed = sorted(running), 0.0
    for following in [*queued, None]:
        if not running:
            return passed
        passed += running[0] * len(running)
        running = sorted(one - running[0] for one in running[1:])
        if following is not None:
            running = sorted([*running, following])
    return passed
