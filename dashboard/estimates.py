"""How long a study will take: from its work, at the speed that this kind of study had with this model.

Effort is counted in operations of the model's linear maps, so a longer prompt, more runs and a larger model
each cost what they cost; what is learnt of one study says little about another, which runs other parts of
the prompt anew.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from dashboard.runs import request_of

SPEED = 5e10
"""Operations a second that are expected of any machine before anything was timed on it."""
ENOUGH = 8
"""Runs from which on a study's time says something of other studies: in fewer, what is done once counts for
too much.
"""
NEW = 0.5
"""How much of a speed the newest study decides."""


@dataclass(frozen=True)
class Effort:
    """Runs of one kind of study with one model."""

    kind: tuple[Hashable, ...]
    model: Hashable
    operations: float
    """Of one run."""
    runs: int

    @classmethod
    def of(
        cls,
        study: str,
        model: Hashable,
        options: Mapping[str, Any],
        *,
        operations: float,
        runs: int,
    ) -> Effort:
        """`model` names it; `operations` are those of a run over its clean prompt."""
        ways = [options.get(name) for name in ("mode", "ablate_mode", "site", "cumulative")]
        part = request_of(study, options).part(study)
        return cls((study, *ways, "over" in options), model, operations * part, runs)


class Speeds:
    """Speeds seen so far, of all visitors; threads of all of them call it."""

    def __init__(self) -> None:
        self._speeds: dict[Hashable, dict[Hashable, float]] = {}
        self._telling: set[tuple[Hashable, Hashable]] = set()
        """Model and kind of those that had `ENOUGH` runs."""
        self._lock = threading.Lock()

    def learn(self, work: Effort, seconds: float) -> None:
        """Note that `work` took so long."""
        if work.runs < 1 or seconds <= 0:
            return
        speed = work.operations * work.runs / seconds
        with self._lock:
            kinds = self._speeds.setdefault(work.model, {})
            old = kinds.get(work.kind, speed)
            kinds[work.kind] = old * (speed / old) ** NEW
            if work.runs >= ENOUGH:
                self._telling.add((work.model, work.kind))

    def seconds(self, work: Effort) -> float:
        """How long `work` will take, about."""
        return work.operations * work.runs / self._speed(work)

    def _speed(self, work: Effort) -> float:
        """Of this kind with this model; else the middle one of its other kinds; else what any machine has."""
        with self._lock:
            kinds = self._speeds.get(work.model, {})
            if work.kind in kinds:
                return kinds[work.kind]
            others = [speed for kind, speed in kinds.items() if (work.model, kind) in self._telling]
            return median(others) if others else SPEED
