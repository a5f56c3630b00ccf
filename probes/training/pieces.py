"""Short pieces of free telling, each with its number of visits, and most with the words that tell of them."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
MOST = 5
"""Visits to a place that a passage tells of at most."""
MARKS = ("¹²³⁴⁵", "₁₂₃₄₅")
"""Behind the word that tells of one, ... five visits to {A}, and to {B}."""
_LINE = re.compile(r"(\d)(?: (\d))?([+!]?) \| (\S.*)")
_MARK = re.compile(f"[{''.join(MARKS)}]")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some sentences: `counts` of my visits to {A}, and to {B} where there are two places. `goes_on`: it
    stands behind another piece on the same place, and does not name it. `whole`: no other visit may stand
    beside it. `marked`: the sentences with their marks, all or none.
    """

    counts: tuple[int, ...]
    marked: str
    goes_on: bool = False
    whole: bool = False

    @property
    def text(self) -> str:
        """The sentences without marks."""
        return _MARK.sub("", self.marked)

    @property
    def told(self) -> bool:
        """Whether every visit has its mark."""
        return _sums(self.marked, len(self.counts)) == self.counts


def split(marked: str) -> tuple[str, list[tuple[int, int, int]]]:
    """The text without its marks, and for each of these the offset of the character it stands behind, the
    number of the place, from 0, and the visits it tells of.
    """
    found = [
        (at.start() - number - 1, place, marks.index(at[0]) + 1)
        for number, at in enumerate(_MARK.finditer(marked))
        for place, marks in enumerate(MARKS)
        if at[0] in marks
    ]
    return _MARK.sub("", marked), found


def _sums(marked: str, places: int) -> tuple[int, ...]:
    sums = [0] * len(MARKS)
    for _, place, visits in split(marked)[1]:
        sums[place] += visits
    return tuple(sums[:places])


def piece(line: str) -> Piece:
    """A line of the file, as the head of told_en.toml explains it.

    Raises:
        ValueError: it has another form, or its places or marks do not fit its numbers.
    """
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"not a number, a bar and a text: {line!r}")
    first, second, mark, text = found.groups()
    counts = (int(first),) if second is None else (int(first), int(second))
    slots = [slot in text for slot in ("{A}", "{B}")]
    wanted = [mark != "+", second is not None]
    if slots != wanted or re.sub(r"\{[AB]\}", "", text).count("{") or max(counts) > MOST:
        raise ValueError(f"the places or numbers do not fit: {line!r}")
    made = Piece(counts, text, mark == "+", mark == "!")
    if made.text != text and (_sums(text, 2) != (*counts, 0)[:2]):
        raise ValueError(f"the marks do not sum up to the numbers: {line!r}")
    return made


@cache
def pieces(language: str) -> tuple[Piece, ...]:
    """All pieces of a language."""
    return tuple(piece(line) for line in _table(language)["pieces"].splitlines() if line)


@cache
def _table(language: str) -> dict[str, str]:
    return tomllib.loads((HERE / f"told_{language}.toml").read_text(encoding="utf-8"))


@cache
def places(language: str) -> tuple[str, ...]:
    """Names of places besides the lexicon's."""
    return tuple(_table(language)["places"].replace("\n", ";").strip(";").split(";"))


@cache
def common_words(times: int = 3) -> tuple[str, ...]:
    """English words that stand in at least so many pieces, and those of places' names."""
    seen = Counter(
        word for one in pieces("en") for word in set(re.findall(r"[A-Za-z]+(?:['’][a-z]+)?", one.text))
    )
    named = {word for name in places("en") for word in name.split()}
    return tuple(sorted(named | {word for word, found in seen.items() if found >= times}))
