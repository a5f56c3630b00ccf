"""Cutting a passage into stretches of units, between sentences where these are near."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

from probes.text.passage import Passage, Unit


class Cutter:
    """Cuts the units of one passage."""

    def __init__(self, passage: Passage, units: Sequence[Unit]) -> None:
        self._passage, self._units = passage, units

    def cut(self, units: Sequence[Unit], parts: int) -> list[Sequence[Unit]]:
        """Units side by side in at most `parts` stretches of about one length; where a sentence begins near a
        cut, it is made there.
        """
        ends = [round(len(units) * n / parts) for n in range(parts + 1)]
        for n in range(1, parts):
            near = [at for at in range(ends[n - 1] + 1, ends[n + 1]) if units[at].index in self._starts]
            if near:
                ends[n] = min(near, key=lambda at: abs(at - ends[n]))
        return [units[a:b] for a, b in pairwise(ends) if a < b]

    @cached_property
    def _starts(self) -> set[int]:
        """Units that begin a sentence."""
        starts = [unit.start for unit in self._units]
        return {bisect_left(starts, sentence.start) for sentence in self._passage.sentences}


def by_sentence(passage: Passage, units: Sequence[Unit]) -> list[list[int]]:
    """Of each sentence the numbers of the units that lie in it."""
    return [
        [unit.index for unit in units if sentence.start <= unit.start and unit.end <= sentence.end]
        for sentence in passage.sentences
    ]
