"""Requests under way: each is computed once, in a thread of its own, for all who ask the same.

Who asks follows: sees its progress and waits for its result, and may leave at any time. A request that nobody
follows any more lingers for a few seconds, behind everybody else in line, so that who presses a word in the
middle of a long run, or loses the connection, finds it where it was; then it is given up, and what it did is
in the store.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol

from dashboard.gate import Standing, Waiting
from dashboard.line import SHORT, Line, Ticket
from dashboard.memory import give_back

LINGER = 5.0
"""Seconds that a request goes on with nobody following it."""
POLL = 0.25
"""Seconds between two looks of those who follow."""


class GivenUp(BaseException):
    """Nobody wants it any more: raised where the request is computed. No Exception, as a Stop is none."""


@dataclass(frozen=True)
class Visitor:
    """Who asks.

    Attributes:
        key: tells visitors apart.
        here: whether they are still there; called a few times a second, and what it raises ends the wait.
        connected: the same, asked by any thread, wherever on the page they are by now.
    """

    key: Hashable = field(default_factory=object)
    here: Callable[[], bool] = lambda: True
    connected: Callable[[], bool] = lambda: False


class Held(Protocol):
    """What a request needs as long as it is computed; who asks for it has it at that moment."""

    def again(self) -> None:
        """Hold it once more."""

    def give_back(self) -> None:
        """Hold it once less."""


@dataclass(frozen=True)
class Wanted:
    """A request as somebody asks for it.

    Attributes:
        key: all that decides its result.
        line: where it stands for its turn.
        held: what the caller holds, and the request as long as it is computed.
        expected: seconds that it takes alone, about.
        compute: runs in another thread, in its turn at the line; calls `Flight.tell` between its steps.
        lasting: whether it goes on for who is connected, though they look at something else: a download.
    """

    key: Hashable
    line: Line
    held: Held
    expected: float
    compute: Callable[[Flight], Any]
    lasting: bool = False


class Flight:
    """One request under way, and what is known of it so far.

    `changed` guards it; the thread that computes and those that follow all read and write it.
    """

    def __init__(self, line: Line, ticket: Ticket, clock: Callable[[], float]) -> None:
        self.line, self.ticket = line, ticket
        self.changed = threading.Condition()
        self.effects: dict[Any, float | None] = {}
        self.progress: tuple[Any, ...] | None = None
        self.result: Any = None
        self.fault: BaseException | None = None
        self.ended = False
        self._clock, self._seen = clock, clock()
        self._following: dict[object, bool] = {}
        self._staying: dict[Hashable, Callable[[], bool]] = {}
        """Visitors for whom it goes on as long as they are connected."""
        ticket.check = self._check

    def tell(self, *progress: Any) -> None:
        """Between two steps: how far it is, as its followers are told; others may go first now, and it may be
        given up.
        """
        with self.changed:
            self.progress = progress
            self.changed.notify_all()
        self.line.give_way(self.ticket)

    def attend(self, who: object, here: bool | None) -> None:
        """Somebody follows it, there or away at the moment; None: follows it no longer."""
        with self.changed:
            if any(self._following.values()):
                self._seen = self._clock()
            if here is None:
                self._following.pop(who, None)
                self.changed.notify_all()
            else:
                self._following[who] = here
            self.ticket.attended = any(self._following.values())
            if self.ticket.attended:
                self._seen = self._clock()

    def stay(self, visitor: Visitor) -> None:
        """Go on for `visitor`, followed or not, as long as they are connected."""
        with self.changed:
            self._staying[visitor.key] = visitor.connected

    def let_go(self, visitor: Hashable = None) -> None:
        """Do not linger: who followed it has stopped it, or wants something else."""
        with self.changed:
            self._staying.pop(visitor, None)
            if not any(self._following.values()):
                self._seen = -LINGER + self._clock() - 1.0

    def end(self, result: Any, fault: BaseException | None) -> None:
        """It is computed, failed, or given up."""
        with self.changed:
            self.result, self.fault, self.ended = result, fault, True
            self.changed.notify_all()

    @property
    def wanted(self) -> bool:
        """Whether somebody is there for it, or was a moment ago."""
        with self.changed:
            staying = list(self._staying.values())
        stays = any(connected() for connected in staying)  # asks the server: not with anything held
        with self.changed:
            if stays:
                self._seen = self._clock()
            return stays or any(self._following.values()) or self._clock() - self._seen <= LINGER

    def _check(self) -> None:
        if not self.wanted:
            raise GivenUp


class Flights:
    """All requests under way, by all that decides their results."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._flying: dict[Hashable, Flight] = {}
        self._guard = threading.Lock()
        self._clock = clock

    def follow(
        self,
        wanted: Wanted,
        visitor: Visitor,
        waiting: Waiting,
        on_progress: Callable[..., None] | None = None,
        effects: dict[Any, float | None] | None = None,
    ) -> Any:
        """The request's result, computed unless it is under way already.

        Args:
            waiting: called while others are in front, and before the first word of progress.
            on_progress: called with what `Flight.tell` was told last.
            effects: filled with what the request finds, as it comes.

        Raises:
            BaseException: what `compute` raised, and what a callback raises, which leaves the request.
        """
        while True:
            me = object()
            flight = self._joined(wanted, visitor, me)
            try:
                _followed(flight, me, visitor, waiting, on_progress, effects)
            finally:
                flight.attend(me, None)
            if isinstance(flight.fault, GivenUp):  # while this visitor was away
                while not visitor.here():
                    time.sleep(POLL)
                continue
            if flight.fault is not None:
                raise flight.fault
            return flight.result

    def let_go(self, key: Hashable, visitor: Hashable = None) -> None:
        """Let a request that nobody follows end at its next step; it no longer lasts for `visitor`."""
        with self._guard:
            flight = self._flying.get(key)
        if flight is not None:
            flight.let_go(visitor)

    def under_way(self, key: Hashable) -> bool:
        """Whether a request is being computed."""
        with self._guard:
            return key in self._flying

    def _joined(self, wanted: Wanted, visitor: Visitor, me: object) -> Flight:
        with self._guard:
            if (flight := self._flying.get(wanted.key)) is not None:
                flight.attend(me, True)
                if wanted.lasting:
                    flight.stay(visitor)
                return flight
            if wanted.expected > SHORT:
                for other in self._flying.values():
                    if other.ticket.visitor == visitor.key and other.ticket.expected > SHORT:
                        other.let_go()
            flight = Flight(wanted.line, Ticket(visitor.key, wanted.expected), self._clock)
            flight.attend(me, True)
            if wanted.lasting:
                flight.stay(visitor)
            self._flying[wanted.key] = flight
        wanted.held.again()
        threading.Thread(target=self._fly, args=(wanted, flight), name="request", daemon=True).start()
        return flight

    def _fly(self, wanted: Wanted, flight: Flight) -> None:
        result, fault = None, None
        try:
            with flight.line.turn(flight.ticket):
                result = wanted.compute(flight)
        except BaseException as error:  # noqa: BLE001  # whatever it is, those who follow are told
            fault = error
        with self._guard:
            del self._flying[wanted.key]
            alone = not self._flying
        wanted.held.give_back()
        flight.end(result, fault)
        if alone:
            give_back()


def _followed(
    flight: Flight,
    me: object,
    visitor: Visitor,
    waiting: Waiting,
    on_progress: Callable[..., None] | None,
    effects: dict[Any, float | None] | None,
) -> None:
    """Until it has ended, tell what is new of it."""
    told: tuple[Any, ...] | None = None
    waited = ended = False
    while not ended:
        with flight.changed:
            if not flight.ended and flight.progress == told:
                flight.changed.wait(POLL)
            ended, progress = flight.ended, flight.progress
        flight.attend(me, visitor.here())
        if effects is not None:
            effects.update(flight.effects.copy())
        standing = Standing(0) if ended or progress else flight.line.standing(flight.ticket)
        if standing.ahead or waited:
            waiting(standing)
            waited = standing.ahead > 0
        if progress and progress != told and on_progress is not None:
            on_progress(*progress)
        told = progress
