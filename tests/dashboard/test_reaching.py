"""Which hubs can be reached is found out in the background, once for all; how long a download takes."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest

from dashboard import reaching
from dashboard.pace import FIRST, WINDOW, Pace
from probes.models import hubs


class Tries:
    """In the place of asking a hub: held up until it may answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.may = Event()

    def __call__(self, hub: hubs.Hub, seconds: float = 3.0) -> bool:
        self.asked.append(hub.name)
        self.may.wait(20)
        hubs.note_reach(hub, hub.name == "modelscope")
        return True


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tries]:
    found = Tries()
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    monkeypatch.setattr(reaching, "try_reach", found)
    hubs.forget_reach()
    yield found
    found.may.set()
    reaching.wait(hubs.hubs(), 20)
    hubs.forget_reach()


def test_each_hub_is_tried_once_for_all_and_nobody_waits(tries: Tries) -> None:
    for _ in range(3):
        assert [known for _, known in reaching.look_around()] == [None, None, None]
    assert not reaching.wait(hubs.hubs(), 0.05)
    tries.may.set()
    assert reaching.wait(hubs.hubs(), 20)
    assert sorted(tries.asked) == ["hf-mirror", "huggingface", "modelscope"]
    assert {hub.name: known for hub, known in reaching.look_around()} == {
        "huggingface": False,
        "hf-mirror": False,
        "modelscope": True,
    }
    assert len(tries.asked) == 3


def test_what_is_known_of_a_hub_is_forgotten_after_a_while(
    tries: Tries, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries.may.set()
    reaching.look_around()
    reaching.wait(hubs.hubs(), 20)
    monkeypatch.setattr(hubs, "REMEMBERED", -1.0)
    reaching.look_around()
    reaching.wait(hubs.hubs(), 20)
    assert len(tries.asked) == 6


def test_the_rest_is_told_from_what_came_lately() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert pace.left(0, 1000) is None
    now[0] = FIRST / 2
    assert pace.left(10, 1000) is None
    now[0] = 4.0
    assert pace.left(400, 1000) == pytest.approx(6.0)
    for second in range(5, 30):  # it stands still
        now[0] = float(second)
        left = pace.left(400, 1000)
    assert left is None
    assert now[0] > WINDOW
