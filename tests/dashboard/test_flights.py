"""What several ask for is computed once; who leaves stops nobody else; what nobody wants any more ends."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from dashboard.flights import LINGER, Flight, Flights, GivenUp, Visitor, Wanted
from dashboard.line import Line
from tests.dashboard.test_line import LONG, PATIENT, Clock, until


class Stop(BaseException):
    """As Streamlit stops a script."""


class Held:
    """How often it is held, as a lease is."""

    def __init__(self) -> None:
        self.count = 0

    def again(self) -> None:
        self.count += 1

    def give_back(self) -> None:
        self.count -= 1


class Slow:
    """A computation in steps, each made when it is told to; it keeps what it did, as the store does."""

    def __init__(self, steps: int) -> None:
        self.steps, self.begun, self.kept = steps, 0, 0
        self.may, self.did = threading.Semaphore(0), threading.Semaphore(0)
        self.given_up = threading.Event()

    def __call__(self, flight: Flight) -> str:
        self.begun += 1
        try:
            while self.kept < self.steps:
                assert self.may.acquire(timeout=PATIENT)
                self.kept += 1
                flight.effects[self.kept] = float(self.kept)
                self.did.release()
                flight.tell(self.kept, self.steps)
        except GivenUp:
            self.given_up.set()
            raise
        return f"{self.kept} steps"

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            self.may.release()
            assert self.did.acquire(timeout=PATIENT)


class Desk:
    """Somebody who asks, in a thread of their own."""

    def __init__(
        self, room: Room, work: Any, key: str = "k", *, who: object = None, long: bool = True
    ) -> None:
        self.told: list[tuple[int, int]] = []
        self.effects: dict[Any, float | None] = {}
        self.result: Any = None
        self.fault: BaseException | None = None
        self.here, self.stop = True, False

        def here() -> bool:
            if self.stop:
                raise Stop
            return self.here

        def ask() -> None:
            visitor = Visitor(who or object(), here)
            try:
                self.result = room.flights.follow(
                    Wanted(key, room.line, room.held, LONG, work), visitor, lambda standing: None,
                    lambda done, total: self.told.append((done, total)), self.effects,
                )  # fmt: skip
            except BaseException as fault:  # noqa: BLE001
                self.fault = fault

        self.thread = threading.Thread(target=ask, daemon=True)
        self.thread.start()

    def leave(self) -> None:
        self.stop = True
        self.thread.join(PATIENT)
        assert isinstance(self.fault, Stop)

    def waited(self) -> Any:
        self.thread.join(PATIENT)
        assert not self.thread.is_alive()
        return self.result


class Room:
    def __init__(self) -> None:
        self.clock, self.held = Clock(), Held()
        self.line = Line(poll=0.005)
        self.flights = Flights(self.clock)

    def flight(self, key: str = "k") -> Flight:
        until(lambda: key in self.flights._flying)
        return self.flights._flying[key]


@pytest.fixture
def room() -> Room:
    return Room()


def test_twelve_who_ask_the_same_get_one_computation(room: Room) -> None:
    work = Slow(3)
    desks = [Desk(room, work) for _ in range(12)]
    until(lambda: len(room.flight()._following) == 12)
    work.step()
    until(lambda: all(desk.told == [(1, 3)] for desk in desks))
    assert all(desk.effects == {1: 1.0} for desk in desks)
    work.step(2)
    assert [desk.waited() for desk in desks] == ["3 steps"] * 12
    assert all(desk.told[-1] == (3, 3) for desk in desks)
    assert work.begun == 1
    assert room.held.count == 0
    assert not room.flights._flying


def test_the_second_survives_the_firsts_stop(room: Room) -> None:
    work = Slow(4)
    first = Desk(room, work)
    work.step()
    second = Desk(room, work)
    until(lambda: len(room.flight()._following) == 2)
    first.leave()
    room.clock.now += 10 * LINGER
    work.step(3)
    assert second.waited() == "4 steps"
    assert work.begun == 1


def test_who_comes_back_soon_finds_it_where_it_was(room: Room) -> None:
    """As a press on a word does in the middle of a long run."""
    work = Slow(4)
    Desk(room, work).leave()
    work.step(2)
    room.clock.now += LINGER / 2
    again = Desk(room, work)
    until(lambda: bool(room.flight()._following))
    room.clock.now += 10 * LINGER
    work.step(2)
    assert again.waited() == "4 steps"
    assert work.begun == 1


def test_what_nobody_wants_ends_at_its_next_step_and_can_be_gone_on_with(room: Room) -> None:
    work = Slow(4)
    Desk(room, work).leave()
    room.clock.now += LINGER + 1
    work.step()
    assert work.given_up.wait(PATIENT)
    until(lambda: not room.flights._flying)
    assert room.held.count == 0
    assert not room.line._long
    later = Desk(room, work)
    work.step(3)
    assert later.waited() == "4 steps"
    assert work.begun == 2


def test_a_stop_is_not_lingered_over(room: Room) -> None:
    work = Slow(4)
    Desk(room, work).leave()
    room.flights.let_go("k")
    work.step()
    assert work.given_up.wait(PATIENT)


def test_let_go_ends_nothing_that_somebody_follows(room: Room) -> None:
    work = Slow(2)
    desk = Desk(room, work)
    until(lambda: bool(room.flight()._following))
    room.flights.let_go("k")
    work.step(2)
    assert desk.waited() == "2 steps"


def test_a_closed_tab_gives_its_turn_up_and_one_that_comes_back_goes_on(room: Room) -> None:
    work = Slow(4)
    desk = Desk(room, work)
    until(lambda: bool(room.flight()._following))
    desk.here = False
    until(lambda: not room.flight().ticket.attended)
    room.clock.now += LINGER + 1
    work.step()
    assert work.given_up.wait(PATIENT)
    threading.Event().wait(0.6)  # more than two looks
    assert work.begun == 1
    assert not room.flights._flying
    desk.here = True
    work.step(3)
    assert desk.waited() == "4 steps"
    assert work.begun == 2


def test_a_visitors_next_long_run_does_not_wait_for_the_one_left(room: Room) -> None:
    left, following, me = Slow(4), Slow(1), object()
    Desk(room, left, "left", who=me).leave()
    now = Desk(room, following, "following", who=me)
    left.step()
    assert left.given_up.wait(PATIENT)
    following.step()
    assert now.waited() == "1 steps"


def test_a_visitors_next_long_run_waits_for_one_that_is_looked_at(room: Room) -> None:
    first, second, me = Slow(2), Slow(1), object()
    one = Desk(room, first, "first", who=me)
    until(lambda: first.begun == 1)
    other = Desk(room, second, "second", who=me)
    until(lambda: room.line.standing(room.flight("second").ticket).own)
    first.step()
    assert second.begun == 0
    first.step()
    assert one.waited() == "2 steps"
    second.step()
    assert other.waited() == "1 steps"


def test_a_fault_is_told_to_all_and_not_kept(room: Room) -> None:
    go, calls = threading.Event(), list[int]()

    def fails(flight: Flight) -> str:
        calls.append(1)
        assert go.wait(PATIENT)
        raise ValueError("broken")

    desks = [Desk(room, fails) for _ in range(3)]
    until(lambda: len(room.flight()._following) == 3)
    go.set()
    for desk in desks:
        desk.waited()
        assert isinstance(desk.fault, ValueError)
    Desk(room, fails).waited()
    assert len(calls) == 2
    assert room.held.count == 0
