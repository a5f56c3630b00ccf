"""Ranks and their intervals by hand."""

from __future__ import annotations

import numpy as np
import pytest

from probes.ranks import ranked, spearman, with_interval
from probes.studies.heads import sizes_tried
from probes.trials import CLEAN


def test_ranks_by_hand() -> None:
    assert ranked(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]
    assert spearman([1, 2, 3, 4], [1, 4, 9, 16]) == pytest.approx(1)
    assert spearman([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    assert spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) == pytest.approx(0.8208, abs=1e-4)
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    wide = with_interval([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], seed=0)
    assert wide["low"] is not None
    assert wide["rho"] is not None
    assert wide["low"] <= wide["rho"]


def test_sizes_of_growing_sets() -> None:
    assert sizes_tried(5) == [1, 2, 3, 4, 5]
    assert sizes_tried(20)[:9] == [1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert sizes_tried(270)[-1] == 270
    assert CLEAN.is_clean
