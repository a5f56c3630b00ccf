"""Pairs of units: all of them where that is affordable, else coarse to fine.

Stretches of the passage are paired first. Two stretches that act on each other are opened, and so is one
whose words together do something else than the sum of what each does alone, until what acts is two words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from probes.models.base import Outcome
from probes.studies.base import Asking
from probes.studies.stretches import Cutter
from probes.text.passage import Unit

Pair = tuple[int, int]
Units = tuple[int, ...]
STRETCHES = 24
"""Stretches that are paired first, at most."""
PARTS = 3
AT_ONCE = 4
"""Pairs of stretches opened in one round."""


@dataclass(frozen=True)
class Node:
    """Two stretches, or one twice: what its own units do to one another."""

    one: Units
    other: Units

    @property
    def is_pair(self) -> bool:
        return len(self.one) == len(self.other) == 1

    @property
    def inside(self) -> bool:
        return self.one == self.other


class PairSearch:
    """What was run, by the units that were gone; each once.

    Attributes:
        ended: nothing that was left closed acts by the margin.
    """

    def __init__(self, asking: Asking, units: Sequence[Unit]) -> None:
        self.asking, self.units = asking, units
        self.ended = False
        self._outcomes: dict[Units, Outcome] = {}
        self._cutter = Cutter(asking.question.passage, units)
        self._left = int(asking.settings["budget"])
        self._least = asking.settings["margin"]["nats"]

    def gone(self, indices: Iterable[int]) -> Outcome:
        """The run with these units gone, which was made."""
        return self._outcomes[tuple(sorted(indices))]

    def pairs(self) -> list[Pair]:
        """The pairs of units that were run."""
        return [(units[0], units[1]) for units in self._outcomes if len(units) == 2]

    def run(self) -> Any:
        """Yield every unit alone and the whole passage gone, then pairs."""
        count = len(self.units)
        everything = tuple(range(count))
        yield from self._runs([(index,) for index in everything] + [everything])
        every_pair = list(combinations(range(count), 2))
        if len(every_pair) <= self._left:
            yield from self._runs(every_pair)
            self.ended = True
        else:
            yield from self._coarse_to_fine()

    def _runs(self, sets: Iterable[Units]) -> Any:
        new = [units for units in dict.fromkeys(sets) if units not in self._outcomes]
        found = yield [self.asking.without(self.units[i] for i in units) for units in new]
        self._outcomes.update(zip(new, found, strict=True))

    # ---- coarse to fine

    def _coarse_to_fine(self) -> Any:
        count = STRETCHES
        while count > 2 and count * (count + 1) // 2 > self._left // 3:
            count -= 1
        stretches = [_indices(part) for part in self._cutter.cut(self.units, count)]
        nodes = [Node(one, one) for one in stretches] + [Node(*two) for two in combinations(stretches, 2)]
        yield from self._look_at(nodes)
        while True:
            closed = [node for node in sorted(nodes, key=self._size, reverse=True) if not node.is_pair]
            if not closed or self._size(closed[0]) < self._least:
                self.ended = True
                return
            opening = [part for node in closed[:AT_ONCE] for part in self._parts(node)]
            if len(opening) * 3 > self._left:
                return
            nodes = [node for node in nodes if node not in closed[:AT_ONCE]] + opening
            yield from self._look_at(opening)

    def _look_at(self, nodes: Sequence[Node]) -> Any:
        sets = [units for node in nodes for units in (node.one, node.other, _union(node)) if units]
        before = len(self._outcomes)
        yield from self._runs(sets)
        self._left -= len(self._outcomes) - before

    def _parts(self, node: Node) -> list[Node]:
        ones = self._cut(node.one)
        if node.inside:
            return [Node(one, one) for one in ones if len(one) > 1] + [
                Node(*two) for two in combinations(ones, 2)
            ]
        return [Node(one, other) for one in ones for other in self._cut(node.other)]

    def _cut(self, units: Units) -> list[Units]:
        return [_indices(part) for part in self._cutter.cut([self.units[i] for i in units], PARTS)]

    def _size(self, node: Node) -> float:
        """How far the two act on each other, nats; infinite where an answer vanished."""
        target = self.asking.target
        clean = target.log(self.asking.clean.answers)

        def moved(units: Units) -> float:
            return target.log(self.gone(units).answers) - clean

        together = moved(_union(node))
        apart = (
            sum(moved((index,)) for index in node.one) if node.inside else moved(node.one) + moved(node.other)
        )
        found = abs(together - apart)
        return found if found == found else float("inf")


def _union(node: Node) -> Units:
    return tuple(sorted({*node.one, *node.other}))


def _indices(units: Sequence[Unit]) -> Units:
    return tuple(unit.index for unit in units)
