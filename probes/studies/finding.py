"""The strongest words of a long passage, coarse to fine: whole stretches are taken away first, and only what
moves the answer is opened.

A stretch that hardly moves the answer when it is gone may still hold words that cancel each other, so what
was not opened is told with how far it moved it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probes.asking.trials import Trial
from probes.models.base import Outcome
from probes.numbers import strength
from probes.studies.base import Asking, Option
from probes.studies.stretches import Cutter
from probes.text.passage import Unit

FIND = Option("find", "integer", None, low=1, high=1000)
BUDGET = Option("budget", "integer", None, low=10, high=100_000)
FIRST = 16
"""Stretches that the whole passage is cut into at first."""
PARTS = 4
"""Parts that a stretch is opened into."""
AT_ONCE = 3
"""Stretches opened in one round."""
SHARE, LEAST = 0.05, 100
"""Runs that are allowed where nobody says: this share of the units, at least so many."""


def allowed(units: int, settings: Mapping[str, Any]) -> int:
    """How many runs may be made."""
    return int(settings["budget"] or 0) or max(LEAST, math.ceil(SHARE * units))


@dataclass
class Stretch:
    """Units side by side, taken away together."""

    units: Sequence[Unit]
    moved: float
    """By how many nats, without its sign."""
    effect: dict[str, Any]
    opened: bool = False


class Finding:
    """A search for the strongest units: what was run, what was opened."""

    def __init__(
        self, asking: Asking, units: Sequence[Unit], trial: Callable[[Sequence[Unit]], Trial]
    ) -> None:
        self.asking, self.units, self.trial = asking, units, trial
        self._cutter = Cutter(asking.question.passage, units)
        self.wanted = int(asking.settings["find"])
        self.left = allowed(len(units), asking.settings)
        self.alone: dict[int, Outcome] = {}
        self.strengths: dict[int, float] = {}
        self.stretches: list[Stretch] = []
        self.ended = False
        """Nothing that was left closed moves the answer more than the last of those found."""

    def run(self) -> Any:
        """Yield stretches, then what is in those that move the answer most, until nothing can be stronger
        than what was found or the runs are spent.
        """
        if len(self.units) <= self.left:
            yield from self._measure([[unit] for unit in self.units])
            self.ended = True
            return
        yield from self._measure(self._begun())
        while closed := self._closed():
            if closed[0].moved <= self._weakest_found():
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
        ranked = sorted(self.strengths, key=lambda index: (-self.strengths[index], index))
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
            "closed_units": sum(len(stretch.units) for stretch in closed),
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

    def _measure(self, parts: Sequence[Sequence[Unit]]) -> Any:
        outcomes = yield [self.trial(part) for part in parts]
        self.left -= len(parts)
        for part, outcome in zip(parts, outcomes, strict=True):
            effect = self.asking.effect(outcome)
            moved = strength(effect)
            if len(part) == 1:
                self.alone[part[0].index], self.strengths[part[0].index] = outcome, moved
            else:
                self.stretches.append(Stretch(part, moved, effect))

    def _closed(self) -> list[Stretch]:
        """Stretches not opened yet, those that move the answer most first."""
        return sorted((s for s in self.stretches if not s.opened), key=lambda s: -s.moved)

    def _weakest_found(self) -> float:
        """How far the last of those wanted moves the answer; nothing does while there are fewer."""
        known = sorted(self.strengths.values(), reverse=True)
        return known[self.wanted - 1] if len(known) >= self.wanted else -1.0

    def _begun(self) -> list[Sequence[Unit]]:
        return self._cutter.cut(self.units, min(FIRST, max(2, self.left // 4)))

    def _parts(self, units: Sequence[Unit]) -> list[Sequence[Unit]]:
        return self._cutter.cut(units, PARTS)
