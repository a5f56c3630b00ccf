"""What a model that only answers has in common with others of its kind: it is sent a text, and gives answers.

A subclass says what it is called and answers prompts; see `Elsewhere`.
"""

from __future__ import annotations

import hashlib
import inspect
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from probes.asking.distribution import Distribution
from probes.asking.question import Question
from probes.asking.rewriting import as_asked, edited
from probes.asking.trials import Mode, Trial
from probes.errors import CapabilityError
from probes.models import prompting
from probes.models.base import Outcome, Prepared, Put
from probes.models.fillers import NEUTRAL
from probes.text.passage import Span, Unit


class Elsewhere(ABC):
    """Answers only, see `probes.models.base.AnswerModel`: no tokens, no heads; it cannot hide words.

    Attributes:
        name: what it is called, as `load_model` takes it.
    """

    name: str

    @abstractmethod
    def numbers(self, prompt: str, question: Question) -> Sequence[float]:
        """What the model says to one prompt, as numbers: they are kept, and looked up where the same is asked
        again. By default each answer's probability; `distribution` says what they are.
        """

    def distribution(self, question: Question, numbers: Sequence[float]) -> Distribution:
        """The numbers as answers: told exactly, drawn in samples, bounded by first tokens."""
        return Distribution.told(question.answers, numbers)

    @property
    def identity(self) -> list[str]:
        """All that decides its numbers beside the prompt and its own code."""
        return [self.name]

    @property
    def arguments(self) -> list[str]:
        return ["--model", self.name]

    def describe(self, *, examined: bool = True) -> dict[str, Any]:
        return {"model": self.name, "kind": "answers"}

    def notes(self, question: Question) -> list[dict[str, Any]]:
        return []

    def operations(self, question: Question) -> float:
        return 1.0

    def units(self, question: Question, kind: str) -> tuple[Unit, ...]:
        if kind == "token":
            raise CapabilityError("tokens_closed")
        return question.passage.units(kind)

    def token_spans(self, question: Question, units: Sequence[Unit]) -> list[tuple[Span, ...]]:
        return [() for _ in units]

    def prepare(self, question: Question, trials: Sequence[Trial]) -> list[Prepared]:
        return [self._prepared(question, trial) for trial in trials]

    def _prepared(self, question: Question, trial: Trial) -> Prepared:
        asked, left = as_asked(question, trial)
        if trial.inside:
            raise CapabilityError("inside_closed")
        if left.mode is Mode.HIDE and left.spans:
            raise CapabilityError("hide_closed")
        fillers = left.fillers or (NEUTRAL[prompting.language_of(asked)][0],) * len(left.spans)
        text, removed = edited(asked.passage, left, fillers)
        prompt = prompting.plain_prompt(asked, text)
        return Prepared(
            trial,
            prompt,
            (),
            Put("plain", asked.instruction, asked.answer_prefix),
            removed=removed,
            fillers=fillers if left.mode is Mode.REPLACE else (),
            key=[_written(type(self)), self.identity, prompt, asked.answers.as_text()],
            work=asked,
        )

    def score(self, prepared: Sequence[Prepared], rounds: dict[str, Any] | None = None) -> OneByOne:
        return OneByOne(self, prepared)

    def outcome(self, question: Question, prepared: Prepared, numbers: Sequence[float]) -> Outcome:
        return Outcome(prepared, self.distribution(prepared.work, numbers))

    def precision(self, prepared: Prepared) -> dict[str, Any] | None:
        return None

    def greedy(self, question: Question, prepared: Prepared) -> str | None:
        return None


@cache
def _written(kind: type[Elsewhere]) -> str:
    """Of the code of a kind of model, so that numbers kept of an earlier draft are not taken for its own."""
    found = hashlib.sha256()
    for one in kind.__mro__[: kind.__mro__.index(Elsewhere)]:
        found.update(one.__qualname__.encode())
        try:
            found.update(Path(inspect.getfile(one)).read_bytes())
        except (OSError, TypeError):  # written into a console
            continue
    return found.hexdigest()


class OneByOne:
    """Prompts sent one after the other; see `probes.models.base.Scoring`."""

    def __init__(self, model: Elsewhere, prepared: Sequence[Prepared]) -> None:
        self._model, self._prepared = model, prepared
        self._sent, self._seconds, self._cpu = 0, 0.0, 0.0

    def __iter__(self) -> Iterator[tuple[int, tuple[float, ...]]]:
        for index, one in enumerate(self._prepared):
            wall, cpu = time.perf_counter(), time.process_time()
            numbers = tuple(self._model.numbers(one.prompt, one.work))
            self._sent += 1
            self._seconds += time.perf_counter() - wall
            self._cpu += time.process_time() - cpu
            yield index, numbers

    def report(self) -> dict[str, Any]:
        return {
            "how": "answers",
            "why": None,
            "forwards": self._sent,
            "tokens_run": 0,
            "tokens_plain": 0,
            "checks": [],
            "noise_floor": None,
            "seconds": self._seconds,
            "cpu_seconds": self._cpu,
        }
