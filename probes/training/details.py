"""Everyday details around a story: sentences and clauses in which nobody goes anywhere.

They were written freely, and say nothing of going, so that any of their words may be missing and no number of
visits changes. They teach that a visit hangs on the words that tell of it, whatever stands around them.
"""

from __future__ import annotations

import random
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from probes.generator.story import ME, Story, Word

HERE = Path(__file__).parent
BETWEEN, AT_END = 0.3, 0.3
"""How often a sentence is put before one of the story, and a clause at the end of one."""
MOST = 7
"""Details of one story."""
_STOPS = ".。"
_COMMA = {"en": ",", "zh": "，"}
_WORDS = {"en": re.compile(r"[\w'’]+|[^\w\s]"), "zh": re.compile(r"[^，。？！、：；]+|[，。？！、：；]")}


@dataclass(frozen=True, slots=True)
class Details:
    """`sentences`; `circumstances`: clauses that may follow any clause; `doings`: what I do on the spot, so
    that they only follow a visit of mine.
    """

    sentences: tuple[str, ...]
    circumstances: tuple[str, ...]
    doings: tuple[str, ...]


@cache
def details(language: str) -> Details:
    """All details of a language."""
    table = tomllib.loads((HERE / f"details_{language}.toml").read_text(encoding="utf-8"))
    return Details(*(tuple(table[name].split("\n")[:-1]) for name in Details.__slots__))


def surround(story: Story, rng: random.Random) -> Story:
    """`story` itself, with up to MOST details put into it; the same words as before tell its events."""
    known, left = details(story.language), MOST
    sentences: list[list[Word]] = []
    for number, sentence in enumerate(story.sentences):
        if left and rng.random() < BETWEEN and not _leans(story, number):
            sentences.append(_words(rng.choice(known.sentences), story.language))
            left -= 1
        if left and rng.random() < AT_END and sentence[-1].text in _STOPS:
            fitting = known.circumstances + (known.doings if _ends_at_a_visit(story, sentence) else ())
            mark = Word(_COMMA[story.language])
            sentence = [*sentence[:-1], mark, *_words(rng.choice(fitting), story.language), sentence[-1]]
            left -= 1
        sentences.append(sentence)
    story.sentences = sentences
    return story.finish()


def _words(text: str, language: str) -> list[Word]:
    return [Word(word) for word in _WORDS[language].findall(text)]


def _leans(story: Story, number: int) -> bool:
    """Whether something in a sentence leans on the one before it: "there", the second half of an event."""
    inside = {word.event for word in story.sentences[number] if word.event is not None}
    phrases = {word.phrase for word in story.sentences[number] if word.phrase is not None}
    before = story.sentences[number - 1] if number else []
    told = any(word.event in inside or word.phrase in phrases for word in before)
    events = [story.events[event] for event in inside]
    return told or any(event.pair is not None or event.antecedent is not None for event in events)


def _ends_at_a_visit(story: Story, sentence: list[Word]) -> bool:
    told = [story.events[word.event] for word in sentence if word.event is not None]
    return bool(told) and told[-1].kind == "arrival" and told[-1].people[:1] == (ME,)
