"""What part each word plays for a question: computed from the readings, never set by hand."""

from __future__ import annotations

from enum import StrEnum

from probes.asking.trials import Trial
from probes.generator.careful_reader import Reader
from probes.generator.clauses import ACTS
from probes.generator.questions import MY_NAME, Query, answer
from probes.generator.story import ME, Story, Word
from probes.text.segment import Span


class Role(StrEnum):
    """A word's part in the answer."""

    KEY = "key"
    """Deleting it alone changes the right answer."""
    REDUNDANT = "redundant"
    """It tells of a visit that counts, and so does what is left (came out of; walked in after went to)."""
    DISTRACTOR = "distractor"
    """Part of an event or a mention that counts for nothing here: other places, other people, plans."""
    NOISE = "noise"
    """No part of any event."""
    OPEN = "open"
    """Without it a careful reader could not say: no truth is claimed."""


def roles(story: Story, query: Query) -> dict[Span, Role]:
    """The role of each word (not of punctuation) by its offsets; nothing where the answer is open."""
    base = answer(story, query)
    if base is None:
        return {}
    return {word.span: _role(story, query, word, base) for word in story.words if not word.is_mark}


def _role(story: Story, query: Query, word: Word, base: str) -> Role:
    without = answer(story, query, Trial((word.span,)))
    if without is None:
        return Role.OPEN
    if without != base:
        return Role.KEY
    if word.event is None or word.tag in ("", "T"):
        return Role.NOISE
    return Role.REDUNDANT if _supports(story, query, word, base) else Role.DISTRACTOR


def _supports(story: Story, query: Query, word: Word, base: str) -> bool:
    """Whether the word's event tells of what the answer says."""
    assert word.event is not None
    event = story.events[word.event]
    if event.kind == query.kind:
        return event.thing == base and ME in event.people
    if query.kind in ACTS:
        return False
    place = base if query.kind == "where" else query.place
    person = query.person if query.kind != "who" or base == MY_NAME[query.language] else base
    if place is None or event.place != place or person not in event.people:
        return False
    counted, _ = Reader(story).contributions(person, place)
    if event.kind == "leave":
        return any(number < word.event for number in counted)
    return word.event in counted or event.pair in counted
