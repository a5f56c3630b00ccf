"""The size of a packed forward follows what the clock says of the model's own maps."""

from __future__ import annotations

import pytest
from torch import nn

from probes.engine import chunks, linears
from probes.engine.chunks import SIZES, USUAL, suitable_chunk
from tests.arch.configs import CONFIGURATIONS


class Clocked:
    """A clock that says of each size what it is told, for one position."""

    def __init__(self, each: dict[int, float]) -> None:
        self.each = each

    def __call__(self, calls: list[object]) -> list[float]:
        return [self.each[size] * size for size, _ in zip(SIZES["cpu"], calls, strict=True)]


@pytest.mark.parametrize(
    ("each", "size"),
    [
        ({128: 2.0, 256: 1.5, 512: 1.04, 1024: 1.0}, 512),
        ({128: 1.0, 256: 1.0, 512: 1.0, 1024: 1.0}, 128),
        ({128: 4.0, 256: 3.0, 512: 2.0, 1024: 1.0}, 1024),
        ({128: 3.0, 256: 1.0, 512: 1.2, 1024: 5.0}, 256),
    ],
)
def test_the_smallest_size_that_costs_about_the_least(
    monkeypatch: pytest.MonkeyPatch, each: dict[int, float], size: int
) -> None:
    monkeypatch.setattr(linears, "_FEWEST_WEIGHTS", 1)
    monkeypatch.setattr(chunks, "least_seconds", Clocked(each))
    model = CONFIGURATIONS["llama"].build()
    assert suitable_chunk(model, [model.get_decoder()]) == size


def test_many_small_maps_do_not_outvote_a_few_large_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is the time of the whole model: each shape's time, as often as it stands there."""
    monkeypatch.setattr(linears, "_FEWEST_WEIGHTS", 1)
    stack = nn.ModuleList([nn.Linear(4, 4) for _ in range(9)] + [nn.Linear(64, 64)])
    timed = iter([{128: 0.1, 256: 0.1, 512: 0.1, 1024: 0.1}, {128: 9.0, 256: 9.0, 512: 3.0, 1024: 3.0}])
    monkeypatch.setattr(chunks, "least_seconds", lambda calls: Clocked(next(timed))(calls))
    model = CONFIGURATIONS["llama"].build()
    assert suitable_chunk(model, [stack]) == 512


def test_where_nothing_is_worth_timing() -> None:
    model = CONFIGURATIONS["llama"].build()
    assert suitable_chunk(model, []) == USUAL
    assert suitable_chunk(model, [model.get_decoder()]) == USUAL


def test_the_real_clock_gives_one_of_the_sizes() -> None:
    model = CONFIGURATIONS["llama"].build()
    assert suitable_chunk(model, [nn.Sequential(nn.Linear(256, 256))]) in SIZES["cpu"]
