"""What the engine is asked and what it answers: token ids in, log-probabilities out, no text anywhere.

A *job* is one prompt and the continuations whose probability is wanted after it. The log-probability of a
continuation is the sum over its tokens of the log-probability of each, given everything before it, in nats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from probes.engine.edits import Edit

Way = Literal["tree", "batches", "reference"]


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt to run and the continuations to score after it.

    Attributes:
        ids: the prompt's token ids, at least one.
        continuations: the token ids of each continuation, each at least one long.
        hidden: prompt positions that no *later* position may read, in every layer and head (attention
            knockout). A position always sees itself, so what is computed at a hidden position is unchanged.
        edits: what is done inside the model while it runs.
    """

    ids: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]
    hidden: frozenset[int] = frozenset()
    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        if not self.ids:
            raise ValueError("a job needs a prompt of at least one token")
        if not self.continuations or not all(self.continuations):
            raise ValueError("a job needs continuations of at least one token each")
        outside = sorted(position for position in self.hidden if not 0 <= position < len(self.ids))
        if outside:
            raise ValueError(f"hidden positions {outside} are outside the prompt of {len(self.ids)} tokens")

    @property
    def plain_tokens(self) -> int:
        """Positions a plain loop runs: one forward per continuation, whose last token is only read off."""
        return sum(len(self.ids) + len(continuation) - 1 for continuation in self.continuations)


def summed(continuations: Sequence[tuple[int, ...]], values: Sequence[Sequence[float]]) -> list[float]:
    """Each continuation's log-probability from its tokens'; one that goes on from another has that one's.

    What is left of a string less one that goes on from it is P(string) * (1 - P(rest | string)). Where both
    ran apart their beginnings differ in the last digits, and it would be nothing but those.
    """
    sums: dict[tuple[int, ...], float] = {}
    for ids, tokens in sorted(zip(continuations, values, strict=True), key=lambda pair: len(pair[0])):
        known = next((i for i in range(len(ids) - 1, 0, -1) if ids[:i] in sums), 0)
        sums[ids] = sum(tokens[known:], sums.get(ids[:known], 0.0))
    return [sums[ids] for ids in continuations]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is refused or was done another way: a key of the texts and the values it needs."""

    key: str
    values: Mapping[str, object] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """The same as plain data, for a record."""
        return {"key": self.key, **self.values}


def checked_round(before: int) -> bool:
    """Whether a round that stands on what `before` others stood on is checked: the first, the second, the
    fourth, the eighth …
    """
    return (before & (before + 1)) == 0


@dataclass(frozen=True, slots=True)
class Check:
    """A prompt run twice: by a plain forward of its own, and as the job list was run.

    Attributes:
        job: index of the job.
        expected: log-probability of each continuation that one plain forward can tell, in nats: the longest
            and all that lie on the way to its end, so every one-token answer.
        found: the same numbers as the job list's own run gave them.
        tolerance: largest difference allowed, in nats; None where the check only tells how far equal runs
            differ.
    """

    job: int
    expected: tuple[float, ...]
    found: tuple[float, ...]
    tolerance: float | None

    @property
    def difference(self) -> float:
        """Largest difference, in nats."""
        return max(abs(a - b) for a, b in zip(self.expected, self.found, strict=True))

    @property
    def ok(self) -> bool:
        """Whether no number is off by more than the tolerance (a NaN is off)."""
        most = math.inf if self.tolerance is None else self.tolerance
        return all(abs(a - b) <= most for a, b in zip(self.expected, self.found, strict=True))


@dataclass(slots=True)
class Report:
    """How a job list was run; complete once every result has been taken.

    Attributes:
        how: the way the last results came.
        why: why it was not the way first tried; None where it was.
        forwards: calls of the model, checks included.
        tokens_run: token positions those calls computed, padding and checks included.
        tokens_plain: token positions of a plain loop, one forward per prompt and continuation.
        checks: what was compared with plain forwards.
        noise_floor: largest difference in nats between equal prompts run in other batch shapes; effects
            below it mean nothing.
        seconds, cpu_seconds: time spent inside the engine, by the wall and by this process's processors.
    """

    how: Way
    why: Reason | None = None
    forwards: int = 0
    tokens_run: int = 0
    tokens_plain: int = 0
    checks: tuple[Check, ...] = ()
    noise_floor: float = 0.0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def add_check(self, check: Check) -> bool:
        """Keep `check`, raise the noise floor to what it shows; True if it held."""
        self.checks += (check,)
        if check.ok:
            self.noise_floor = max(self.noise_floor, check.difference)
        return check.ok
