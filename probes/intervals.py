"""Intervals: of a mean that holds on few and skewed values, or none; of a share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

FEWEST = 8
"""Values under which no interval is given: of effects of removals, one from 5 values covered 55 % at best."""
CARRIERS = 4
"""Values that must be more than nothing. With fewer, more than 2.5 % of all resamples hold none of them
(e⁻³ = 5 %, e⁻⁴ = 1.8 %), and the interval has no end: what has been seen a time or two says how large an
effect can be, not how often it comes. Where none has been seen, it may yet come."""


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, right / of
    middle = share + z * z / (2 * of)
    reach = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    low, high = (middle - reach) / (1 + z * z / of), (middle + reach) / (1 + z * z / of)
    return max(0.0, low), min(1.0, high)


def mean_interval(
    values: Sequence[float | None], *, seed: int, nothing: float = 0.0, rounds: int = 1000
) -> dict[str, float | None]:
    """A mean and its 95 % bootstrap-t interval (Efron & Tibshirani 1993, chapter 12).

    Each resample is told in its own standard errors, so the interval leans as the values are skewed, where
    percentiles of resampled means are too narrow.

    Args:
        values: None is left out.
        nothing: the size under which a value is none. Where many are, and a few are large, the interval
            rests on those few: see `CARRIERS`.

    Returns:
        mean, low, high; None for the mean of nothing, and for an interval of under `FEWEST` values, under
        `CARRIERS` of them more than nothing, or all alike.
    """
    a = np.asarray([v for v in values if v is not None], float)
    if not len(a):
        return {"mean": None, "low": None, "high": None}
    mean = float(a.mean())
    low, high = None, None
    if len(a) >= FEWEST and carriers(a, nothing) >= CARRIERS:
        low, high = _bootstrap_t(a, seed, rounds)
    return {"mean": mean, "low": low, "high": high}


def surely_above(low: float | None, values: Sequence[float], *, nothing: float = 0.0) -> bool:
    """Whether a mean is above zero: its interval is; or, where values alike give none, each of them is, and
    there are enough (a sign test: with `FEWEST` values chance does so in 0.4 %).

    Args:
        low: the lower end of the values' `mean_interval`.
    """
    if low is not None:
        return low > 0
    return len(values) >= FEWEST and all(value > max(nothing, 0.0) for value in values)


def carriers(values: Sequence[float] | np.ndarray, nothing: float = 0.0) -> int:
    """How many of the values are more than nothing."""
    sizes = np.abs(np.asarray(values, float))
    return int((sizes >= nothing if nothing > 0 else sizes > 0).sum())


def skewness(values: Sequence[float] | np.ndarray) -> float | None:
    """The third standardised moment; None for fewer than three values, or all alike."""
    a = np.asarray(values, float)
    spread = a.std() if len(a) > 2 else 0.0
    return float(((a - a.mean()) ** 3).mean() / spread**3) if spread > 0 else None


def _bootstrap_t(a: np.ndarray, seed: int, rounds: int) -> tuple[float | None, float | None]:
    error = a.std(ddof=1) / np.sqrt(len(a))
    if not error:
        return None, None
    drawn = a[_resamples(len(a), seed, rounds)]
    away, own = drawn.mean(1) - a.mean(), drawn.std(1, ddof=1) / np.sqrt(len(a))
    alike = own < 1e-12 * error
    told = np.sort(np.where(alike, np.copysign(np.inf, away), away / np.where(alike, 1, own)))
    first, last = told[round(0.025 * (rounds - 1))], told[round(0.975 * (rounds - 1))]
    if not np.isfinite([first, last]).all():
        return None, None
    return float(a.mean() - last * error), float(a.mean() - first * error)


@lru_cache(maxsize=4)
def _resamples(size: int, seed: int, rounds: int) -> np.ndarray:
    """Places drawn, [rounds, size]: the same for every row of a record, which has hundreds."""
    return np.random.default_rng(seed).integers(0, size, (rounds, size))
