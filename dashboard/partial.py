"""Effects as they come, while a study is still running."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

from probes.asking.distribution import Distribution
from probes.asking.question import Question
from probes.models.base import Outcome
from probes.studies.effects import Target


class Effects:
    """Takes in each outcome of a run, and notes the effect of those that change one thing.

    `so_far` fills while a study runs: a unit's span, or the one intervention inside the model -> change of
    the target's log-probability (nats), None where the answer is gone altogether. What the store knows
    already is not run, so it is not seen here; nor are trials with answers of their own, among which
    the target is not.
    """

    def __init__(self, question: Question, target: str, so_far: dict[Any, float | None]) -> None:
        self._question, self._target = question, target
        self._clean: Distribution | None = None
        self._waiting: list[tuple[Hashable, Distribution]] = []
        self.so_far = so_far

    def __call__(self, outcome: Outcome) -> None:
        """One more; those that come before the clean run's wait for it."""
        trial = outcome.prepared.trial
        if trial.wording and trial.wording.answers:
            return
        if trial.is_clean:
            self._clean = outcome.answers
        elif len(changes := (*trial.spans, *trial.inside)) == 1:
            self._waiting.append((changes[0], outcome.answers))
        if self._clean is None:
            return
        target = Target.of(self._target, self._question, self._clean)
        before = target.log(self._clean)
        for change, ablated in self._waiting:
            effect = target.log(ablated) - before
            self.so_far[change] = effect if math.isfinite(effect) else None
        self._waiting.clear()
