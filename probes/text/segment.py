"""Text to segments: words, and the spaces and punctuation between them. Nothing is lost or normalised.

Runs of Han characters are cut by jieba (`rjieba`, with the reader's own words added); everything else by one
pattern: letters and digits with the marks that stand inside a word (don't, well-known, 3.5, 10:30), katakana
by runs, hiragana and the scripts of South-East Asia that write no spaces by character, addresses whole, and
every emoji, however many code points it has, as one symbol. A letter, a digit or a symbol makes a word;
spaces, punctuation and control characters do not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import regex

from probes.errors import InputError
from probes.text.names import name_spans

if TYPE_CHECKING:
    from rjieba import Jieba

Span = tuple[int, int]
"""Half-open character offsets into the passage's text."""

LINE_ENDS = frozenset("\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
BREAK = rf"(?>\r\n|[{''.join(sorted(LINE_ENDS))}])"
"""One end of a line, as a pattern."""
SPACES = rf"[^\S{''.join(sorted(LINE_ENDS))}]"
"""A space that does not end a line, as a pattern."""
SOFT = frozenset("'’ʼ-‐‑·‧_&״׳.．,，:：/%％‰@+~?#!$;=\u00ad\u200b\u200c\u200d\u2060")
"""Marks that may stand inside a word: two words with nothing but these between them might be read as one."""

_URL = r"(?:(?:https?|ftp)://|www\.)[A-Za-z0-9_\-.~:/?#@!$&+,;=%]*[A-Za-z0-9_/=#&%~+\-]"
_EMAIL = r"[A-Za-z0-9_.+\-]{1,64}+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+"
# Flags by hand, two letters each: at every one of a run of them \X looks back to where the run began.
_FLAG = r"\p{Regional_Indicator}{1,2}[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]*"
_EMOJI = rf"{_FLAG}|(?=\p{{Extended_Pictographic}}|[0-9#*]\uFE0F?\u20E3)\X"
_KATAKANA = r"[\p{Katakana}\u30FC\uFF70\uFF9E\uFF9F]"
_UNSPACED = r"[[\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]&&\p{L}]"
_FIRST = rf"[[\p{{L}}\p{{N}}]--\p{{Han}}--{_KATAKANA}--{_UNSPACED}]"
_NEXT = rf"[[\p{{L}}\p{{M}}\p{{N}}\u00ad\u200c\u200d\u2060]--\p{{Han}}--{_KATAKANA}--{_UNSPACED}]"
_INSIDE = (
    r"(?:['’ʼ\-‐‑·‧_&״׳]"  # don't, well-known, col·legi, snake_case, R&D
    r"|[.．](?=[\p{Ll}\p{Nd}])"  # 3.5, example.com; but not "home.Then", a stop without its space
    r"|(?<=(?<![\p{L}\p{M}\p{N}])\p{L})\.(?=\p{L}(?![\p{L}\p{M}]))"  # U.S.A
    r"|(?<=\p{Nd}),(?=\p{Nd}{3}(?!\p{Nd}))"  # 1,000; but not the list 1,2
    r"|(?<=\p{Nd})[:：/](?=\p{Nd}))"  # 10:30, 1/2
)
_AMOUNT = r"(?<=\p{Nd})[%％‰\p{Sc}](?!\p{Nd})"  # 50%, 30€
_SUFFIX = r"(?<=\p{L})(?:\+\+|#)(?![\p{L}\p{N}])"  # C++, C#
_PRICE = r"\p{Sc}(?=\p{Nd})"  # $5
_WORD = rf"(?:{_PRICE})?{_FIRST}{_NEXT}*(?:{_INSIDE}{_NEXT}+)*(?:{_AMOUNT}|{_SUFFIX})?"
_SYMBOL = r"(?![~～|^`´¨])\p{S}"
_PIECES = (
    rf"(?P<han>(?:\p{{Han}}(?!\p{{M}}))+)|\p{{Han}}\p{{M}}+|{_URL}|{_EMAIL}|{_EMOJI}"
    rf"|{_KATAKANA}+\p{{M}}*|(?={_UNSPACED})\X|{_WORD}|{_SYMBOL}\p{{M}}*"
    rf"|{BREAK}+|{SPACES}+|(?P<same>.)(?P=same)*"
)
_OWN = r"(?:(?<![[\p{L}\p{N}]--\p{Han}])(?i:\L<own_words>)(?![[\p{L}\p{M}\p{N}]--\p{Han}]))|"
_HAN = regex.compile(r"\p{Han}+")
_WORDLIKE = regex.compile(rf"[\p{{L}}\p{{N}}\p{{Extended_Pictographic}}]|{_SYMBOL}")
# pronouns, negations, adverbs, prepositions, particles, directions
_FUNCTION = regex.compile(
    "[我你您他她它咱这那哪谁没不别又再也都就才刚还只从在到把被给让向往跟是有的得了着过去来进出回上下里]"
)
# Of a reader's own word, in jieba's counts: that of a common word, so that it wins over rarer neighbours
# (老街 over 街上) but does not tear longer words apart (咖啡 in 咖啡店).
_OWN_FREQUENCY = 100_000


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the passage: one word, or spaces or punctuation between words."""

    start: int
    end: int
    text: str
    is_word: bool

    @property
    def span(self) -> Span:
        return (self.start, self.end)


class Lexicon:
    """Cuts text into segments, a reader's own words included.

    `entries`: 拿铁 is kept whole, 关键|问题 is cut at the bar. Every lexicon owns its jieba, so that one
    passage's words never reach another's.
    """

    def __init__(self, entries: tuple[str, ...] = ()) -> None:
        whole = [entry for entry in entries if "|" not in entry]
        self._cuts = {entry.replace("|", ""): entry.split("|") for entry in entries if "|" in entry}
        self._han = [word for word in whole if _HAN.fullmatch(word)]
        others = [word for word in whole if not _HAN.fullmatch(word)]
        flags = regex.VERSION1 | regex.DOTALL
        self._pattern = (
            regex.compile(_OWN + _PIECES, flags, own_words=others)
            if others
            else regex.compile(_PIECES, flags)
        )

    @cached_property
    def _jieba(self) -> Jieba:
        import rjieba  # not at the top: a tenth of a second, and no English passage needs it

        jieba = rjieba.Jieba()
        for word in self._han:
            jieba.add_word(word, _OWN_FREQUENCY, None)
        return jieba

    def knows(self, word: str) -> bool:
        """Whether a run of Chinese characters is one word, the reader's own included."""
        return bool(self._jieba.has_word(word))

    def pieces(self, text: str) -> Iterator[str]:
        """Words and what stands between them, in order; joined they are `text` again."""
        for match in self._pattern.finditer(text):
            found = self._han_words(match.group()) if match.lastgroup == "han" else [match.group()]
            for piece in found:
                yield from self._cuts.get(piece, (piece,))

    def _han_words(self, run: str) -> Iterator[str]:
        """jieba's words, but a name before a time goes first where it begins a word (not in 工程明早完工)."""
        at, names = 0, name_spans(run)
        starts = set(accumulate(map(len, self._jieba.cut(run)), initial=0)) if names else ()
        for start, end in names:
            if start in starts:
                yield from self._jieba_words(run[at:start])
                yield run[start:end]
                at = end
        yield from self._jieba_words(run[at:])

    def _jieba_words(self, run: str) -> Iterator[str]:
        """One that is new to jieba (a name) may not swallow a function word (我点, 我刚)."""
        for word in self._jieba.cut(run):
            if _FUNCTION.search(word) and len(word) > 1 and not self._jieba.has_word(word):
                yield from self._jieba.cut(word, hmm=False)
            else:
                yield word


@lru_cache(maxsize=16)
def lexicon(entries: tuple[str, ...]) -> Lexicon:
    """The lexicon of these entries; each costs a tenth of a second and half a megabyte, so a few are kept."""
    return Lexicon(entries)


def segment(
    text: str, entries: Sequence[str], joins: Sequence[Span], splits: Iterable[int]
) -> tuple[Segment, ...]:
    """`text` as segments, those made by hand included.

    A join makes one word of exactly its characters, a split ends a word at its offset.

    Raises:
        InputError: a join is out of range, overlaps another, begins or ends with a space, holds no word or
            runs over the end of a line; a split is out of range, between words, or inside a join; either
            tears what a person sees as one character.
    """
    bounds = [0]
    for piece in lexicon(tuple(entries)).pieces(text):
        bounds.append(bounds[-1] + len(piece))
    cuts = set(bounds)
    edges = _Edges(text, bounds)
    inside: set[int] = set()
    for start, end in _checked_joins(text, edges, joins):
        inside.update(range(start + 1, end))
        cuts.update((start, end))
    cuts.update(_checked_splits(text, edges, splits, inside))
    ends = sorted(cuts - inside)
    return tuple(
        Segment(a, b, text[a:b], _WORDLIKE.search(text, a, b) is not None) for a, b in pairwise(ends)
    )


class _Edges:
    """Where a text may be cut by hand: never through what a person sees as one character."""

    def __init__(self, text: str, bounds: list[int]) -> None:
        self._text = text
        self._bounds = bounds
        self._within: dict[int, frozenset[int]] = {}

    def allow(self, offset: int, in_word: bool = False) -> bool:
        """Whether nothing is torn at `offset`, and (`in_word`) no punctuation either."""
        after = bisect_right(self._bounds, offset)
        start = self._bounds[after - 1]
        if start == offset:
            return True
        piece = self._text[start : self._bounds[after]]
        if in_word and not _WORDLIKE.search(piece):
            return False
        if start not in self._within:  # once for each word, however often it is cut
            self._within[start] = frozenset(start + match.end() for match in regex.finditer(r"\X", piece))
        return offset in self._within[start]


def _checked_joins(text: str, edges: _Edges, joins: Sequence[Span]) -> Sequence[Span]:
    """The joins, sorted; see `segment` for what is refused."""
    reached = 0
    for start, end in sorted(joins):
        part = text[max(start, 0) : end]
        fits = reached <= start < end <= len(text) and part.strip() == part and not regex.search(BREAK, part)
        if not fits or not _WORDLIKE.search(part) or not (edges.allow(start) and edges.allow(end)):
            raise InputError("join_impossible", start=start, end=end)
        reached = end
    return sorted(joins)


def _checked_splits(
    text: str, edges: _Edges, splits: Iterable[int], joined: Collection[int]
) -> Iterator[int]:
    """The splits, as they are; `joined` are the offsets inside joins. See `segment` for what is refused."""
    for offset in splits:
        if not 0 < offset < len(text) or offset in joined or not edges.allow(offset, in_word=True):
            raise InputError("split_impossible", offset=offset)
        yield offset
