"""Passage: a text and its units (words, sentences, paragraphs), as spans of characters.

Nothing is normalised: spans index the text exactly as it was given.
"""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from unicodedata import normalize

import regex

from probes.errors import InputError
from probes.numbers import shortened
from probes.text.characters import whole_number
from probes.text.phrases import occurrences
from probes.text.removal import removed, without
from probes.text.segment import Segment, Span, segment
from probes.text.sentences import paragraph_spans, sentence_spans

__all__ = ["MAX_CHARACTERS", "Passage", "Segment", "Span", "Unit", "equal_groups", "number"]

MAX_CHARACTERS = 200_000

_SEPARATOR = regex.compile(r"(?<!\\)[,，、;；]")
_NUMBER = regex.compile(r"(?<=.)(?<!\\)[#＃](\d+)\Z", regex.DOTALL)
_ALIKE = 100
"""Longer words are not compared letter by letter."""
_ESCAPED = regex.compile(r"\\([\\,，、;；#＃])")
_HAN = regex.compile(r"\p{Han}")


@dataclass(frozen=True, slots=True)
class Unit:
    """Something that can be taken away: a word, sentence, paragraph or token, and where it stands."""

    index: int
    start: int
    end: int
    text: str
    kind: str
    """word, sentence, paragraph or token."""
    occurrence: int
    """Which of the equal units this is, from 1."""
    occurrences: int
    """How many equal units there are."""

    @property
    def span(self) -> Span:
        return (self.start, self.end)


def number(text: str, spans: Iterable[Span], kind: str) -> tuple[Unit, ...]:
    """The units at these spans of `text`, numbered; those equal but for case and composition are the same."""
    found = [(start, end, text[start:end]) for start, end in spans]
    total = Counter(_folded(part) for _, _, part in found)
    seen: Counter[str] = Counter()
    units = []
    for index, (start, end, part) in enumerate(found):
        seen[_folded(part)] += 1
        units.append(Unit(index, start, end, part, kind, seen[_folded(part)], total[_folded(part)]))
    return tuple(units)


def _folded(text: str) -> str:
    return normalize("NFC", text).casefold()


def equal_groups(units: Iterable[Unit]) -> tuple[tuple[Unit, ...], ...]:
    """Equal units together, those that occur at least twice, in order of first occurrence."""
    groups: dict[str, list[Unit]] = {}
    for unit in units:
        if unit.occurrences > 1:
            groups.setdefault(_folded(unit.text), []).append(unit)
    return tuple(map(tuple, groups.values()))


