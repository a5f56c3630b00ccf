"""Rank correlation with a bootstrap interval, for a few dozen words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def ranked(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties sharing their mean rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[places], float)


def spearman(one: Sequence[float] | np.ndarray, two: Sequence[float] | np.ndarray) -> float | None:
    """Spearman's rank correlation; None where one of them does not vary."""
    a, b = ranked(np.asarray(one, float)), ranked(np.asarray(two, float))
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread > 0 else None


def with_interval(
    one: Sequence[float], two: Sequence[float], *, seed: int, rounds: int = 1000
) -> dict[str, float | None]:
    """The correlation and its 95 % percentile interval over resampled pairs (Efron 1979)."""
    a, b = np.asarray(one, float), np.asarray(two, float)
    random = np.random.default_rng(seed)
    draws = [spearman(a[i], b[i]) for i in random.integers(0, len(a), (rounds, len(a)))]
    known = sorted(d for d in draws if d is not None)
    low, high = (
        (known[round(0.025 * (len(known) - 1))], known[round(0.975 * (len(known) - 1))])
        if known
        else (None, None)
    )
    return {"rho": spearman(a, b), "low": low, "high": high}
