"""Ranks and their intervals by hand."""

from __future__ import annotations

import numpy as np
import pytest

from probes.asking.trials import CLEAN
from probes.ranks import among_first, best_by_chance, by_shift, chance_of, ranked, spearman
from probes.studies.heads import sizes_tried


def test_ranks_by_hand() -> None:
    assert ranked(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]
    assert spearman([1, 2, 3, 4], [1, 4, 9, 16]) == pytest.approx(1)
    assert spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    assert spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) == pytest.approx(0.8208, abs=1e-4)
    assert spearman([1, 1, 1], [1, 2, 3]) is None


def test_shifts_by_hand() -> None:
    reads, sizes = np.array([[1.0, 2, 3, 4], [0, 0, 0, 0]]), np.array([2.0, 1, 3, 9])
    rhos = by_shift(reads, sizes)
    assert rhos.shape == (4, 2)
    for by in range(4):
        moved = [sizes[(i - by) % 4] for i in range(4)]
        assert rhos[by, 0] == pytest.approx(spearman(reads[0], moved))
    assert np.isnan(rhos[:, 1]).all()
    assert chance_of([0.6, -0.7, 0.6, 0.1]) == 0.75
    assert chance_of(rhos[:, 1]) is None
    assert best_by_chance(rhos) is None, "four words cannot tell one case in twenty"
    many = np.array([[0.9, 0.1], *([0.0, n / 100] for n in range(39))])
    assert best_by_chance(many) == pytest.approx(0.37), "two of 40: itself and one more may pass it"


def test_words_that_tie_share_the_places() -> None:
    chosen = [True, True, False, False]
    assert among_first([4, 1, 3, 2], chosen) == 1
    assert among_first([4, 2, 1, 1], chosen) == 2
    assert among_first([1, 1, 1, 1], chosen) == 1
    assert among_first([3, 1, 1, 1], [True, True, False, False]) == pytest.approx(4 / 3)
    assert among_first([3, 1, 1, 1], [False] * 4) == 0


def runs(random: np.random.Generator, count: int, words: int) -> np.ndarray:
    """Values of which neighbours are alike (correlated by 0.7), [count, words]; most are little."""
    found = random.normal(size=(count, words + 40))
    for at in range(1, words + 40):
        found[:, at] += 0.7 * found[:, at - 1]
    return np.exp(found[:, 40:])


def test_what_is_unrelated_stands_out_in_one_case_of_twenty() -> None:
    """One reading, and the best of 24, though neighbouring words are alike. Independent, 12 % would."""
    random, words, times = np.random.default_rng(0), 61, 500
    alone = best = naive = 0
    for _ in range(times):
        sizes = runs(random, 1, words)[0]
        sizes = np.where(sizes > np.quantile(sizes, 0.6), sizes, 0)
        rhos = by_shift(runs(random, 24, words), sizes)
        limit, chance = best_by_chance(rhos), chance_of(rhos[:, 0])
        assert limit is not None
        assert chance is not None
        alone += chance <= 0.05
        best += rhos[0].max() > limit
        naive += abs(rhos[0, 0]) > 1.96 / np.sqrt(words - 1)
    assert 0.03 <= alone / times <= 0.07
    assert 0.03 <= best / times <= 0.07
    assert naive / times > 0.1


def test_what_is_related_stands_out() -> None:
    random, found, best = np.random.default_rng(0), 0, 0
    for _ in range(50):
        sizes, reads = runs(random, 1, 61)[0], runs(random, 24, 61)
        reads[3] = sizes * np.exp(random.normal(0, 0.5, 61))
        rhos = by_shift(reads, sizes)
        found += (chance_of(rhos[:, 3]) or 1) <= 0.05
        best += rhos[0, 3] > (best_by_chance(rhos) or 1)
    assert found > 45
    assert best > 45


def test_sizes_of_growing_sets() -> None:
    assert sizes_tried(5) == [1, 2, 3, 4, 5]
    assert sizes_tried(20)[:9] == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert sizes_tried(270)[-1] == 270
    assert CLEAN.is_clean
