"""The size of a packed forward follows what the clock says of the model's own maps."""

from __future__ import annotations

import time

import pytest
from torch import nn

from probes.engine import chunks, linears
from probes.engine.chunks import SIZES, suitable_chunk, usual_chunk
from probes.engine.clock import least_seconds
from tests.arch.configs import CONFIGURATIONS


class Clocked:
    """A clock that says of each size what it is told, for one position."""

    def __init__(self, each: dict[int, float]) -> None:
        self.each = each

    def __call__(self, calls: list[object], device: str) -> list[float]:
        return [self.each[size] * size for size, _ in zip(SIZES["cpu"], calls, strict=True)]


@pytest.mark.parametrize(
    ("each", "size"),
    [
        ({256: 1.5, 512: 1.04, 1024: 1.0}, 512),
        ({256: 1.0, 512: 1.0, 1024: 1.0}, 512),
        ({256: 3.0, 512: 2.0, 1024: 1.7}, 1024),
        ({256: 1.0, 512: 1.2, 1024: 5.0}, 256),
    ],
)
def test_the_usual_size_unless_another_is_clearly_better(
    monkeypatch: pytest.MonkeyPatch, each: dict[int, float], size: int
) -> None:
    monkeypatch.setattr(linears, "_FEWEST_WEIGHTS", 1)
    monkeypatch.setattr(chunks, "least_seconds", Clocked(each))
    model = CONFIGURATIONS["llama"].build()
    assert suitable_chunk(model, [model.get_decoder()]) == size


@pytest.mark.parametrize(("small", "size"), [(9, 256), (1, 1024)])
def test_a_shape_counts_as_often_as_it_stands_there(
    monkeypatch: pytest.MonkeyPatch, small: int, size: int
) -> None:
    monkeypatch.setattr(linears, "_FEWEST_WEIGHTS", 1)
    stack = nn.ModuleList([nn.Linear(4, 4) for _ in range(small)] + [nn.Linear(64, 64)])
    timed = iter([{256: 1.0, 512: 2.0, 1024: 2.0}, {256: 9.0, 512: 9.0, 1024: 3.0}])
    monkeypatch.setattr(chunks, "least_seconds", lambda *calls: Clocked(next(timed))(*calls))
    model = CONFIGURATIONS["llama"].build()
    assert suitable_chunk(model, [stack]) == size


def test_where_nothing_is_worth_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = CONFIGURATIONS["llama"].build()
    assert suitable_chunk(model, []) == usual_chunk("cpu") == 512
    assert suitable_chunk(model, [model.get_decoder()]) == 512
    monkeypatch.setattr(chunks, "least_seconds", lambda *given: pytest.fail("timed"))
    monkeypatch.setattr(chunks, "_MOST_WEIGHTS", 1000)
    assert suitable_chunk(model, [nn.Sequential(nn.Linear(256, 256))]) == 512
    assert usual_chunk("mps") == usual_chunk("cuda") == 4096


def test_the_least_of_several_rounds_and_never_the_first() -> None:
    spent = iter([0.2, 0.02, 0.05, 0.03, 0.04, *[0.05] * 40])

    def burn() -> None:
        end = time.process_time() + next(spent)
        while time.process_time() < end:
            pass

    (least,) = least_seconds([burn])
    assert 0.02 <= least < 0.03


def test_the_real_clock_gives_one_of_the_sizes() -> None:
    model = CONFIGURATIONS["llama"].build()
    assert suitable_chunk(model, [nn.Sequential(nn.Linear(256, 256))]) in SIZES["cpu"]
