"""What a training run is: its numbers, and what is taught when."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Every number of a run. `examples` in all, `shard` of them made at a time; `tokens` a step, padding
    included, dealt to `processes` that average their gradients. `told`: the share of passages put together
    from pieces of free telling, not by the generator; `details`: the share of the generator's passages around
    which everyday details are put. `start_from`: a model folder to go on from, instead
    of random weights; `behind`: the share of the stages that it has behind it.
    """

    seed: int = 1
    examples: int = 640_000
    shard: int = 1024
    tokens: int = 4096
    processes: int = 2
    width: int = 128
    layers: int = 6
    heads: int = 4
    inner: int = 320
    rate: float = 2.0e-3
    weight_decay: float = 0.05
    event_layer: int = 3
    count_layer: int = 5
    event_loss: float = 0.5
    count_loss: float = 0.5
    told: float = 0.15
    details: float = 0.5
    checkpoint_minutes: float = 4.0
    start_from: str = ""
    behind: float = 0.0

    @property
    def shards(self) -> int:
        """How many shards the run has."""
        return max(1, round(self.examples / self.shard))


STAGES = (
    (0.04, (85, 15, 0, 0, 0), 0.15),
    (0.10, (30, 55, 15, 0, 0), 0.3),
    (0.22, (10, 20, 55, 15, 0), 0.45),
    (0.60, (6, 12, 42, 38, 2), 0.5),
    (1.01, (5, 8, 24, 60, 3), 0.65),
)
"""Until which share of the run: weights of the passage levels, share of edited passages.

Several places in short passages first: matching the place is what is hardest to find, and short passages
leave no other way down the loss.
"""


def stage(progress: float) -> tuple[tuple[int, ...], float]:
    """Level weights and share of edited passages at `progress` (0 to 1)."""
    return next((levels, edits) for until, levels, edits in STAGES if progress < until)


def level(weights: tuple[int, ...], rng: random.Random) -> int:
    """A passage level (an index of SIZES), drawn by `weights`."""
    return rng.choices(range(len(weights)), weights)[0]
