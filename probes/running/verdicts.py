"""From a few figures to a verdict: an interval that is honest for small numbers, beside a threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from probes.intervals import wilson

Verdict = Literal["holds", "fails", "unsure", "none"]
"""Holds, does not hold, cannot tell, not applicable."""
FEWEST = 3
"""Variants under which nothing is told: two figures say next to nothing of how far a third may be off."""
T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
        2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
        2.045, 2.042)  # fmt: skip
"""The 97.5 % point of Student's t with 1, 2, … 30 degrees of freedom."""


@dataclass(frozen=True)
class Judged:
    """A verdict with what it rests on.

    Attributes:
        low, high: the 95 % interval of the mean (Student's t); None with fewer than `FEWEST` figures.
        agree: of the figures alone, how many lie on the threshold's holding side.
        reason: why a verdict could not be told, or is not applicable; "" otherwise.
    """

    verdict: Verdict
    mean: float | None
    low: float | None
    high: float | None
    agree: int
    n: int
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As a record holds it."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "mean": self.mean,
            "interval": [self.low, self.high],
            "agree": self.agree,
            "n": self.n,
        }


def t_interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """The mean's 95 % interval by Student's t (Student 1908): exact for normal figures however few, and wider
    the fewer there are.
    """
    n = len(values)
    if n < FEWEST:
        return None, None
    mean = math.fsum(values) / n
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    reach = (T_95[n - 2] if n - 2 < len(T_95) else 1.96) * spread / math.sqrt(n)
    return mean - reach, mean + reach


def judged(
    values: Sequence[float], threshold: float, side: str, *, doubt: str = "", share: bool = False
) -> Judged:
    """The verdict on a claim that holds where its figure is above (or below) `threshold`.

    Args:
        side: "above" or "below".
        doubt: why the claim may not be said to hold, whatever the figures are (say, that nothing at all moves
            this model's answer); "" where there is no such reason.
        share: the figures are ones and zeros, and their interval is that of a share (Wilson 1927).
    """
    n = len(values)
    beyond = [value > threshold if side == "above" else value < threshold for value in values]
    if n < FEWEST:
        mean = math.fsum(values) / n if n else None
        return Judged("unsure" if n else "none", mean, None, None, sum(beyond), n, "few" if n else "nowhere")
    mean = math.fsum(values) / n
    low, high = wilson(round(mean * n), n) if share else t_interval(values)
    assert low is not None
    assert high is not None
    holds = low > threshold if side == "above" else high < threshold
    fails = high <= threshold if side == "above" else low >= threshold
    if holds and not doubt:
        return Judged("holds", mean, low, high, sum(beyond), n)
    if fails:
        return Judged("fails", mean, low, high, sum(beyond), n)
    return Judged("unsure", mean, low, high, sum(beyond), n, doubt if holds else "interval")
