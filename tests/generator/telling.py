"""Stories of a few frames, and how often they say that I went to the park."""

from __future__ import annotations

import random

from probes.generator import Query, Splits, Story, answer
from probes.generator.clauses import Clauses
from probes.generator.filling import Clause
from probes.generator.lexicon import Tables
from probes.generator.story import ME, Event
from probes.trials import Mode, Trial


def told(language: str, *sentences: tuple[str, Event | None]) -> Story:
    """A story of frames without open slots but {P}, each with its event."""
    story = Story(language, places={"park": "park"} if language == "en" else {"park": "公园"})
    clauses = Clauses(story, Tables(language, Splits()), random.Random(0))
    for frame, event in sentences:
        number = None
        if event is not None:
            number = clauses.event(event)
        clause = Clause(event=number, place="park", person=event and next(iter(event.people)))
        clause.times = event.times if event is not None else 1
        clauses.sentence(frame, clause)
    return story.finish()


def count(
    story: Story, *gone: str, mode: Mode = Mode.DELETE, order: tuple[int, ...] | None = None
) -> str | None:
    """The count of my visits to the park with the words `gone` (first occurrences) taken away."""
    spans = tuple(sorted((story.text.index(word), story.text.index(word) + len(word)) for word in gone))
    query = Query("count", "?", story.language, tuple("012345"), ME, "park", 1)
    return answer(story, query, Trial(spans, mode), order)


def arrival(**about: object) -> Event:
    return Event("arrival", place="park", **about)  # type: ignore[arg-type]
