"""Stories of a few frames, and how often they say that I went to the park."""

from __future__ import annotations

import random

from probes.asking.trials import Mode, Trial
from probes.generator import Query, Splits, Story, answer
from probes.generator.clauses import Clauses
from probes.generator.filling import Clause
from probes.generator.lexicon import Tables
from probes.generator.story import ME, Event


def told(language: str, *sentences: tuple[str, Event | None]) -> Story:
    """A story of frames without open slots but {P}, each with its event."""
    story = Story(language, places={"park": "park"} if language == "en" else {"park": "公园"})
    clauses = writer(story)
    for frame, event in sentences:
        clause = Clause(place="park")
        if event is not None:
            clause.event, clause.person, clause.times = clauses.event(event), event.people[0], event.times
        clauses.sentence(frame, clause)
    return story.finish()


def writer(story: Story) -> Clauses:
    """What writes the clauses of `story` from training's frames and words."""
    return Clauses(story, Tables(story.language, Splits()), random.Random(0))


def visits(language: str, person: str = ME) -> Query:
    """The question how often `person` went to the park."""
    return Query("count", "?", language, tuple("012345"), person, "park", 1)


def count(
    story: Story, *gone: str, mode: Mode = Mode.DELETE, order: tuple[int, ...] | None = None
) -> str | None:
    """The count of my visits to the park with the words `gone` (first occurrences) taken away."""
    spans = tuple(sorted((story.text.index(word), story.text.index(word) + len(word)) for word in gone))
    return answer(story, visits(story.language), Trial(spans, mode), order)


def arrival(**about: object) -> Event:
    return Event("arrival", place="park", **about)  # type: ignore[arg-type]
