"""Short runs first, long ones in turn, nobody starves: on clocks of the test's own, almost without sleeping.

Every run is a thread that makes a step when it is told to, so that the order is decided by the line alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from dashboard.line import HASTE, PATIENCE, SHORT, SLICE, TOO_LONG, UNDER_WAY, Line, Rush, Ticket

PATIENT = 20.0
LONG = 100.0


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Runner:
    """A run in a thread of its own: `step` lets it make one step of so many seconds."""

    def __init__(self, line: Line, clock: Clock, ticket: Ticket) -> None:
        self.line, self.clock, self.ticket = line, clock, ticket
        self.goes, self.rests = threading.Event(), threading.Event()
        self.fault: BaseException | None = None
        self._orders: list[float | None] = []
        self._order = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            with self.line.turn(self.ticket):
                self.goes.set()
                while self._order.acquire() and (seconds := self._orders.pop(0)) is not None:
                    self.clock.now += seconds
                    self.goes.clear()
                    self.rests.set()
                    self.line.give_way(self.ticket)
                    self.goes.set()
        except BaseException as fault:  # noqa: BLE001
            self.fault = fault

    def step(self, seconds: float = 0.5) -> None:
        """One step, to the point where it may give its turn away."""
        assert self.goes.wait(PATIENT)
        self.rests.clear()
        self._orders.append(seconds)
        self._order.release()
        assert self.rests.wait(PATIENT)

    def end(self) -> None:
        assert self.goes.wait(PATIENT)
        self._orders.append(None)
        self._order.release()
        self.thread.join(PATIENT)


class Bench:
    """A line and the runs at it."""

    def __init__(
        self, *, alone: bool = False, beside: Bench | None = None, work: Callable[[], float] | None = None
    ) -> None:
        self.clock = beside.clock if beside else Clock()
        self.rush = beside.rush if beside else Rush()
        self.line = Line(alone=alone, poll=0.005, clock=self.clock, work=work or self.clock, rush=self.rush)
        self.runners: list[Runner] = []

    def begin(self, visitor: str, expected: float, check: Callable[[], None] = lambda: None) -> Runner:
        """A run that comes after all others that are here."""
        ticket = Ticket(visitor, expected, check)
        found = Runner(self.line, self.clock, ticket)
        self.runners.append(found)
        until(lambda: ticket in [*self.line._short, *self.line._long])
        return found

    @property
    def going(self) -> Runner:
        """The long run that has the turn, once one has."""
        until(lambda: self.line._holder is not None)
        found = next(runner for runner in self.runners if runner.ticket is self.line._holder)
        assert found.goes.wait(PATIENT)
        return found


def until(true: Callable[[], bool]) -> None:
    for _ in range(4000):
        if true():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not come")


def waits(runner: Runner) -> bool:
    """Whether it has not got its turn, though it had some time to take it."""
    return not runner.goes.wait(0.05)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_short_run_does_not_wait_for_the_step_of_a_long_one(bench: Bench) -> None:
    long = bench.begin("a", LONG)
    assert long.goes.wait(PATIENT)
    short = bench.begin("b", 1.0)
    assert short.goes.wait(PATIENT)
    long.step()
    assert waits(long)  # it holds off as long as the short one is there
    short.end()
    assert long.goes.wait(PATIENT)
    long.end()


def test_short_ones_come_one_after_the_other_in_the_order_they_came(bench: Bench) -> None:
    runs = [bench.begin(name, 1.0) for name in "abc"]
    for n, run in enumerate(runs):
        assert run.goes.wait(PATIENT)
        assert all(waits(later) for later in runs[n + 1 :])
        run.end()


def test_long_ones_share_the_model_slice_by_slice(bench: Bench) -> None:
    """Whatever the length of their steps: none gets ahead of another by more than a slice and a step, at
    the beginning and at the end of the time that is looked at.
    """
    steps = dict(zip("abc", (0.3, 0.7, 1.1), strict=True))
    for name in steps:
        bench.begin(name, LONG)
    begun: list[float] = []
    for _ in range(60):
        going = bench.going
        going.step(steps[str(going.ticket.visitor)])
        used = [runner.ticket.used for runner in bench.runners]
        begun = begun or (used if all(used) else [])
        since = [now - then for now, then in zip(used, begun, strict=False)]
        assert max(since, default=0) - min(since, default=0) <= 2 * (SLICE + 1.1)
    assert min(since) > 5


def test_one_that_comes_late_gets_no_more_than_its_share(bench: Bench) -> None:
    first = bench.begin("a", LONG)
    for _ in range(40):
        first.step()
    late = bench.begin("b", LONG)
    before = first.ticket.used
    for _ in range(40):
        bench.going.step()
    assert first.ticket.used - before == pytest.approx(late.ticket.used, abs=2 * SLICE)


def test_short_ones_without_end_starve_nobody(bench: Bench) -> None:
    long = bench.begin("a", LONG)
    long.step()
    short = bench.begin("b", 1.0)
    for n in range(12):
        following = bench.begin(f"c{n}", 1.0)
        short.step(1.0)
        short.end()
        if long.goes.is_set() or bench.clock.now - bench.line._last_step > PATIENCE:
            long.step(0.5)
        short = following
    short.end()
    assert long.ticket.used >= 0.5 * (1 + 12 // (PATIENCE + 1))
    long.end()


def test_one_that_was_taken_for_short_becomes_a_long_one(bench: Bench) -> None:
    liar = bench.begin("a", 1.0)
    liar.step(TOO_LONG + 1)
    short = bench.begin("b", 1.0)
    assert short.goes.wait(PATIENT)
    liar.step()
    assert waits(liar)
    short.end()
    liar.end()


def test_one_that_waits_for_a_busy_processor_stays_a_short_one() -> None:
    worked = Clock()
    bench = Bench(work=worked)
    short = bench.begin("a", 1.0)
    for _ in range(3):
        worked.now += TOO_LONG / 4
        short.step(4 * TOO_LONG)
        assert short.goes.wait(PATIENT)
    assert short.ticket in bench.line._short
    worked.now += TOO_LONG
    short.step()
    until(lambda: short.ticket in bench.line._long)


def test_what_a_thread_works_is_told_by_its_processor() -> None:
    """Sleeping is no work; at a model that works elsewhere, waiting is all there is to see."""
    for alone, took in ((False, 0.0), (True, 0.3)):
        line, ticket = Line(alone=alone), Ticket("a", SHORT)
        with line.turn(ticket):
            time.sleep(0.3)
        assert took <= ticket.worked <= took + 0.2
        assert ticket.used >= 0.3


def test_a_visitor_has_one_long_run_under_way(bench: Bench) -> None:
    first, second = bench.begin("a", LONG), bench.begin("a", LONG)
    other = bench.begin("b", LONG)
    for _ in range(12):
        bench.going.step()
    assert second.ticket.used == 0
    assert other.ticket.used > 1
    assert bench.line.standing(second.ticket).own
    until(lambda: bench.line._holder is not None)
    while bench.going is not first:
        bench.going.step()
    first.end()
    for _ in range(6):
        bench.going.step()
    assert second.ticket.used > 0


def test_so_many_are_under_way_at_a_time(bench: Bench) -> None:
    runs = [bench.begin(str(n), LONG) for n in range(UNDER_WAY + 2)]
    for _ in range(4 * UNDER_WAY):
        bench.going.step(1.0)
    assert [run.ticket.used > 0 for run in runs] == [True] * UNDER_WAY + [False] * 2
    stands = [bench.line.standing(run.ticket) for run in runs[-2:]]
    assert [stand.ahead for stand in stands] == [UNDER_WAY, UNDER_WAY + 1]
    bench.going.end()
    for _ in range(4 * UNDER_WAY):
        bench.going.step(1.0)
    assert [run.ticket.used > 0 for run in runs] == [True] * (UNDER_WAY + 1) + [False]


def test_what_nobody_looks_at_comes_last(bench: Bench) -> None:
    left, seen = bench.begin("a", LONG), bench.begin("b", LONG)
    left.step()
    left.ticket.attended = False
    for _ in range(8):
        bench.going.step()
    assert left.ticket.used <= 1.5
    assert seen.ticket.used >= 3.0
    while bench.going is not seen:
        bench.going.step()
    seen.end()
    left.end()


def test_at_a_model_elsewhere_everything_goes_one_by_one() -> None:
    bench = Bench(alone=True)
    long = bench.begin("a", LONG)
    assert long.goes.wait(PATIENT)
    short = bench.begin("b", 1.0)
    assert waits(short)
    long.step()
    assert short.goes.wait(PATIENT)
    assert waits(long)
    bench.clock.now += PATIENCE + 1  # overdue, and yet it waits for the short one's end
    assert waits(long)
    short.end()
    long.end()


def test_who_is_stopped_while_it_waits_leaves_the_line(bench: Bench) -> None:
    class Stopped(BaseException):
        pass

    def stop() -> None:
        raise Stopped

    first = bench.begin("a", LONG)
    assert first.goes.wait(PATIENT)
    second = Runner(bench.line, bench.clock, Ticket("b", LONG, stop))
    second.thread.join(PATIENT)
    assert isinstance(second.fault, Stopped)
    assert bench.line._long == [first.ticket]
    first.step()
    first.end()
    assert not bench.line._long


def test_the_wait_is_told_as_it_will_be(bench: Bench) -> None:
    """Four of 10, 20, 30 and 40 seconds share the model; the fifth begins when the first has ended."""
    for n, seconds in enumerate((10.0, 20.0, 30.0, 40.0)):
        bench.begin(str(n), seconds)
    fifth = bench.begin("e", 50.0)
    sixth = bench.begin("f", 60.0)
    assert bench.line.standing(fifth.ticket).seconds == pytest.approx(4 * 10)
    # Then 10, 20, 30 and 50 are left: the second ends after four times ten more.
    assert bench.line.standing(sixth.ticket).seconds == pytest.approx(4 * 10 + 4 * 10)
    assert bench.line.seconds() == pytest.approx(210)


def test_a_long_run_leaves_the_processor_to_short_runs_of_another_model(bench: Bench) -> None:
    other = Bench(beside=bench)
    short, long = other.begin("b", SHORT), bench.begin("a", LONG)
    assert short.goes.wait(PATIENT)
    assert waits(long)
    short.end()
    assert long.goes.wait(PATIENT)
    again = other.begin("b", SHORT)
    long.step()
    assert waits(long)
    bench.clock.now += PATIENCE + 1  # nobody starves
    assert long.goes.wait(PATIENT)
    again.end()
    long.end()
    assert not bench.rush


def test_at_a_model_that_answers_from_elsewhere_nobody_waits_for_this_processor() -> None:
    here, elsewhere = Bench(), Bench(alone=True)
    short, long = here.begin("a", SHORT), elsewhere.begin("b", LONG)
    assert long.goes.wait(PATIENT)
    long.step()
    assert not waits(long)
    short.end()
    long.end()


def test_one_that_turns_out_long_hurries_nobody_any_more(bench: Bench) -> None:
    other = Bench(beside=bench)
    liar = other.begin("a", SHORT)
    liar.step(TOO_LONG + 1)
    assert not bench.rush
    other.going.end()


def test_of_short_runs_the_shorter_goes_first_but_for_one_that_waited_long(bench: Bench) -> None:
    first = bench.begin("a", 0.1)
    assert first.goes.wait(PATIENT)
    slow, quick = bench.begin("b", 0.9), bench.begin("c", 0.1)
    assert bench.line.standing(quick.ticket).ahead == 1
    assert bench.line.standing(slow.ticket).ahead == 2
    bench.clock.now += HASTE
    late = bench.begin("d", 0.1)
    assert [runner.ticket for runner in (first, quick, slow, late)] == bench.line._short
    for runner in (first, quick, slow, late):
        assert runner.goes.wait(PATIENT)
        runner.end()
