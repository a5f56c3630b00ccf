"""From a frame to words: slots are filled, marks (word/V) become parts in an event."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from probes.generator.letters import CONSONANTS, MEANINGFUL, SILENT_H, VOWELS, odd_characters
from probes.generator.lexicon import Tables
from probes.generator.story import Event, Story, Word

_CHUNK = re.compile(r"^(.*?)(?:/([A-Z]))?$")
_SLOT = re.compile(r"(\{\w+\})")


@dataclass
class Clause:
    """What is known while one frame is filled."""

    event: int | None = None
    place: str | None = None
    person: str | None = None
    times: int = 1
    split: list[int] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)


class Filling:
    """Fills frames of one story. A slot {name} is written by `_slot_name` where there is one, else from the
    parts of sentences (frames) or words (lexicon) of that name.
    """

    def __init__(self, story: Story, tables: Tables, rng: random.Random, nonce: float = 0.0):
        self.story, self.tables, self.rng, self.nonce = story, tables, rng, nonce
        self.language = tables.language
        self._phrases = 0

    # ---- events

    def event(self, event: Event) -> int:
        """Add `event` to the story; its number there."""
        self.story.events.append(event)
        return len(self.story.events) - 1

    def sentence(self, frame: str, clause: Clause) -> list[Word]:
        """Fill `frame` and add it to the story as a sentence."""
        self._fill(frame, clause)
        if self.language == "en":
            self._mend_english(clause.words)
        self.story.sentences.append(clause.words)
        return clause.words

    @staticmethod
    def _mend_english(words: list[Word]) -> None:
        for number, word in enumerate(words):
            if word.text in ("a", "an") and number + 1 < len(words):
                following = words[number + 1].text.lower()
                word.text = "an" if following[0] in VOWELS or following in SILENT_H else "a"

    # ---- slots

    def _fill(self, template: str, clause: Clause) -> None:
        """Append the words of `template` to the clause."""
        for chunk in template.split():
            match = _CHUNK.match(chunk)
            assert match is not None
            body, mark = match[1], match[2] or ""
            for part in _SLOT.split(body):
                if part.startswith("{"):
                    self._slot(part[1:-1], clause)
                elif part and mark == "N":
                    clause.words.append(Word(part, being=True))
                elif part:
                    phrase = self._phrase(clause) if mark == "T" else None
                    self._word(part, clause, mark, clause.event if mark else None, phrase)

    def _word(
        self, text: str, clause: Clause, tag: str, event: int | None, phrase: int | None = None
    ) -> None:
        clause.words.append(Word(text, tag, event if tag else None, phrase))

    def _phrase(self, clause: Clause) -> int:
        """A new time phrase, or the running one where its first words stand just before."""
        last = clause.words[-1] if clause.words else None
        if last is not None and last.phrase is not None:
            return last.phrase
        self._phrases += 1
        return self._phrases

    def _slot(self, name: str, clause: Clause) -> None:
        special = getattr(self, f"_slot_{name.lower()}", None)
        if special is not None:
            special(clause)
        elif name in self.tables.frames:
            self._fill(self.tables.frame(name, self.rng), clause)
        elif self.tables.has(name):
            self._named(self.tables.word(name, self.rng), clause)
        else:
            raise KeyError(f"no such slot: {{{name}}}")

    def _named(
        self, phrase: str, clause: Clause, tag: str = "", event: int | None = None, *, being: bool = False
    ) -> str:
        """A phrase of the lexicon; `tag` marks its naming word, which is returned. `being`: see Word."""
        head = ""
        chunks = phrase.split()
        starred = any("*" in chunk for chunk in chunks)
        for number, chunk in enumerate(chunks):
            before, star, after = chunk.partition("*")
            if star and before:
                self._fill(before, clause)
                clause.words[-1].being |= being
            name = after if star else chunk
            if "{" in name or "/" in name:
                self._fill(name, clause)
            elif tag and (star or (not starred and number == len(chunks) - 1)):
                self._word(name, clause, tag, event)
                head = name
            else:
                self._word(name, clause, "", None)
        clause.words[-1].being |= being
        return head

    def nonce_word(self) -> str:
        """See :func:`nonce_word`."""
        return nonce_word(self.tables, self.rng)

    def nonce_stem(self) -> str:
        """See :func:`nonce_stem`."""
        return nonce_stem(self.tables, self.rng)


def nonce_word(tables: Tables, rng: random.Random) -> str:
    """A word out of place: one of the everyday words, or syllables and characters that make none."""
    if rng.random() < 0.5:
        return tables.word("cover", rng)
    if tables.language == "en":
        syllables = (rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.randint(1, 3)))
        return "".join(syllables) + rng.choice(["", rng.choice(CONSONANTS)])
    return "".join(rng.choice(odd_characters()) for _ in range(rng.choice((1, 2, 2, 3))))


def nonce_stem(tables: Tables, rng: random.Random) -> str:
    """What an invented verb is made of: a word; in Chinese one character that says nothing of going."""
    while True:
        word = nonce_word(tables, rng)
        if tables.language == "en":
            return word
        if word[0] not in MEANINGFUL:
            return word[0]
