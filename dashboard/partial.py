"""Effects as they come: a model that tells each outcome while a study is still running."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from probes.answers import Distribution
from probes.models.base import AnswerModel, Outcome, Prepared, Scoring
from probes.passage import Span, Unit
from probes.question import Question
from probes.studies.effects import Target
from probes.trials import Trial


class Watched:
    """An `AnswerModel` that hands everything on to another, and notes the effect of each trial of one change.

    `effects` fills while a study runs: a unit's span, or the one intervention inside the model -> change of
    the target's log-probability (nats), None where the answer is gone altogether. What the store knows
    already is not run, so it is not seen here.
    """

    def __init__(self, model: AnswerModel, question: Question, target: str) -> None:
        self._model, self._question, self._target = model, question, target
        self._clean: Distribution | None = None
        self._waiting: list[tuple[Hashable, Distribution]] = []
        self.effects: dict[Any, float | None] = {}

    def __getattr__(self, name: str) -> Any:
        """Whatever else the model offers: what is seen inside it."""
        return getattr(self._model, name)

    @property
    def arguments(self) -> list[str]:
        return self._model.arguments

    def describe(self, *, examined: bool = True) -> dict[str, Any]:
        return self._model.describe(examined=examined)

    def units(self, question: Question, kind: str) -> tuple[Unit, ...]:
        return self._model.units(question, kind)

    def token_spans(self, question: Question, units: Sequence[Unit]) -> list[tuple[Span, ...]]:
        return self._model.token_spans(question, units)

    def prepare(self, question: Question, trials: Sequence[Trial]) -> list[Prepared]:
        return self._model.prepare(question, trials)

    def outcome(self, question: Question, prepared: Prepared, log_probs: Sequence[float]) -> Outcome:
        return self._model.outcome(question, prepared, log_probs)

    def greedy(self, question: Question, prepared: Prepared) -> str:
        return self._model.greedy(question, prepared)

    def score(self, prepared: Sequence[Prepared]) -> Scoring:
        return _WatchedScoring(self._model.score(prepared), prepared, self)

    def note(self, prepared: Prepared, log_probs: Sequence[float]) -> None:
        """Take in one outcome; those that come before the clean run's wait for it."""
        answers = self._model.outcome(self._question, prepared, log_probs).answers
        if prepared.trial.is_clean:
            self._clean = answers
        elif len(changes := (*prepared.trial.spans, *prepared.trial.inside)) == 1:
            self._waiting.append((changes[0], answers))
        if self._clean is None:
            return
        target = Target.of(self._target, self._question, self._clean)
        before = target.log(self._clean)
        for change, ablated in self._waiting:
            effect = target.log(ablated) - before
            self.effects[change] = effect if math.isfinite(effect) else None
        self._waiting.clear()


class _WatchedScoring:
    def __init__(self, scoring: Scoring, prepared: Sequence[Prepared], watched: Watched) -> None:
        self._scoring, self._prepared, self._watched = scoring, prepared, watched

    def __iter__(self) -> Iterator[tuple[int, tuple[float, ...]]]:
        for index, log_probs in self._scoring:
            self._watched.note(self._prepared[index], log_probs)
            yield index, log_probs

    def report(self) -> dict[str, Any]:
        return self._scoring.report()
