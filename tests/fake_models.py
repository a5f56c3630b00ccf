"""Models that are no neural network: what a model has to be for the studies that only need answers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from probes.answers import Distribution, Term
from probes.errors import CapabilityError
from probes.models.base import Outcome, Prepared, Put
from probes.passage import Span, Unit
from probes.question import Question
from probes.rewriting import as_asked, edited
from probes.trials import Mode, Trial


class Counting:
    """Answers only, as a model behind an API would: how often `word` stands in the text decides.

    It has no tokens, hands nothing out, and cannot hide words.
    """

    arguments = ("--model", "counting")

    def __init__(self, word: str = "walked") -> None:
        self.word = word
        self.asked = 0

    def describe(self, *, examined: bool = True) -> dict[str, Any]:
        return {"model": "counting", "kind": "answers"}

    def notes(self, question: Question) -> list[dict[str, Any]]:
        return []

    def units(self, question: Question, kind: str) -> tuple[Unit, ...]:
        return question.passage.units(kind)

    def token_spans(self, question: Question, units: Sequence[Unit]) -> list[tuple[Span, ...]]:
        return [() for _ in units]

    def prepare(self, question: Question, trials: Sequence[Trial]) -> list[Prepared]:
        return [self._prepared(question, trial) for trial in trials]

    def _prepared(self, question: Question, trial: Trial) -> Prepared:
        asked, left = as_asked(question, trial)
        if left.mode is Mode.HIDE and left.spans:
            raise CapabilityError("hide_unsupported", layers=0)
        fillers = left.fillers or ("thing",) * len(left.spans)
        text, removed = edited(asked.passage, left, fillers)
        prompt = f"{text}\n{asked.question}"
        key = ["counting", self.word, prompt]
        return Prepared(trial, prompt, (), Put("plain"), removed=removed, fillers=fillers, key=key)

    def score(self, prepared: Sequence[Prepared], rounds: Any = None) -> Scoring:
        self.asked += len(prepared)
        return Scoring([self._log_probs(one) for one in prepared])

    def _log_probs(self, prepared: Prepared) -> tuple[float, ...]:
        count = prepared.prompt.split("\n")[0].count(self.word)
        return tuple(math.log(0.9 if place == min(count, 2) else 0.03) for place in range(3))

    def outcome(self, question: Question, prepared: Prepared, log_probs: Sequence[float]) -> Outcome:
        answers = question.answers
        terms = tuple(Term(place, answer.name, (), 1) for place, answer in enumerate(answers.answers))
        return Outcome(prepared, Distribution(answers, terms, tuple(log_probs)))

    def precision(self, prepared: Prepared) -> None:
        return None

    def greedy(self, question: Question, prepared: Prepared) -> str:
        return "once"


class Scoring:
    """What was answered, one after the other."""

    def __init__(self, found: list[tuple[float, ...]]) -> None:
        self._found = found

    def __iter__(self) -> Iterator[tuple[int, tuple[float, ...]]]:
        return iter(enumerate(self._found))

    def report(self) -> dict[str, Any]:
        return {"how": "answers", "noise_floor": None}