@dataclass(frozen=True, init=False)
class Passage:
    """A text, and how it falls into units.

    `dictionary`: words of the reader's own, for this passage alone; 拿铁 is kept whole, 关键|问题 is cut at
    the bar. `joins` (spans) and `splits` (offsets) are words made by hand.

    Raises:
        InputError: the text is empty, too long or no valid Unicode; a join or split makes no sense.
    """

    text: str
    dictionary: tuple[str, ...]
    joins: tuple[Span, ...]
    splits: tuple[int, ...]
    segments: tuple[Segment, ...] = field(repr=False, compare=False)
    """Words and what stands between them; joined they are the text again."""

    def __init__(
        self,
        text: str,
        *,
        dictionary: Iterable[str] = (),
        joins: Iterable[Span] = (),
        splits: Iterable[int] = (),
    ) -> None:
        if not text.strip():
            raise InputError("passage_empty")
        if len(text) > MAX_CHARACTERS:
            raise InputError("passage_long", characters=len(text), most=MAX_CHARACTERS)
        words = tuple(dict.fromkeys(word.strip() for word in dictionary if word.replace("|", " ").strip()))
        for part in (text, *words):
            if broken := regex.search(r"\p{Cs}", part):
                raise InputError("text_surrogate", code=f"U+{ord(broken.group()):04X}", at=broken.start() + 1)
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "dictionary", words)
        object.__setattr__(self, "joins", tuple(sorted({(start, end) for start, end in joins})))
        object.__setattr__(self, "splits", tuple(sorted(set(splits))))
        object.__setattr__(self, "segments", segment(text, words, self.joins, self.splits))

    @cached_property
    def words(self) -> tuple[Unit, ...]:
        return number(self.text, (s.span for s in self.segments if s.is_word), "word")

    @cached_property
    def sentences(self) -> tuple[Unit, ...]:
        paragraphs = list(paragraph_spans(self.text))
        return number(self.text, sentence_spans(self.text, self.segments, paragraphs), "sentence")

    @cached_property
    def paragraphs(self) -> tuple[Unit, ...]:
        return number(self.text, self._with_words(paragraph_spans(self.text)), "paragraph")

    def _with_words(self, spans: Iterable[Span]) -> Iterator[Span]:
        starts = [word.start for word in self.words]
        for start, end in spans:
            at = bisect_right(starts, start - 1)
            if at < len(starts) and starts[at] < end:
                yield (start, end)

    def units(self, kind: str) -> tuple[Unit, ...]:
        """The units of a kind: word, sentence or paragraph (tokens are a model's, not the passage's)."""
        if kind == "word":
            return self.words
        if kind == "sentence":
            return self.sentences
        if kind == "paragraph":
            return self.paragraphs
        raise InputError("unit_unknown", kind=kind)

    @cached_property
    def language(self) -> str:
        """ "zh" where there are at least as many Han characters as words in other scripts, else "en"."""
        han = len(_HAN.findall(self.text))
        return "zh" if han and han >= sum(not _HAN.search(word.text) for word in self.words) else "en"

    def joined(self, first: int, last: int) -> Passage:
        """This passage with the words number `first` to `last` (from 0, inclusive) made one word."""
        if not 0 <= first < last < len(self.words):
            raise InputError("join_words", first=first, last=last, count=len(self.words) - 1)
        start, end = self.words[first].start, self.words[last].end
        joins = [(a, b) for a, b in self.joins if b <= start or end <= a]
        return self._remade([*joins, (start, end)], [s for s in self.splits if not start < s < end])

    def split_at(self, offset: int) -> Passage:
        """This passage with the word around `offset` ended there."""
        joins: list[Span] = []
        for start, end in self.joins:
            halves = [(start, offset), (offset, end)] if start < offset < end else [(start, end)]
            joins += halves
        within = len(joins) > len(self.joins)
        return self._remade(joins, self.splits if within else [*self.splits, offset])

    def _remade(self, joins: Iterable[Span], splits: Iterable[int]) -> Passage:
        return Passage(self.text, dictionary=self.dictionary, joins=joins, splits=splits)

    def removal(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        """What is really cut from the text when the units at `spans` are deleted: sorted, disjoint spans.

        An English word takes one neighbouring space with it; see `probes.text.removal.removed`.

        Raises:
            InputError: a span is empty or not within the text.
        """
        spans = list(spans)
        for start, end in spans:
            if not 0 <= start < end <= len(self.text):
                raise InputError("span_outside", start=start, end=end, length=len(self.text))
        return removed(self.text, self.segments, spans)

    def without(self, spans: Iterable[Span]) -> str:
        """The text after the units at `spans` are deleted."""
        return without(self.text, self.removal(spans))

    def find(self, wanted: str) -> tuple[Span, ...]:
        """The spans named by a list such as `走进,咖啡店#2`; case does not matter.

        Names are parted by `,` `;` or their full-width forms, `#2` means the second occurrence, none means
        every one. A name is a word; where no word equals it, a phrase; failing that, any part of the text.
        A backslash takes a separator or `#` as it is.

        Raises:
            InputError: a name is not in the text, or has fewer occurrences than asked for.
        """
        spans: set[Span] = set()
        for item in dict.fromkeys(filter(None, map(str.strip, _SEPARATOR.split(wanted)))):
            numbered = _NUMBER.search(item)
            name = _ESCAPED.sub(r"\1", item[: numbered.start()].rstrip() if numbered else item)
            found = self._occurrences(name)
            if not found:
                raise InputError("word_not_found", text=name, nearest=self._nearest(name))
            if numbered is None:
                spans.update(found)
            elif 0 < (asked := whole_number(numbered[1]) or 0) <= len(found):
                spans.add(found[asked - 1])
            else:
                told = asked or shortened(numbered[1])
                raise InputError("occurrence_unknown", text=name, asked=told, count=len(found))
        return tuple(sorted(spans))

    def occurrence(self, span: Span) -> tuple[int, int]:
        """Which of how many equal parts this one is, as `find` counts them: (2, 3) is what `#2` names."""
        found = self._occurrences(self.text[slice(*span)])
        return (found.index(span) + 1, len(found)) if span in found else (1, 1)

    def _occurrences(self, name: str) -> list[Span]:
        words = self._by_text.get(_folded(name))
        if words:
            return words
        found = occurrences(self.text, name)
        edges = {edge for segment in self.segments for edge in segment.span}
        return [(start, end) for start, end in found if start in edges and end in edges] or found

    @cached_property
    def _by_text(self) -> dict[str, list[Span]]:
        table: dict[str, list[Span]] = {}
        for word in self.words:
            table.setdefault(_folded(word.text), []).append(word.span)
        return table

    def _nearest(self, name: str) -> str:
        """A few words of the passage that look like `name`, else its first ones."""
        known = list(dict.fromkeys(word.text for word in self.words))
        short = [word for word in known if len(word) <= _ALIKE] if len(name) <= _ALIKE else []
        close = difflib.get_close_matches(name, short, n=3, cutoff=0.5)
        return " / ".join(close or known[:5])
