"""The search behind `minimal`: every set of a short passage, eliminations and duality in a longer one."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from math import comb
from typing import Any

from probes.numbers import strength
from probes.studies.base import Asking
from probes.studies.stretches import by_sentence
from probes.studies.subsets import Elimination, Kept, Set, Spent, hitting_sets, in_step, smaller
from probes.text.passage import Unit

EXACT = 12
"""Up to so many units every set is tried: 4,096 runs."""
FLIPPED_BY = 4
"""Deletions of more units than this are not searched for."""
PATH = 12
"""Steps from the whole passage to the smallest set."""
STEADY = 0.8
"""Share of runs beside other words in which a set must keep the answer to be more than a fluke."""
SIDE_BY_SIDE = 8
"""Deletions tried in one batch."""


USUAL = 1000
"""Runs that are allowed where nobody says; of a short passage, as many as it has sets."""


def allowed(units: int, settings: Mapping[str, Any]) -> int:
    """How many runs the search may make."""
    return int(settings["budget"] or (2**units if units <= EXACT else USUAL))


class Search:
    """One search: what it has run, and the sets it has found.

    Attributes:
        keeping: sets that keep the answer, and whether it is known that no unit of them can go.
        flipping: deletions that change the answer, and whether it is known that no unit of them may stay.
        shares: of a set, in which share of runs beside other words it keeps the answer; {} where not tried.
        core: the units that every steady set has; None where no set was found.
        strikes: ways from the whole passage down to the smallest set, a few words less each, on all of which
            the answer stands.
        tried: runs made.
        spent: the runs that were allowed were made before the search was over.
    """

    def __init__(self, asking: Asking, units: Sequence[Unit]) -> None:
        self.asking, self.units = asking, units
        self.budget = allowed(len(units), asking.settings)
        self.runs = Kept(asking, units, self.budget)
        self.lead = self.runs.lead
        self.exact = len(units) <= EXACT and 2 ** len(units) <= self.budget
        self.keeping: dict[Set, bool] = {}
        self.flipping: dict[Set, bool] = {}
        self.shares: dict[Set, float | None] = {}
        self.strikes: list[Set] = []
        self.core: Set | None = None
        self.spent = False
        self.tried = 0
        self._known_size = 0
        self._ways: list[Elimination] = []

    def run(self) -> Any:
        """Yield what is to be tried until the search is over, or the runs are spent."""
        try:
            yield from self._everything() if self.exact else self._searched()
        except Spent:
            self.spent = True
        for way in self._ways:
            if way.kept not in self.keeping and way.steps:
                self.keeping[way.kept] = way.irreducible
        self.judge({})
        yield from self._path()
        self.tried = len(self.runs.outcomes)

    def judge(self, shares: dict[Set, float | None]) -> None:
        """Take over how the sets hold beside other words: a fluke, which does not, makes no core."""
        self.shares = shares
        if self.keeping:
            self.core = frozenset.intersection(*self.steady)

    @property
    def steady(self) -> list[Set]:
        """The sets that keep the answer beside other words too; all where none does, or none was tried so."""
        known = [one for one in self.keeping if (self.shares.get(one) or 0.0) >= STEADY]
        return list(self.keeping) if self.exact or not known else known

    @property
    def survives(self) -> bool:
        """Whether the answer stands with nothing left of the passage."""
        return self.runs.keeps(frozenset())

    def rank(self, kept: Set) -> tuple[Any, ...]:
        """The smallest first, then the one on which the answer is likeliest."""
        target = self.asking.target
        return len(kept), -target.log(self.runs.outcomes[kept].answers), sorted(kept)

    def smallest(self, kind: str, size: int) -> bool:
        """Whether every smaller set, or deletion, was tried and was not enough."""
        if self.exact:
            found = self.keeping if kind == "keeps" else self.flipping
            return size == min(map(len, found))
        if kind == "keeps":
            return 0 < size <= self._known_size or (size == 0)
        singles = all(self.runs.everything - {unit.index} in self.runs.outcomes for unit in self.units)
        return size == min(map(len, self.flipping)) and (size == 1 or (size == 2 and singles))

    def alone(self, unit: Unit) -> float | None:
        """The effect of deleting a unit alone, nats; None where that was not tried."""
        found = self.runs.outcomes.get(self.runs.everything - {unit.index})
        return None if found is None else self.asking.effect(found)["effect_log_prob"]

    # ---- every set

    def _everything(self) -> Any:
        count = len(self.units)
        sets = [frozenset(i for i in range(count) if mask >> i & 1) for mask in range(2**count)]
        sets.sort(key=lambda one: (len(one), sorted(one)))
        yield from self.runs.run(sets)
        self.keeping = dict.fromkeys(_least(sets, self.runs.keeps), True)
        everything = self.runs.everything
        flips = _least(sets, lambda gone: self.runs.stand(everything - gone) == "flips")
        self.flipping = dict.fromkeys(flips, True)

    # ---- a search

    def _searched(self) -> Any:
        everything, empty = self.runs.everything, frozenset[int]()
        singles = [everything - {unit.index} for unit in self.units]
        affordable = len(singles) <= self.budget // 2
        yield from self.runs.run([everything, empty, *(singles if affordable else ())])
        if affordable:
            flips = [
                unit.index for unit in self.units if self.runs.stand(everything - {unit.index}) == "flips"
            ]
            self.flipping = {frozenset({index}): True for index in flips}
        if self.survives:
            self.keeping = {empty: True}
            return
        yield from self._down(everything, self._orders(affordable))
        yield from self._more()
        yield from self._all_smaller()

    def _orders(self, measured: bool) -> list[Sequence[Sequence[Set]]]:
        """Orders to strike in: as the passage goes, the weakest first, and shuffled; sentences before
        words.
        """
        rng = random.Random(self.asking.settings["seed"])
        sentences = self._sentences()
        words = [frozenset({unit.index}) for unit in self.units]
        orders: list[Sequence[Sequence[Set]]] = [(sentences, self._weakest_first() if measured else words)]
        if measured:
            orders.append((sentences, words))
        while len(orders) < self.asking.settings["orders"]:
            orders.append((rng.sample(sentences, len(sentences)), rng.sample(words, len(words))))
        return orders[: self.asking.settings["orders"]]

    def _sentences(self) -> list[Set]:
        """The units of each sentence together; none where units are sentences or longer."""
        inside = by_sentence(self.asking.question.passage, self.units)
        return [frozenset(units) for units in inside if len(units) > 1]

    def _weakest_first(self) -> list[Set]:
        def moved(unit: Unit) -> float:
            found = self.runs.outcomes.get(self.runs.everything - {unit.index})
            return 0.0 if found is None else strength(self.asking.effect(found))

        return [frozenset({unit.index}) for unit in sorted(self.units, key=moved)]

    def _down(self, start: Set, orders: Sequence[Sequence[Sequence[Set]]]) -> Any:
        """Eliminate from `start` in each order, side by side."""
        ways = [Elimination(start) for _ in orders]
        self._ways += ways
        yield from in_step(self.runs, [way.down(order) for way, order in zip(ways, orders, strict=True)])
        for way in ways:
            self.keeping[way.kept] = True

    def _path(self) -> Any:
        """From the whole passage to the smallest set, the weakest words struck first."""
        everything = self.runs.everything
        if not self.keeping:
            return
        end = min(self.keeping, key=self.rank)
        gone = [unit for one in self._weakest_first() for unit in one if unit not in end]
        left = self.budget - len(self.runs.outcomes)
        steps = max(1, min(PATH, len(gone), left + 1))
        cuts = [everything - frozenset(gone[: round(len(gone) * n / steps)]) for n in range(1, steps)]
        stands = yield from self.runs.run(cuts)
        kept = [cut for cut, found in zip(cuts, stands, strict=True) if found == "keeps"]
        self.strikes = [everything, *kept, *([end] if end != everything else [])]

    def _more(self) -> Any:
        """More sets, and deletions that change the answer, by duality."""
        everything, lost, order = self.runs.everything, set[Set](), [self._sentences(), self._weakest_first()]
        while True:
            fresh = (gone for gone in hitting_sets(list(self.keeping), FLIPPED_BY) if not _holds(gone, lost))
            batch = [gone for gone, _ in zip(fresh, range(SIDE_BY_SIDE), strict=False)]
            if not batch:
                return
            stands = yield from self.runs.run([everything - gone for gone in batch])
            others = [gone for gone, found in zip(batch, stands, strict=True) if found == "keeps"]
            lost.update(gone for gone in batch if gone not in others)
            for gone, found in zip(batch, stands, strict=True):
                if found == "flips" and gone not in self.flipping:
                    self.flipping[gone] = yield from self._none_may_stay(gone)
            if others and len(self.keeping) < self.asking.settings["sets"]:
                yield from self._down(everything - others[0], [order])
            lost.update(others if len(self.keeping) >= self.asking.settings["sets"] else others[:1])

    def _none_may_stay(self, gone: Set) -> Any:
        everything = self.runs.everything
        stands = yield from self.runs.run([everything - (gone - {unit}) for unit in gone])
        return "flips" not in stands

    def _all_smaller(self) -> Any:
        """Try every smaller set than the smallest found, where that is affordable."""
        size, count = min(map(len, self.keeping)), len(self.units)
        left = self.budget - len(self.runs.outcomes)
        if sum(comb(count, k) for k in range(size)) > left:
            return
        for kept in smaller(count, size):
            (found,) = yield from self.runs.run([kept])
            if found == "keeps":
                self.keeping[kept] = True
                size = len(kept)
                break
        self._known_size = size


def _holds(gone: Set, others: set[Set]) -> bool:
    return any(other <= gone for other in others)


def _least(sets: Sequence[Set], holds: Any) -> list[Set]:
    """Of sets in order of size, those that hold and have no subset that does."""
    below: set[Set] = set()
    found = []
    for one in sets:
        if any(one - {unit} in below for unit in one):
            below.add(one)
        elif holds(one):
            found.append(one)
            below.add(one)
    return found
