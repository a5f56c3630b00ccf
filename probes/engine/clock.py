"""How long calls take, where a few of them are to be compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

_TIMED_SECONDS = 0.02
_FEWEST_ROUNDS, _MOST_ROUNDS = 4, 40


def least_seconds(calls: Sequence[Callable[[], object]], device: str = "cpu") -> list[float]:
    """The least time of each, run in turn after one untimed round: not the mean, or a busy neighbour would
    decide.

    Args:
        device: on a processor its own time counts, not the wall's; a GPU is waited for.
    """
    clock = time.process_time if device == "cpu" else time.perf_counter
    best = [float("inf")] * len(calls)
    for round_ in range(_MOST_ROUNDS + 1):
        for number, call in enumerate(calls):
            start = clock()
            call()
            if device == "cuda":
                torch.cuda.synchronize()
            if round_:
                best[number] = min(best[number], clock() - start)
        if round_ >= _FEWEST_ROUNDS and round_ * sum(best) >= _TIMED_SECONDS:
            break
    return best
