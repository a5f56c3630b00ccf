"""The strongest words of a long passage, coarse to fine: whole stretches are taken away first, and only what
moves the answer is opened.

A stretch that hardly moves the answer when it is gone may still hold words that cancel each other, so what
was not opened is told with how far it moved it. Of a model that can be opened the words that matter most by
one gradient (times input, Shrikumar et al. 2017, arXiv 1704.02685) are taken away first: not to be believed,
but a good guess of where to look.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probes.asking.readings import Gradients
from probes.errors import CruxError
from probes.models.base import Outcome
from probes.numbers import strength
from probes.studies.base import Asking, Option, inside_of
from probes.studies.stretches import Cutter
from probes.text.passage import Unit

FIND = Option("find", "integer", None, low=1, high=1000)
BUDGET = Option("budget", "integer", None, low=10, high=100_000)
FIRST = 16
"""Stretches that the whole passage is cut into at first."""
PARTS = 4
"""Parts that a stretch is opened into."""
GUESSED = 0.3
"""Share of the runs for units that a gradient points at."""
AT_ONCE = 3
"""Stretches opened in one round."""
QUIET = 0.2
"""Share of what counts as a change under which a closed stretch is left closed: its words may cancel out."""
SHARE, LEAST = 0.05, 100
"""Runs that are allowed where nobody says: this share of the units, at least so many."""


def allowed(units: int, settings: Mapping[str, Any]) -> int:
    """How many runs may be made."""
    return int(settings["budget"] or 0) or max(LEAST, math.ceil(SHARE * units))


@dataclass
class Stretch:
    """Units side by side, taken away together."""

    units: Sequence[Unit]
    effect: dict[str, Any]
    opened: bool = False

    @property
    def moved(self) -> float:
        """By how many nats it moves the answer, without its sign."""
        return strength(self.effect)


class Finding:
    """A search for the strongest units: what was run, what was opened."""

    def __init__(self, asking: Asking, units: Sequence[Unit]) -> None:
        self.asking, self.units = asking, units
        self._cutter = Cutter(asking.question.passage, units)
        self.wanted = int(asking.settings["find"])
        self.left = allowed(len(units), asking.settings)
        self.alone: dict[int, Outcome] = {}
        self.effects: dict[int, dict[str, Any]] = {}
        self.stretches: list[Stretch] = []
        self.ended = False
        """Nothing that was left closed moves the answer by what would count."""

    def run(self) -> Any:
        """Yield stretches, then what is in those that move the answer most, until none moves it or the runs
        are spent.
        """
        if len(self.units) <= self.left:
            yield from self._measure([[unit] for unit in self.units])
            self.ended = True
            return
        yield from self._measure([[unit] for unit in (yield from self._guessed())])
        yield from self._measure(self._begun())
        while closed := self._closed():
            quiet = self._unexplained(closed[0]) < QUIET * self.asking.settings["nats"]
            if quiet and len(self.alone) >= self.wanted:
                self.ended = True
                return
            opening: list[list[Sequence[Unit]]] = []
            for stretch in closed[:AT_ONCE]:
                parts = self._parts(stretch.units)
                if sum(len(one) for one in opening) + len(parts) > self.left:
                    break
                stretch.opened = True
                opening.append(parts)
            if not opening:
                return
            yield from self._measure([part for parts in opening for part in parts])
        self.ended = True

    def found(self) -> list[Unit]:
        """The strongest of the units that were taken away alone, as many as were asked for."""
        ranked = sorted(self.effects, key=lambda index: (-strength(self.effects[index]), index))
        return [self.units[index] for index in sorted(ranked[: self.wanted])]

    def told(self) -> dict[str, Any]:
        """What was looked at and what was not."""
        closed = self._closed()
        return {
            "wanted": self.wanted,
            "units": len(self.units),
            "alone": len(self.alone),
            "runs": len(self.alone) + len(self.stretches),
            "ended": self.ended,
            "closed_units": sum(unit.index not in self.alone for one in closed for unit in one.units),
            "closed_most": closed[0].effect["effect_log_prob"] if closed else None,
            "stretches": [
                {
                    "start": stretch.units[0].start,
                    "end": stretch.units[-1].end,
                    "first": stretch.units[0].index,
                    "last": stretch.units[-1].index,
                    "opened": stretch.opened,
                    **{
                        name: stretch.effect[name]
                        for name in ("effect_log_prob", "effect_probability", "top")
                    },
                }
                for stretch in sorted(self.stretches, key=lambda s: (s.units[0].index, -len(s.units)))
            ],
        }

    def _guessed(self) -> Any:
        """Yield for the gradient; the units that matter most by it, none where it cannot be had."""
        if inside_of(self.asking.model) is None:
            return []
        target = self.asking.target
        weights = ((target.answer, 1.0), *(() if target.against is None else ((target.against, -1.0),)))
        try:
            (found,) = yield [Gradients(weights, tuple(self.units))]
        except CruxError:  # no gradient, or no room for one: the search does without
            return []
        sizes = [abs(one["times_input"] or 0.0) for one in found]
        ranked = sorted(range(len(self.units)), key=lambda place: -sizes[place])
        return [self.units[place] for place in sorted(ranked[: round(GUESSED * self.left)])]

    def _measure(self, parts: Sequence[Sequence[Unit]]) -> Any:
        parts = [part for part in parts if len(part) > 1 or part[0].index not in self.alone]
        outcomes = yield [self.asking.without(part) for part in parts]
        self.left -= len(parts)
        for part, outcome in zip(parts, outcomes, strict=True):
            effect = self.asking.effect(outcome)
            if len(part) == 1:
                index = part[0].index
                self.alone[index], self.effects[index] = outcome, effect
            else:
                self.stretches.append(Stretch(part, effect))

    def _closed(self) -> list[Stretch]:
        """Stretches not opened yet, those first that move the answer most beyond what is known of their
        units.
        """
        return sorted((s for s in self.stretches if not s.opened), key=lambda s: -self._unexplained(s))

    def _unexplained(self, stretch: Stretch) -> float:
        """How far a stretch moves the answer beyond its units that were taken away alone; what they explain
        may be more than all of it, for an answer that is gone cannot go twice.
        """
        effect = stretch.effect["effect_log_prob"]
        if effect is None:
            return stretch.moved
        alone = [self.effects[unit.index] for unit in stretch.units if unit.index in self.effects]
        known = [one["effect_log_prob"] or 0.0 for one in alone]
        return min(stretch.moved, abs(float(effect) - math.fsum(known)))

    def _begun(self) -> list[Sequence[Unit]]:
        return self._cutter.cut(self.units, min(FIRST, max(2, self.left // 4)))

    def _parts(self, units: Sequence[Unit]) -> list[Sequence[Unit]]:
        return self._cutter.cut(units, PARTS)
