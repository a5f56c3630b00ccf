"""Where Chinese words could as well be cut otherwise: what to offer to a reader who joins and splits by hand.

Two or three neighbouring words are unsure where the same characters fall into as few other words of the
dictionary, with no cut in common: 乒乓球|拍卖|完 and 乒乓球拍|卖完, 小|明天 and 小明|天.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import regex

from probes.text.names import NICKNAME
from probes.text.passage import Passage, Segment, Span
from probes.text.segment import Lexicon, lexicon

MOST = 6
"""Suggestions for one passage."""
_LONGEST = 7
_HAN = regex.compile(r"\p{Han}+")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another way to cut the characters from `start` to `end`."""

    start: int
    end: int
    now: tuple[str, ...]
    instead: tuple[str, ...]


def suggestions(passage: Passage) -> tuple[Suggestion, ...]:
    """The first few places that could be cut otherwise, from the left, none overlapping another."""
    known = lexicon(passage.dictionary)
    found: list[Suggestion] = []
    segments = passage.segments
    by_hand = {edge for join in passage.joins for edge in range(join[0], join[1] + 1)} | set(passage.splits)
    at = 0
    while at < len(segments) and len(found) < MOST:
        step = 1
        for size in (2, 3):
            words = segments[at : at + size]
            if len(words) == size and by_hand.isdisjoint(range(words[0].start, words[-1].end + 1)):
                other = _otherwise(words, known)
                if other:
                    now = tuple(word.text for word in words)
                    found.append(Suggestion(words[0].start, words[-1].end, now, other))
                    step = size
                    break
        at += step
    return tuple(found)


def accepted(passage: Passage, suggestion: Suggestion) -> Passage:
    """The passage with the suggestion's words made by hand."""
    edges = [suggestion.start]
    for word in suggestion.instead:
        edges.append(edges[-1] + len(word))
    inside = range(suggestion.start, suggestion.end)
    kept: list[Span] = [(a, b) for a, b in passage.joins if b <= suggestion.start or suggestion.end <= a]
    return Passage(
        passage.text,
        dictionary=passage.dictionary,
        joins=[*kept, *pairwise(edges)],
        splits=[offset for offset in passage.splits if offset not in inside],
    )


def _otherwise(words: tuple[Segment, ...], known: Lexicon) -> tuple[str, ...] | None:
    """As few words that share no cut with `words` and leave fewer single characters, or part off a name that
    may be one (小明); None where there are none."""
    text = "".join(word.text for word in words)
    if len(text) > _LONGEST or not all(_HAN.fullmatch(word.text) for word in words):
        return None
    start = words[0].start
    cuts = {word.start - start for word in words[1:]}
    singles = _singles([word.text for word in words])
    fitting = (
        parts
        for parts in _partings(text, len(words), cuts)
        if (_singles(parts) < singles or any(map(NICKNAME.fullmatch, parts)))
        and all(len(part) == 1 or known.knows(part) or NICKNAME.fullmatch(part) for part in parts)
    )
    return min(fitting, key=lambda parts: (_singles(parts), len(parts)), default=None)


def _singles(parts: Sequence[str]) -> int:
    return sum(len(part) == 1 for part in parts)


def _partings(text: str, most: int, without: set[int]) -> Iterator[tuple[str, ...]]:
    places = [at for at in range(1, len(text)) if at not in without]
    for count in range(most):
        for inner in combinations(places, count):
            yield tuple(text[a:b] for a, b in pairwise((0, *inner, len(text))))
