"""Questions about a story, with their candidates and right answers."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from probes.asking.trials import CLEAN, Trial
from probes.generator.careful_reader import Reader
from probes.generator.clauses import ACTS
from probes.generator.filling import nonce_stem
from probes.generator.lexicon import Tables
from probes.generator.story import ME, UNKNOWN, Story

PROMPTS = {"en": "{passage}\nQuestion: {question}\nAnswer:", "zh": "{passage}\n问题：{question}\n答案："}
"""How the built-in model is asked."""
_PART = re.compile(r"\{(\w+)\}")
MY_NAME = {"en": "I", "zh": "我"}
GIVEN = ("who", "P")
OTHERS = ("count_other", "who")
_MINE = re.compile(r"\b(my|myself)\b")
INVENTED = {
    "q_go": ("{0} to", "{0} into", "{0} at", "{0} by", "{0} up at", "{0}", "{0} inside", "get {0} to"),
    "q_gone": ("{0}ed to", "{0}ed into", "{0}ed at", "{0}ed", "{0}en to", "{0}ed by", "{0} to", "{0} in"),
    "q_went": ("{0}ed to", "{0}ed into", "{0}ed at", "{0}ed", "{0}en to", "was {0}ing at", "{0} to"),
    "q_verb": ("{0}了", "{0}过", "{0}到了", "{0}进了", "{0}到过", "{0}了去"),
}
"""Verbs of questions round an invented word, by the part of a frame that they stand for."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question; labels are "0" to "5" for a count, the name itself for the rest.

    `kind` is "count", "where", "who", or an act ("order", "buy", "eat", "drink"); `candidates` are the labels
    that are compared; `name_end` is the offset in `text` behind the place's name, -1 without one.
    """

    kind: str
    text: str
    language: str
    candidates: tuple[str, ...]
    person: str = ME
    place: str | None = None
    name_end: int = -1

    @property
    def is_count(self) -> bool:
        """Whether the labels are numbers."""
        return self.kind == "count"

    def read(self, reader: Reader) -> str | None:
        """The right answer's label under this reading, None where it is open."""
        if self.kind == "count":
            assert self.place is not None
            count = reader.visits(self.person, self.place)
            return None if count is None else str(count)
        found = reader.done(self.kind) if self.kind in ACTS else self._only(reader)
        return found if found in self.candidates else None

    def _only(self, reader: Reader) -> str | None:
        """The one place I went to, or the one person who went there."""
        story = reader.story
        pairs = (
            [(place, ME, place) for place in story.places]
            if self.kind == "where"
            else [(person, person, self.place) for person in (ME, *story.people)]
        )
        found = None
        for label, person, place in pairs:
            assert place is not None
            count = reader.visits(person, place)
            if count is None or (count and found is not None):
                return None
            if count:
                found = MY_NAME[story.language] if label == ME else label
        return found

    def continuation(self, label: str) -> str:
        """The string by which a model says `label` behind the prompt."""
        if self.kind == "count":
            return Tables(self.language).count_answers[int(label)]
        return f" {label}" if self.language == "en" else label

    def prompt(self, passage: str) -> str:
        """The passage with this question, as the built-in model is asked."""
        return PROMPTS[self.language].format(passage=passage, question=self.text)


def answer(
    story: Story, query: Query, trial: Trial = CLEAN, order: Sequence[int] | None = None
) -> str | None:
    """The right answer's label after `trial` and with the sentences in `order`; None where it is open."""
    return query.read(Reader(story, trial, order))


class _Asker:
    def __init__(self, story: Story, tables: Tables, rng: random.Random, nonce: float):
        self.story, self.tables, self.rng, self.nonce = story, tables, rng, nonce
        self.language = story.language

    def _text(self, name: str, place: str = "", person: str = "") -> tuple[str, int]:
        """A question, and where the place's name ends in it.

        One that speaks of me where others are asked about, or happens to be a held-out one, is drawn anew.
        """
        table = f"question_{name}"
        while True:
            frame = self.tables.frame(table, self.rng)
            asked = _PART.sub(lambda part: part[0] if part[1] in GIVEN else self._part(part[1]), frame)
            unseen = self.tables.splits.frames or asked not in self.tables.held_out_frames(table)
            if unseen and not (name in OTHERS and _MINE.search(asked)):
                break
        given = {"who": person, "P": place}
        text = _PART.sub(lambda part: given[part[1]], asked)
        text = text[0].upper() + text[1:] if frame.startswith("{") else text
        return text, text.rindex(place) + len(place) if place else -1

    def _part(self, name: str) -> str:
        """A part of a question; its verb is at times an invented one, since any verb asks the same there."""
        if name in INVENTED and self.rng.random() < 0.35 * self.nonce:
            return self.rng.choice(INVENTED[name]).format(nonce_stem(self.tables, self.rng))
        if self.tables.has(name):
            return self.tables.word(name, self.rng)
        return _PART.sub(lambda part: self._part(part[1]), self.tables.frame(name, self.rng))

    def count(self, place: str, person: str = ME) -> Query:
        labels = tuple(str(n) for n in range(6))
        name = "count" if person == ME else "count_other"
        text, end = self._text(name, self.story.places.get(place, place), self._named(person))
        return Query("count", text, self.language, labels, person, place, end)

    def _named(self, person: str) -> str:
        """A person as a question names them: "a tourist" has become "the tourist"."""
        if self.language == "en" and person.startswith(("a ", "an ")):
            return "the " + person.partition(" ")[2]
        return person

    def where(self) -> Query:
        text, _ = self._text("where")
        return Query("where", text, self.language, tuple(self.story.places))

    def who(self, place: str) -> Query:
        text, end = self._text("who", self.story.places[place])
        return Query("who", text, self.language, (MY_NAME[self.language], *self.story.people), ME, place, end)

    def act(self, kind: str) -> Query:
        things = {e.thing for e in self.story.events if e.thing}
        return Query(kind, self._text(kind)[0], self.language, tuple(sorted(things)))


def queries(
    story: Story, tables: Tables, rng: random.Random, most: int = 6, *, nonce: float = 0.0, names: int = 2
) -> list[Query]:
    """Questions about `story`: the asked place first, then others, at most `most`.

    `nonce` scales how often a verb is invented; `names` questions at most are no counts.
    """
    ask = _Asker(story, tables, rng, nonce)
    places = list(story.places)
    found = [ask.count(places[0])]
    found += [
        ask.count(place) for place in rng.sample(places[1:], min(len(places) - 1, rng.choice((1, 2, 2, 3))))
    ]
    if rng.random() < 0.2:
        found.append(ask.count(rng.choice([p for p in tables.options("place") if p not in places])))
    others = [
        e for e in story.events if e.kind == "arrival" and ME not in e.people and UNKNOWN not in e.people
    ]
    if others and rng.random() < 0.7:
        event = rng.choice(others)
        assert event.place is not None
        found.append(ask.count(event.place if rng.random() < 0.8 else rng.choice(places), event.people[0]))
    kinds = {e.kind for e in story.events}
    extra = [ask.where(), ask.who(rng.choice(places)), *(ask.act(kind) for kind in ACTS if kind in kinds)]
    if others:
        extra.append(ask.who(rng.choice(others).place or places[0]))
    rng.shuffle(extra)
    reader = Reader(story)
    found += [query for query in extra if query.read(reader) is not None][:names]
    return found[:most]
