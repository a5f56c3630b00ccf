"""The passages of the built-in model's card: what is asked, and how many are answered right."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from probes.asking.trials import Mode
from probes.generator.alterations import Alteration, apply, random_alteration
from probes.generator.compose import Composer
from probes.generator.lexicon import HELD_OUT, TRAIN, Splits, Tables
from probes.generator.questions import Query, answer, queries
from probes.generator.story import Story
from probes.intervals import wilson
from probes.training.scoring import Item, Scorer, best

LANGUAGES = ("en", "zh")
BY_HAND = {
    "by hand": "handwritten",
    "free text": "free",
    "unseen text": "unseen",
    "text of strangers": "strangers",
    "text of visitors": "visitors",
    "straightforward text": "straightforward",
    "everyday text": "everyday",
}
"""Files of passages that were written, not generated, by the name of their row."""
Figure = dict[str, Any]


def figure(right: int, of: int) -> Figure:
    """`right` of `of` as a share from 0 to 1 (None of nothing) with its 95 % interval."""
    low, high = wilson(right, of)
    return {"right": right, "of": of, "share": right / of if of else None, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Case:
    """A question as the model gets it, and the right label."""

    item: Item
    right: str


def case(story: Story, query: Query, edit: Alteration | None = None) -> Case | None:
    """`query` about `story` after `edit`; None where the answer is open."""
    edit = edit or Alteration()
    label = answer(story, query, edit.trial, edit.order)
    if label is None:
        return None
    edited = apply(story, edit)
    strings = tuple((name, query.continuation(name)) for name in query.candidates)
    return Case(Item(edited.text, query.text, query.language, strings, edited.hidden), label)


def cases(
    language: str,
    number: int,
    seed: int,
    splits: Splits = TRAIN,
    *,
    mode: Mode | None = None,
    counts: bool = True,
) -> list[Case]:
    """`number` questions about as many passages: the count of the asked place, or one that is no count."""
    composer, tables, rng = Composer(language, seed, splits), Tables(language, splits), random.Random(seed)
    found: list[Case] = []
    while len(found) < number:
        story = composer.story(3)
        asked = queries(story, tables, rng)
        query = (
            asked[0] if counts else next((q for q in asked if not q.is_count and len(q.candidates) > 1), None)
        )
        if query is None:
            continue
        edit = random_alteration(story, rng, rng.choice(("one", "few", "many")), mode) if mode else None
        made = case(story, query, edit)
        if made is not None:
            found.append(made)
    return found


ROWS: dict[str, Callable[[str, int, int], list[Case]]] = {
    "new passages": lambda lang, n, seed: cases(lang, n, seed),
    "words deleted": lambda lang, n, seed: cases(lang, n, seed + 1, mode=Mode.DELETE),
    "words hidden": lambda lang, n, seed: cases(lang, n, seed + 2, mode=Mode.HIDE),
    "words replaced": lambda lang, n, seed: cases(lang, n, seed + 3, mode=Mode.REPLACE),
    "questions that are no counts": lambda lang, n, seed: cases(lang, n, seed + 4, counts=False),
    "held-out frames": lambda lang, n, seed: cases(lang, n, seed + 5, Splits(frames=True)),
    "held-out places": lambda lang, n, seed: cases(lang, n, seed + 6, Splits(places=True)),
    "held-out verbs": lambda lang, n, seed: cases(lang, n, seed + 7, Splits(verbs=True)),
    "everything held out": lambda lang, n, seed: cases(lang, n, seed + 8, HELD_OUT),
}


def accuracy(scorer: Scorer, found: Iterable[Case]) -> tuple[Figure, list[tuple[float, bool]]]:
    """How many are answered right; and each answer's confidence among the candidates."""
    found = list(found)
    sure: list[tuple[float, bool]] = []
    for one, chances in zip(found, scorer.probabilities([c.item for c in found]), strict=True):
        label = best(chances)
        sure.append((chances[label] / max(sum(chances.values()), 1e-30), label == one.right))
    return figure(sum(right for _, right in sure), len(sure)), sure


def calibration_error(sure: list[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error over equal bins of confidence."""
    total = 0.0
    for number in range(bins):
        inside = [
            (c, r) for c, r in sure if number / bins < c <= (number + 1) / bins or (number == 0 and c == 0)
        ]
        if inside:
            total += abs(sum(c for c, _ in inside) - sum(r for _, r in inside))
    return total / max(1, len(sure))
