"""A passage as words that know their part in an event, and the text they make."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from probes.generator.lexicon import table

ME = "I"
"""The person who tells the passage, whatever the language."""
UNKNOWN = "?"
"""Somebody whom a pronoun leaves open."""
PUNCTUATION = frozenset(".,?!:;，。？！：；、")
ME_WORDS = {"en": "I", "zh": "我"}
WE = ("we", "us", "我们")
"""I among others who are not named."""


@dataclass(slots=True)
class Word:
    """One word or mark; `tag` is its part in event `event` (the letters are explained in frames_en.toml).

    `phrase` numbers the words that must stand together to tell a new time. `being`: it names somebody or
    something that a clause can be about. `start` and `end` are character
    offsets into the story's text, `sentence` its sentence.
    """

    text: str
    tag: str = ""
    event: int | None = None
    phrase: int | None = None
    being: bool = False
    start: int = 0
    end: int = 0
    sentence: int = 0

    @property
    def span(self) -> tuple[int, int]:
        """Character offsets, the end not included."""
        return self.start, self.end

    @property
    def is_mark(self) -> bool:
        """Whether it is punctuation."""
        return self.text in PUNCTUATION


@dataclass(slots=True)
class Event:
    """What a clause tells.

    `kind`: "arrival", "blocked" (an arrival that is denied, wished, planned), "mention", "leave", or an act
    that can be asked for ("order", "buy", "eat", "drink"). `bare`: an arrival once its blockers are gone.
    `mates`: people said to be along ("with Anna"), whose own visit is left open.
    `pair`: the event that this one carries on (went to X - walked into X). `antecedent`: the event whose
    place "there" points to. `owner`: the event of the clause an act stands in, whose subject does the act.
    """

    kind: str
    people: tuple[str, ...] = (ME,)
    place: str | None = None
    times: int = 1
    bare: bool = False
    pair: int | None = None
    antecedent: int | None = None
    owner: int | None = None
    thing: str = ""
    mates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """The "I" of an event, and those named before it in its sentence: I too, or somebody or something else
    that the clause could be about without it.
    """

    word: Word
    before: tuple[Word, ...]


@dataclass
class Story:
    """Sentences of words, the events they tell, and the text.

    `places` and `people` map an identity to the words that name it in the text.
    """

    language: str
    events: list[Event] = field(default_factory=list)
    sentences: list[list[Word]] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    text: str = ""
    parts: dict[int, dict[str, list[Word]]] = field(default_factory=dict)
    phrases: dict[int, list[Word]] = field(default_factory=dict)
    subjects: dict[int, Subject] = field(default_factory=dict)

    def finish(self) -> Story:
        """Write the text, and the offsets into it."""
        out: list[str] = []
        position = 0
        for number, sentence in enumerate(self.sentences):
            for place, word in enumerate(sentence):
                text = word.text
                if self.language == "en":
                    if place == 0:
                        text = text[0].upper() + text[1:]
                    if out and not word.is_mark:
                        out.append(" ")
                        position += 1
                word.text, word.sentence = text, number
                word.start, word.end = position, position + len(text)
                out.append(text)
                position = word.end
        self.text = "".join(out)
        self._index()
        return self

    def _index(self) -> None:
        parts: dict[int, dict[str, list[Word]]] = {i: defaultdict(list) for i in range(len(self.events))}
        phrases: dict[int, list[Word]] = defaultdict(list)
        for word in self.words:
            if word.event is not None:
                parts[word.event][word.tag].append(word)
            if word.phrase is not None:
                phrases[word.phrase].append(word)
        self.parts, self.phrases = parts, dict(phrases)
        found = {number: self._subject(number) for number in parts}
        self.subjects = {number: subject for number, subject in found.items() if subject is not None}

    def _subject(self, number: int) -> Subject | None:
        """The last "I" before the verb in its sentence; None where there is none, or another stands beside it
        (a tag says so).
        """
        verb = self.parts[number].get("V")
        if not verb or ME not in self.events[number].people or "M" in self.parts[number]:
            return None
        me, others = ME_WORDS[self.language], table("lexicon", self.language)["others"]["train"]
        sentence = self.sentences[verb[0].sentence]
        named = []
        for word, after in pairwise(sentence[: sentence.index(verb[0]) + 1]):
            own = word.text == me and not word.tag and after.text != "的"
            if own or word.being or word.text.lower() in others:
                named.append(word)
        mine = [place for place, word in enumerate(named) if word.text == me and not word.being]
        if not mine:
            return None
        return Subject(named[mine[-1]], tuple(named[: mine[-1]]))

    @property
    def words(self) -> list[Word]:
        """All words and marks in the order of the text."""
        return [word for sentence in self.sentences for word in sentence]

    def sentence_spans(self) -> list[tuple[int, int]]:
        """Each sentence's offsets, without the space behind it."""
        return [(s[0].start, s[-1].end) for s in self.sentences]

    def reordered(self, order: tuple[int, ...]) -> str:
        """The text with its sentences in another order."""
        spans = self.sentence_spans()
        return (" " if self.language == "en" else "").join(self.text[slice(*spans[i])] for i in order)
