"""One at a time, in order, nobody is sent away, and nobody is locked out by somebody who left."""

from __future__ import annotations

import threading

import pytest

from dashboard.gate import Gate, Standing


def test_one_at_a_time_and_in_the_order_they_came() -> None:
    gate, order, inside = Gate(poll=0.01), [], []
    go = threading.Event()

    def work(name: str) -> None:
        with gate.turn():
            inside.append(name)
            assert len(inside) == 1
            go.wait(5)
            order.append(inside.pop())

    threads = []
    for name in "abcdefghijkl":
        threads.append(threading.Thread(target=work, args=(name,)))
        threads[-1].start()
        while len(gate._line) < len(threads):  # in line before the next one comes
            threading.Event().wait(0.001)
    go.set()
    for thread in threads:
        thread.join(10)
    assert order == list("abcdefghijkl")


class StoppedScript(BaseException):
    """As Streamlit stops a script: no Exception."""


def test_a_stopped_script_gives_its_turn_back() -> None:
    gate = Gate()
    with pytest.raises(StoppedScript), gate.turn():
        raise StoppedScript
    with gate.turn():
        pass


def test_stopping_in_the_line_leaves_it() -> None:
    gate = Gate(poll=0.01)

    def stop(standing: Standing) -> None:
        assert standing == Standing(1)
        raise StoppedScript

    with gate.turn():
        with pytest.raises(StoppedScript), gate.turn(stop):
            pass
        assert len(gate._line) == 1
    with gate.turn():
        pass


def test_the_end_of_a_wait_is_told_once_and_no_wait_is_not() -> None:
    gate, told, held = Gate(poll=0.01), list[Standing](), threading.Event()
    leave = threading.Event()

    def hold() -> None:
        with gate.turn(told.append):
            held.set()
            leave.wait(5)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)

    def waiting(standing: Standing) -> None:
        told.append(standing)
        if told.count(Standing(1)) == 3:
            leave.set()

    with gate.turn(waiting):
        assert told[-1] == Standing(0)
    holder.join(5)
    assert told == [Standing(1)] * (len(told) - 1) + [Standing(0)]
    assert len(told) >= 4
