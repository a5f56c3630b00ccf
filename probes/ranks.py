"""Rank correlation of what is read with what matters, over the words of a passage, and its test.

Neighbouring words are alike: attention and effects both come in runs. So few words tell as much as many
independent ones, and a test that takes them for independent finds what is not there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

LEVEL = 0.05
"""A correlation stands out where it is among the largest twentieth of those by chance."""


def ranked(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, ties sharing their mean rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[places], float)


def spearman(one: Sequence[float] | np.ndarray, two: Sequence[float] | np.ndarray) -> float | None:
    """Spearman's rank correlation; None where one of them does not vary."""
    found = float(by_shift(np.asarray([one], float), np.asarray(two, float))[0, 0])
    return None if np.isnan(found) else found


def by_shift(reads: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Spearman's ρ of every reading with the sizes moved along the passage, its end joined to its beginning.

    Args:
        reads: [readings, words].
        sizes: [words].

    Returns:
        [words, readings], the first row unmoved; NaN where one of the two does not vary.
    """
    standing = np.array([_standard(each) for each in reads]).reshape(len(reads), len(sizes))
    own = _standard(sizes)
    moved = np.array([np.roll(own, by) for by in range(len(own))])
    found: np.ndarray = np.clip(moved @ standing.T, -1, 1)
    return found


def chance_of(rhos: Sequence[float] | np.ndarray) -> float | None:
    """Two-sided p of the first ρ among those of all shifts (circular shifts, as in Harris 2020,
    arXiv 2012.06862); it is never under one in the number of words. None where there is no correlation.

    A shift keeps what neighbours have in common and parts what is read from what matters.
    """
    a = np.abs(np.asarray(rhos, float))
    return None if np.isnan(a).any() else float((a >= a[0] - 1e-12).mean())


def best_by_chance(rhos: np.ndarray) -> float | None:
    """The ρ over which the best of all readings stands out: the largest of all of them, under one shift of
    all at once, passes it in fewer than a twentieth of the shifts.

    Args:
        rhos: as `by_shift` has them.

    Returns:
        None where there are too few words to tell, or nothing varies.
    """
    known = rhos[:, ~np.isnan(rhos).any(0)]
    allowed = int(LEVEL * len(rhos))
    if not known.shape[1] or not allowed:
        return None
    return float(np.sort(known[1:].max(1))[-allowed])


def among_first(reads: Sequence[float] | np.ndarray, chosen: Sequence[bool]) -> float:
    """How many of the chosen words are among as many that are read most; words that tie share the places."""
    a, count = np.asarray(reads, float), int(sum(chosen))
    if not count:
        return 0.0
    last = np.sort(a)[-count]
    above, level, own = a > last, a == last, np.asarray(chosen, bool)
    left = count - int(above.sum())
    return float((above & own).sum() + left * (level & own).sum() / level.sum())


def average_precision(ranked: Sequence[int], wanted: Collection[int]) -> float:
    """Of a ranking that may stop early: the mean, over all that is wanted, of the share of wanted ones among
    those up to it; one that is not ranked counts nothing.

    Raises:
        ValueError: nothing is wanted.
    """
    if not wanted:
        raise ValueError("nothing is wanted")
    hits, total = 0, 0.0
    for place, one in enumerate(ranked, 1):
        if one in wanted:
            hits += 1
            total += hits / place
    return total / len(set(wanted))


def expected_precision(scores: Sequence[float] | np.ndarray, wanted: Collection[int]) -> float:
    """`average_precision` of the places ranked by their scores, the highest first, on average over all orders
    of those that tie (McSherry & Najork 2008, doi 10.1007/978-3-540-78646-7_38). Where all tie, it is what a
    ranking at random has.

    Raises:
        ValueError: nothing is wanted.
    """
    if not wanted:
        raise ValueError("nothing is wanted")
    a, own = np.asarray(scores, float), np.isin(np.arange(len(scores)), list(set(wanted)))
    before, hits, total = 0, 0, 0.0
    for level in np.unique(a)[::-1]:
        tied = a == level
        size, mine = int(tied.sum()), int((tied & own).sum())
        place = np.arange(size)
        others = (
            place * (mine - 1) / max(size - 1, 1)
        )  # wanted ones of this level that stand before, on average
        total += float((mine / size * (hits + 1 + others) / (before + 1 + place)).sum())
        before, hits = before + size, hits + mine
    return total / len(set(wanted))


def pooled_places(rankings: Sequence[Sequence[int]], count: int) -> dict[int, float]:
    """The mean place of each of `count` things in rankings that may stop early, 1 the first.

    Those that a ranking leaves out share the places it leaves, each the middle of them (Kendall 1945,
    doi 10.1093/biomet/33.3.239): what is the mean over all ways to finish it. Each ranking weighs the same.

    Returns:
        Of what is ranked at least once; nothing is known of the rest but that it comes after.
    """
    twice: dict[int, int] = {}  # whole numbers: equal means are equal, whatever was added first
    left_out = [len(ranking) + 1 + count for ranking in rankings]
    for ranking, middle in zip(rankings, left_out, strict=True):
        for place, one in enumerate(ranking, 1):
            twice[one] = twice.get(one, sum(left_out)) + 2 * place - middle
    return {one: total / (2 * len(rankings)) for one, total in twice.items()}


def pooled_precision(places: Mapping[int, float], wanted: Collection[int]) -> float:
    """`average_precision` of mean places, on average over all orders of those that tie; what has no place
    counts nothing.

    Raises:
        ValueError: nothing is wanted.
    """
    if not wanted:
        raise ValueError("nothing is wanted")
    ones = sorted(places)
    found = [n for n, one in enumerate(ones) if one in set(wanted)]
    if not found:
        return 0.0
    return expected_precision([-places[one] for one in ones], found) * len(found) / len(set(wanted))


def _standard(values: np.ndarray) -> np.ndarray:
    """Ranks less their mean, of length 1; NaN where all are alike."""
    a = ranked(values)
    a = a - a.mean()
    length = np.sqrt(a @ a)
    return a / length if length > 0 else np.full(len(a), np.nan)
