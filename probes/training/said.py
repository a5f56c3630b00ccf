"""A piece of free telling as it stands in a passage: with names, some other words, details in between, and
what is known of its insides.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from probes.generator.lexicon import Tables
from probes.training.details import details
from probes.training.pieces import Piece, pieces, split

SWAPPED = 0.25
"""How often a word of a table that says nothing of going is replaced by another one of it."""
BETWEEN = 0.08
"""How often an everyday detail is put behind a sentence that is not the last."""
TOLD_ANEW = 0.35
"""How often the words that say how I went to {A} are replaced by those of another piece."""
CUT = 0.35
"""How often a piece that may be cut ends early, behind a sentence that tells of a visit."""
_BEGINS = r"(?:^|(?<=[.!?] )|(?<=[.!?] [\"“(])|(?<=^[\"“]))"
"""Where an English sentence begins."""
_ENDS = {
    "en": re.compile(r"(?<!\b[A-Z])(?<!\bM[rs])(?<!\b(?:Mrs|a\.m|p\.m))[.!?]+[”\"’')]*(?= |$)"),
    "zh": re.compile(r"[。！？]+[”」’）]*"),
}
_WENT = {
    "en": re.compile(r"\b(?P<who>I|[Ww]e) (?P<how>(?:[\w’'-]+ ){1,5})(?={A}¹)"),
    "zh": re.compile(r"(?P<who>我们?)(?P<how>[^\W\d我们才是的怎只]{1,6})(?={A}¹)"),
}
"""What stands between me and a place where I am marked to have gone once."""
_LEANS = re.compile(r"(?<!\band)(?<!\bbut)(?<!\bso)(?<!\bthen)[\w’'] $")
"""What a clause leans on whose verb may want no object ("the man I met in {A}")."""
_TABLES = ("noun", "adj", "feel", "drink", "food")


@dataclass(frozen=True, slots=True)
class Said:
    """`visits` of mine to each place that a text speaks of. `known`: for some of its characters, the last of
    a word or a sentence, how many visits that word or sentence tells of; `running`: for some, my visits so
    far to the place.
    """

    text: str
    visits: dict[str, int]
    known: tuple[tuple[int, int], ...] = ()
    running: tuple[tuple[int, str, int], ...] = ()


class Filler:
    """What fills pieces of one language."""

    def __init__(self, language: str, tables: Tables):
        self.language = language
        self._swap = _swapper(tables)
        self._details = details(language).sentences
        self._ways = _ways(language)

    def __call__(self, piece: Piece, names: list[str], rng: random.Random) -> Said:
        """`piece` with `names` for its places."""
        text = _WENT[self.language].sub(lambda found: self._anew(found, rng), piece.marked)
        text = self._swap(text, rng)
        if piece.told:
            text = self._surrounded(text, rng)
        for slot, name in zip(("{A}", "{B}"), names, strict=False):
            if self.language == "en":
                text = re.sub(_BEGINS + re.escape(slot), f"The {name}", text)
            text = text.replace(slot, name if self.language == "zh" else f"the {name}")
        visits = dict(zip(names, piece.counts, strict=True))
        plain, marks = split(text)
        if not piece.told:
            if len(names) > 1:
                return Said(plain, visits)
            end, count = len(plain) - 1, piece.counts[0]
            alone = len(list(self._sentences(plain))) == 1
            return Said(plain, visits, ((end, count),) if alone else (), ((end, names[0], count),))
        return Said(plain, visits, *self._inside(plain, marks, names))

    def cut(self, piece: Piece, rng: random.Random) -> Piece:
        """The beginning of `piece`, up to a sentence with a mark. No later one takes back what is marked, but
        one without a mark may take back what the sentence before it seemed to tell.
        """
        if not piece.told or len(piece.counts) > 1:
            return piece
        ends = [at.end() for at in _ENDS[self.language].finditer(piece.marked)]
        may = [
            end
            for start, end in zip([0, *ends], ends[:-1], strict=False)
            if split(piece.marked[start:end])[1] and (piece.goes_on or "{A}" in piece.marked[:end])
        ]
        if not may or rng.random() >= CUT:
            return piece
        begun = piece.marked[: rng.choice(may)]
        return replace(piece, marked=begun, counts=(sum(n for *_, n in split(begun)[1]),))

    def _anew(self, found: re.Match[str], rng: random.Random) -> str:
        """My going to a place, told as another piece tells of mine, or of ours."""
        if rng.random() >= TOLD_ANEW:
            return found[0]
        gap = " " if self.language == "en" else ""
        return found["who"] + gap + rng.choice(self._ways[found["who"].casefold()])

    def _surrounded(self, marked: str, rng: random.Random) -> str:
        """The text with details between its sentences."""
        gap = "" if self.language == "zh" else " "

        def behind(end: re.Match[str]) -> str:
            if end.end() == len(marked) or rng.random() >= BETWEEN:
                return end[0]
            return end[0] + gap + rng.choice(self._details)

        return _ENDS[self.language].sub(behind, marked)

    def _inside(
        self, text: str, marks: list[tuple[int, int, int]], names: list[str]
    ) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, str, int], ...]]:
        """`known` and `running` of a text of whose visits every one is marked."""
        known = [(at, visits) for at, _, visits in marks]
        so_far, running = dict.fromkeys(names, 0), []
        for at, place, visits in marks:
            so_far[names[place]] += visits
            running.append((at, names[place], so_far[names[place]]))
        if len(names) == 1:
            for start, end in self._sentences(text):
                inside = sum(n for at, _, n in marks if start <= at < end)
                known.append((end - 1, inside))
                running.append((end - 1, names[0], sum(n for at, _, n in marks if at < end)))
                if not inside:
                    known += [
                        (at.end() - 1, 0) for at in re.compile(re.escape(names[0])).finditer(text, start, end)
                    ]
        return tuple(known), tuple(sorted(running))

    def _sentences(self, text: str) -> Iterator[tuple[int, int]]:
        start = 0
        for at in _ENDS[self.language].finditer(text):
            yield start, at.end()
            start = at.end()
        if start < len(text):
            yield start, len(text)


@cache
def _ways(language: str) -> dict[str, list[str]]:
    """The ways in which pieces tell of one visit to a place that is named, mine and ours, once each."""
    found: dict[str, set[str]] = {}
    for piece in pieces(language):
        for one in _WENT[language].finditer(piece.marked):
            if _LEANS.search(piece.marked[: one.start()]):
                continue
            found.setdefault(one["who"].casefold(), set()).add(one["how"])
    return {who: sorted(ways) for who, ways in found.items()}


def _swapper(tables: Tables) -> Callable[[str, random.Random], str]:
    """What replaces some words of a text by others of the same table of the lexicon."""
    groups = [
        [w for w in tables.options(name) if re.fullmatch(r"[a-z]{3,}|[\u4e00-\u9fff]{2,}", w)]
        for name in _TABLES
    ]
    group_of = {word: group for group in groups for word in group}
    either = "|".join(sorted(group_of, key=lambda word: (-len(word), word)))
    pattern = re.compile(rf"\b(?:{either})\b" if tables.language == "en" else either)

    def swap(text: str, rng: random.Random) -> str:
        return pattern.sub(
            lambda found: rng.choice(group_of[found[0]]) if rng.random() < SWAPPED else found[0], text
        )

    return swap
