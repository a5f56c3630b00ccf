"""Searching sets of units: which of them are enough for the answer, and which deletions change it.

Deleting is not monotone: more words may lose an answer that fewer keep. So a set is *irreducible* where no
single unit of it can go, and *smallest* only where every smaller set was tried. What is searched:

* backward elimination in several orders, sentences before words, in chunks of halved size (delta debugging,
  Zeller & Hildebrandt 2002), looked back over until no unit can go any more;
* more sets by duality (Liffiton et al. 2016; for sufficient and flipping sets arXiv 2312.06973): a deletion
  that takes a word of every set found so far either leaves the answer standing, and a set without these words
  is inside what is left, or is itself a deletion that loses it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from probes.asking.trials import Trial
from probes.models.base import Outcome
from probes.studies.base import Asking
from probes.studies.keeping import Stand, lead_of, stand
from probes.text.passage import Unit

Set = frozenset[int]
"""Units that are left in the passage, by number."""
Asked = Generator[list[Set], list[Stand], None]


class Spent(Exception):
    """The runs that were allowed have been made."""


class Kept:
    """Runs of the passage with only some of its units left in it: each set once, as many as are allowed."""

    def __init__(self, asking: Asking, units: Sequence[Unit], budget: int) -> None:
        self.asking, self.units, self.budget = asking, units, budget
        self.everything = frozenset(range(len(units)))
        self.outcomes: dict[Set, Outcome] = {self.everything: asking.clean}
        self.lead = lead_of(asking.settings)

    def trial(self, kept: Set) -> Trial:
        """The passage with these units left."""
        return self.asking.without(unit for unit in self.units if unit.index not in kept)

    def run(self, sets: Iterable[Set]) -> Any:
        """Yield those that are not known yet; how the answer stands on each.

        Raises:
            Spent: more runs than are allowed; those that are allowed have been made.
        """
        sets = list(sets)
        new = [one for one in dict.fromkeys(sets) if one not in self.outcomes]
        allowed = new[: max(0, self.budget - len(self.outcomes))]
        if allowed:
            found = yield [self.trial(one) for one in allowed]
            self.outcomes.update(zip(allowed, found, strict=True))
        if len(allowed) < len(new):
            raise Spent
        return [self.stand(one) for one in sets]

    def stand(self, kept: Set) -> Stand:
        """How the answer stands with these units left, which was run."""
        return stand(self.outcomes[kept].answers, self.asking.target, self.lead)

    def keeps(self, kept: Set) -> bool:
        """Whether these units were tried and are enough."""
        return kept in self.outcomes and self.stand(kept) == "keeps"


@dataclass
class Elimination:
    """One way down from a set that keeps the answer."""

    kept: Set
    """What is left so far; it keeps the answer."""
    steps: list[Set] = field(default_factory=list)
    """What was left after each strike."""
    irreducible: bool = False
    """No single unit of it can go: each was tried."""

    def down(self, levels: Sequence[Sequence[Set]]) -> Asked:
        """Strike chunks of one level after the other (sentences, then units), in the order they are given;
        the last level's are single units, struck until none can go.
        """
        for chunks in levels:
            left = list(chunks)
            size = max(1, len(left) // 2)
            while True:
                left = [chunk for chunk in left if chunk & self.kept]
                struck = False
                for start in range(0, len(left), size):
                    gone = frozenset().union(*left[start : start + size]) & self.kept
                    if gone:
                        (found,) = yield [self.kept - gone]
                        if found == "keeps":
                            struck = True
                            self.kept -= gone
                            self.steps.append(self.kept)
                if size == 1 and not struck:
                    break
                size = max(1, size // 2)
        self.irreducible = True


def in_step(runs: Kept, ways: Sequence[Asked]) -> Any:
    """Several searches side by side: each round makes one batch of what all of them ask.

    Raises:
        Spent: see `Kept.run`; they stand where they stopped.
    """
    asked = {}
    for way in ways:
        first = next(way, None)
        if first is not None:
            asked[way] = first
    while asked:
        found = iter((yield from runs.run([one for sets in asked.values() for one in sets])))
        answers = {way: [next(found) for _ in sets] for way, sets in asked.items()}
        asked = {}
        for way, told in answers.items():
            try:
                asked[way] = way.send(told)
            except StopIteration:
                continue


def smaller(units: int, size: int) -> Iterator[Set]:
    """All sets of fewer units than `size`, the smallest first."""
    for count in range(size):
        yield from map(frozenset, combinations(range(units), count))


LOOKED_AT = 20_000
"""Partial sets looked at before a search for hitting sets is given up: large sets have too many."""


def hitting_sets(sets: Sequence[Set], most: int) -> Iterator[Set]:
    """Minimal sets of up to `most` units that share a unit with every one of `sets`, the smallest first."""
    seen: set[Set] = set()
    left = [LOOKED_AT]
    for size in range(1, most + 1):
        for one in _hitting(sets, frozenset(), size, left):
            if one not in seen and all(_needed(unit, one, sets) for unit in one):
                seen.add(one)
                yield one


def _needed(unit: int, one: Set, sets: Sequence[Set]) -> bool:
    """Whether a set is hit by this unit alone."""
    return any(one & other == {unit} for other in sets)


def _hitting(sets: Sequence[Set], chosen: Set, size: int, left: list[int]) -> Iterator[Set]:
    left[0] -= 1
    if left[0] < 0:
        return
    missed = next((one for one in sets if not one & chosen), None)
    if missed is None:
        if len(chosen) == size:
            yield chosen
    elif len(chosen) < size:
        for unit in sorted(missed):
            yield from _hitting(sets, chosen | {unit}, size, left)
