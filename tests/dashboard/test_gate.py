"""One at a time, in order, and nobody is locked out by somebody who left."""

from __future__ import annotations

import threading

import pytest

from dashboard.gate import Gate
from probes.errors import LimitError


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
    for name in "abcd":
        threads.append(threading.Thread(target=work, args=(name,)))
        threads[-1].start()
        while len(gate._line) < len(threads):  # in line before the next one comes
            threading.Event().wait(0.001)
    go.set()
    for thread in threads:
        thread.join(10)
    assert order == list("abcd")


class StoppedScript(BaseException):
    """As Streamlit stops a script: no Exception."""


def test_a_stopped_script_gives_its_turn_back() -> None:
    gate = Gate()
    with pytest.raises(StoppedScript), gate.turn():
        raise StoppedScript
    with gate.turn():
        pass


def test_stopping_in_the_line_leaves_it() -> None:
    gate = Gate(room=1, poll=0.01)

    def stop(ahead: int) -> None:
        assert ahead == 1
        raise StoppedScript

    with gate.turn():
        with pytest.raises(StoppedScript), gate.turn(stop):
            pass
        assert len(gate._line) == 1
    with gate.turn():
        pass


def test_a_full_line_turns_people_away_with_the_number() -> None:
    gate = Gate(room=0)
    with gate.turn(), pytest.raises(LimitError) as refused, gate.turn():
        pass
    assert refused.value.values == {"waiting": 0}


def test_patience_ends() -> None:
    gate = Gate(patience=0.05, poll=0.01)
    with gate.turn(), pytest.raises(LimitError) as refused, gate.turn():
        pass
    assert refused.value.key == "page_line_slow"
