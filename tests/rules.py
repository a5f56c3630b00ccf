"""Models that are a rule of the passage's text: what a study must find in them is known."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from probes.asking.answers import AnswerSet
from probes.asking.distribution import Distribution
from probes.asking.question import Question
from probes.models.elsewhere import Elsewhere
from probes.text.passage import Passage

YES, NO = 0, 1
Rule = Callable[[str], float]
"""From the passage to the log-odds of "yes"."""


def asked(text: str, **changes: object) -> Question:
    """A question of yes and no about a passage."""
    return Question(Passage(text), "Is it so?", AnswerSet.parse("yes=yes;no=no"), **changes)  # type: ignore[arg-type]


class Ruled(Elsewhere):
    """Says yes with the log-odds that a rule gives the passage."""

    name = "ruled"

    def __init__(self, rule: Rule) -> None:
        self.rule, self.asked = rule, 0

    def numbers(self, prompt: str, question: Question) -> Sequence[float]:
        self.asked += 1
        passage = prompt.rpartition("\nQuestion:")[0]
        yes = 1 / (1 + math.exp(-self.rule(passage)))
        return [yes, 1 - yes]


class Guessing(Ruled):
    """Answers every passage at random, always the same to the same."""

    name = "guessing"

    def __init__(self, seed: int = 0) -> None:
        super().__init__(lambda passage: random.Random(f"{seed}{passage}").gauss(0.0, 3.0))


class Stubborn(Ruled):
    """Always says yes."""

    name = "stubborn"

    def __init__(self) -> None:
        super().__init__(lambda passage: 4.0)


class Drawing(Ruled):
    """What a rule says, known from so many samples alone."""

    name = "drawing"

    def __init__(self, rule: Rule, samples: int = 40) -> None:
        super().__init__(rule)
        self.samples = samples

    def numbers(self, prompt: str, question: Question) -> Sequence[float]:
        yes = super().numbers(prompt, question)[YES]
        rng = random.Random(prompt)
        drawn = sum(rng.random() < yes for _ in range(self.samples))
        return [drawn, self.samples - drawn]

    def distribution(self, question: Question, numbers: Sequence[float]) -> Distribution:
        return Distribution.drawn(question.answers, [int(n) for n in numbers], self.samples)


def has(*words: str) -> Callable[[str], bool]:
    """Whether a passage has all of these words."""
    return lambda passage: all(word in passage.replace(".", "").replace(",", "").split() for word in words)
