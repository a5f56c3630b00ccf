"""Models that are no neural network: what a model has to be for the studies that only need answers."""

from __future__ import annotations

import random
from collections.abc import Sequence

from probes.asking.distribution import Distribution
from probes.asking.question import Question
from probes.models.elsewhere import Elsewhere


class Counting(Elsewhere):
    """How often a word stands in the passage decides; it tells the probabilities."""

    def __init__(self, word: str = "walked") -> None:
        self.word = word
        self.name = f"counting:{word}"
        self.asked = 0

    def numbers(self, prompt: str, question: Question) -> Sequence[float]:
        self.asked += 1
        count = prompt.split("\n")[0].count(self.word)
        answers = len(question.answers.answers)
        return [0.9 if place == min(count, answers - 1) else 0.06 / (answers - 1) for place in range(answers)]


class Sampling(Counting):
    """The same, but it only says what it answers: what is known is how often, of so many times."""

    def __init__(self, word: str = "walked", samples: int = 40) -> None:
        super().__init__(word)
        self.samples = samples
        self.name = f"sampling:{word}"

    @property
    def identity(self) -> list[str]:
        return [self.name, str(self.samples)]

    def numbers(self, prompt: str, question: Question) -> Sequence[float]:
        told = super().numbers(prompt, question)
        rng = random.Random(prompt)
        drawn = rng.choices(range(len(told) + 1), [*told, 1 - sum(told)], k=self.samples)
        return [drawn.count(place) for place in range(len(told))]

    def distribution(self, question: Question, numbers: Sequence[float]) -> Distribution:
        return Distribution.drawn(question.answers, [int(n) for n in numbers], self.samples)


class FirstTokens(Counting):
    """The same, but it tells its likeliest answer alone: another may have all that is left."""

    def numbers(self, prompt: str, question: Question) -> Sequence[float]:
        told = super().numbers(prompt, question)
        return [share if share == max(told) else 0.0 for share in told]

    def distribution(self, question: Question, numbers: Sequence[float]) -> Distribution:
        left = 1 - sum(numbers)
        return Distribution.bounded(question.answers, [(low, low if low else left) for low in numbers])
