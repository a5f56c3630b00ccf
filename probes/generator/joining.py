"""Neighbouring sentences run together, as people do: with a comma, an "and", without the second "I"."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from probes.generator.lexicon import Tables
from probes.generator.story import ME_WORDS, Word

JOINTS = {
    "en": (
        ", and",
        ", and",
        ", and then",
        ", but",
        ", so",
        " and",
        ";",
        ", yet",
        ", then",
        ", but then",
    ),
    "zh": ("，", "，", "，", "，", "；", "，可是", "，然后", "，于是", "，不过"),
}
_MARK = re.compile(r"([,;，；])")
STOPS = {"en": ".", "zh": "。"}
CHANCES = {"en": 0.14, "zh": 0.35}
TIMED = {"en": 0.3, "zh": 0.5}
"""How often a sentence is run together with the one before; one that begins with a time, more often."""
LONGEST = 40
"""Words of a sentence that takes another one in."""
OWN_CLAUSES = ("arrival", "filler", "leave", "carry")
"""Frames (beginnings of their names) after whose "I" the next clause may leave out its own."""
ALONE = ("arrival_diary",)
"""Frames without an "I", which would be somebody else's behind another clause."""


def join(
    sentences: Sequence[list[Word]], kinds: Sequence[str], tables: Tables, rng: random.Random
) -> list[list[Word]]:
    """`sentences`, some run together; `kinds` names the frame of each."""
    joined: list[list[Word]] = []
    before = ""
    for words, kind in zip(sentences, kinds, strict=True):
        chance = (TIMED if words[0].tag == "T" else CHANCES)[tables.language]
        if joined and kind not in ALONE and rng.random() < chance and _takes(joined[-1], tables.language):
            _link(joined[-1], words, before.startswith(OWN_CLAUSES), tables, rng)
            joined[-1].extend(words)
        else:
            joined.append(words)
        before = kind
    return joined


def _takes(sentence: list[Word], language: str) -> bool:
    return sentence[-1].text == STOPS[language] and len(sentence) < LONGEST


def _link(first: list[Word], second: list[Word], own: bool, tables: Tables, rng: random.Random) -> None:
    """Mend the end of `first` and the beginning of `second`."""
    language = tables.language
    first.pop()
    first.extend(Word(text) for text in _MARK.sub(r" \1 ", rng.choice(JOINTS[language])).split())
    me = ME_WORDS[language]
    same = own and first[0].text == second[0].text == me and not second[0].tag and len(second) > 1
    mine = max((place for place, word in enumerate(first) if word.text == me), default=0)
    named = tables.options("others")
    others = any(word.tag == "S" or word.being or word.text.lower() in named for word in first[mine:])
    if same and rng.random() < 0.5 and not others:
        del second[0]
    elif language == "en" and (second[0].tag == "T" or second[0].text in tables.options("lowered")):
        second[0].text = second[0].text[0].lower() + second[0].text[1:]
