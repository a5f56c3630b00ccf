"""The passages of a reference set: of the question's own kind, and mixed in what they answer.

A part replaced by its mean over other passages is to lose what *this* passage told it, and nothing else. If
the others all had one answer, the mean would carry that answer in. So, where the question asks how often I
went to a place, they tell of that place, and their right answers are spread evenly over the answers compared:
a matched distribution (Wang et al. 2022, arXiv 2211.00593, section 2.1 and appendix I).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from probes.asking.interventions import Reference
from probes.asking.question import Question, standard_answers
from probes.generator import Composer, asked_place

_SEED = 1_000_003
"""Set apart from the passages that a study is run over."""
_TRIES = 8
"""Passages too long for the window that are passed over for each one asked for, before giving up."""


@dataclass(frozen=True, slots=True)
class PassagePlan:
    """What reference passages are to be like.

    Attributes:
        language: "en" or "zh".
        place: which the question asks about; None where it is no question of this kind, and the passages
            tell of any places.
        counts: by answer, label and the numbers of visits that it stands for; of answers that stand for some.
    """

    language: str
    place: str | None
    counts: tuple[tuple[str, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A reference passage, and the label of its right answer; None where no listed answer is known to be."""

    text: str
    right: str | None


def plan_of(question: Question) -> PassagePlan:
    """What this question's reference passages are to be like."""
    language = question.language if question.language in ("zh", "en") else "en"
    place = asked_place(question.question, language)
    return PassagePlan(language, place, _counts(question, language)) if place else PassagePlan(language, None)


def _counts(question: Question, language: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """By answer the counts that its strings say, as the standard answers do."""
    says = {
        string.casefold(): count
        for count, answer in enumerate(standard_answers("count", language).answers)
        for string in answer.strings
    }
    found = []
    for answer in question.answers.answers:
        strings = (string.strip().casefold() for string in answer.strings)
        counts = {says[string] for string in strings if string in says}
        if counts:
            found.append((answer.label, tuple(sorted(counts))))
    return tuple(found)


def written(
    plan: PassagePlan, reference: Reference, too_long: Callable[[str], bool]
) -> tuple[list[Told], list[str]]:
    """As many passages as asked for, seeded, each answer as often as the others, and those passed over.

    Fewer are found where few are short enough.
    """
    composer = Composer(plan.language, reference.seed + _SEED)
    wanted = _wanted(plan, random.Random(reference.seed))
    found: list[Told] = []
    passed: list[str] = []
    for _ in range(reference.size):
        right, visits = next(wanted)
        for _ in range(_TRIES):
            text = composer.story(place=plan.place, visits=visits).text
            if not too_long(text):
                found.append(Told(text, right))
                break
            passed.append(text)
    return found, passed


def _wanted(plan: PassagePlan, rng: random.Random) -> Iterator[tuple[str | None, int | None]]:
    """Without end (answer, visits): in every round each answer once, in random order.

    Where fewer than two answers are counts, the visits are spread over all that a passage can have.
    """
    if plan.place is None:
        while True:
            yield None, None
    known = {count: label for label, counts in plan.counts for count in counts}
    groups = [counts for _, counts in plan.counts]
    if len(groups) < 2:
        groups = [(count,) for count in range(6)]
    while True:
        for counts in rng.sample(groups, len(groups)):
            visits = rng.choice(counts)
            yield known.get(visits), visits
