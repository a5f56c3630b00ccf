"""Which place a question of the generator's own kind asks about, read off its words."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from probes.generator.lexicon import table

_PART = re.compile(r"\{(\w+)\}")
_PLACE = {"en": r"(?P<place>[\w'’&-]+(?: [\w'’&-]+){0,6}?)", "zh": r"(?P<place>[\w·]{1,12}?)"}
_WORDS = {"en": r"[\w'-]+(?: [\w'-]+)*?", "zh": r"\w+?"}
"""Any of a lexicon's phrases: what stands there does not matter."""
_ENDS = " ?？.。"


@lru_cache(maxsize=64)
def asked_place(question: str, language: str) -> str | None:
    """The place of "how many times did I go to the ...?", in any wording the generator knows; else None.

    Where several readings fit, a place of the lexicon comes first, then the shortest name.
    """
    text = question.strip().rstrip(_ENDS)
    found = {match["place"] for one in _patterns(language) if (match := one.fullmatch(text))}
    known = {name for half in table("lexicon", language)["place"].values() for name in half}
    return min(found, key=lambda name: (name not in known, len(name), name), default=None)


@cache
def _patterns(language: str) -> list[re.Pattern[str]]:
    """One for each way to ask how often I went somewhere."""
    return [
        re.compile(_pattern(frame.rstrip(_ENDS), language), re.IGNORECASE)
        for frame in _options("question_count", language)
    ]


def _options(name: str, language: str) -> list[str]:
    entry = table("frames", language)[name]
    return list(dict.fromkeys(text for half in ("train", "heldout") for text in entry.get(half, ())))


def _pattern(frame: str, language: str) -> str:
    """A frame as a regular expression: its parts as alternatives, the place as a group."""
    pieces = _PART.split(frame)
    return "".join(
        _part(piece, language) if number % 2 else _literal(piece) for number, piece in enumerate(pieces)
    )


def _literal(text: str) -> str:
    """Words as they stand, but any word that points at one place may point at it."""
    before, the, _ = text.rpartition("the ")
    pointed = the and text.endswith(the)
    return re.escape(before) + "(?:the|my|our|this|that) " if pointed else re.escape(text)


def _part(name: str, language: str) -> str:
    if name == "P":
        return _PLACE[language]
    if name not in table("frames", language):
        return _WORDS[language]
    options = {text.rstrip(_ENDS) for text in _options(name, language)}
    longest_first = sorted(options, key=lambda text: (-len(text), text))
    return f"(?:{'|'.join(_pattern(text, language) for text in longest_first)})"
