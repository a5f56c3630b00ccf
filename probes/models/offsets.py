"""Which characters of a text each token carries: what the tokenizer says, held to the tokens' own strings.

A tokenizer that drops, folds or replaces characters may count wrongly from there on: its offsets are shifted,
too wide, or miss a character. So every token's string is compared with the characters it is said to stand
for. Where the two disagree, the tokens' strings are walked through the text instead, character by character;
where that leaves a doubt, nothing is said at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from probes.asking.answers import Ids
from probes.models.spelling import Fold, Said, Spelling, folded, folded_by, letter
from probes.text.passage import Span


@dataclass(frozen=True)
class Carried:
    """What the tokens of a text stand for.

    Attributes:
        spans: of each token, the characters it carries.
        missing: characters inside or between them that no token carries.
    """

    spans: tuple[Span, ...]
    missing: frozenset[int] = frozenset()

    def of(self, span: Span) -> Iterator[Span]:
        """The parts of `span` that tokens carry."""
        start, end = span
        for at in sorted(at for at in self.missing if start <= at < end) if self.missing else ():
            if start < at:
                yield start, at
            start = at + 1
        if start < end:
            yield start, end


class Carriers:
    """Finds the characters of tokens, for one tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._spelling = Spelling(tokenizer)

    def find(self, text: str, ids: Ids, offsets: Sequence[Span]) -> Carried | None:
        """The characters each token carries; None where that cannot be told. Linear in the text.

        Args:
            offsets: as the tokenizer gives them.
        """
        offsets = [self._less_put_on(text, *one) for one in zip(ids, offsets, strict=True)]
        if self._plainly(text, ids, offsets):
            return Carried(tuple(offsets))
        said = list(self._spelling.said(ids, offsets))
        right = self._verified(text, folded_by(folded, said), offsets)
        if right and not self._left_out(text, offsets):
            return Carried(tuple(offsets))
        for fold_text, fold_said in self._spelling.views:
            found = _walked(text, folded_by(fold_said, said), fold_text, len(ids))
            if found is not None:
                return self._spaced(text, ids, *found)
        return Carried(tuple(offsets)) if right else None

    def _less_put_on(self, text: str, token: int, span: Span) -> Span:
        """A space of the tokenizer's own that is a token by itself carries nothing of the word behind it."""
        own, (a, b) = self._spelling.text(token), span
        return (a, a) if own is not None and own.isspace() and text[a:b].strip() else span

    # ---- is the tokenizer right?

    def _plainly(self, text: str, ids: Ids, offsets: Sequence[Span]) -> bool:
        """Whether every token is, letter for letter, the characters it is said to stand for, and all are
        there: the usual case, told apart quickly.
        """
        texts, end = [], 0
        for token, (a, b) in zip(ids, offsets, strict=True):
            if self._spelling.silent(token, (a, b)):
                continue
            own = self._spelling.text(token)
            if own is None or a < end or own.strip() != text[a:b].strip():
                return False
            texts.append(own)
            end = b
        return "".join("".join(texts).split()) == "".join(text.split())

    def _verified(self, text: str, said: Said, offsets: Sequence[Span]) -> bool:
        """Whether each token, or run of tokens that share a character, folds to what its text folds to."""
        own: list[list[str | None]] = [[] for _ in offsets]
        joined = [one == other and one[1] - one[0] == 1 for one, other in pairwise(offsets)]
        for char, first, last in said:
            own[first].append(char)
            joined[first:last] = [True] * (last - first)
        if any(b[0] < a[1] for a, b, shared in zip(offsets, offsets[1:], joined, strict=False) if not shared):
            return False
        begin = 0
        for place in range(len(offsets)):
            if place < len(joined) and joined[place]:
                continue
            chars = [char for one in own[begin : place + 1] for char in one]
            a, b = offsets[begin][0], max(offsets[place][1], offsets[begin][0])
            if not self._agree(chars, text[a:b]):
                return False
            begin = place + 1
        return True

    def _agree(self, said: list[str | None], text: str) -> bool:
        if None in said:
            return len(said) == 1 and any(map(letter, text))
        whole = "".join(char for char in said if char)
        return whole in ("".join(map(folded, text)), "".join(map(folded, self._spelling.normalise(text))))

    def _left_out(self, text: str, offsets: Sequence[Span]) -> bool:
        """Whether characters that are something to the tokenizer lie outside all tokens."""
        end = 0
        for a, b in [*offsets, (len(text), len(text))]:
            if a > end and any(map(self._spelling.read, text[end:a])):
                return True
            end = max(end, b)
        return False

    # ---- spaces

    def _spaced(self, text: str, ids: Ids, spans: list[Span | None], missing: frozenset[int]) -> Carried:
        """The spans with the spaces that the tokens' own texts begin with; tokens without letters between."""
        whole: list[Span] = []
        end = 0
        for token, span in zip(ids, spans, strict=True):
            own = self._spelling.text(token) or ""
            spaces = len(own) - len(own.lstrip())
            start, stop = span or (end, end)
            if span is None:
                while stop < len(text) and stop < end + spaces and text[stop].isspace():
                    stop += 1
            else:
                while start > max(end, span[0] - spaces) and text[start - 1].isspace():
                    start -= 1
            whole.append((start, stop))
            end = max(end, stop)
        return Carried(tuple(whole), missing)


def _walked(text: str, said: Said, fold: Fold, count: int) -> tuple[list[Span | None], frozenset[int]] | None:
    """The tokens' characters found in the text one after the other; what is passed over, no token carries.

    Returns:
        per token its characters, and those of the text that no token carries. None where the text lacks
        something that tokens say, or where the same character is carried here and left out there: then it
        cannot be told which one was left out.
    """
    there = [(char, at) for at, whole in enumerate(text) for char in fold(whole)]
    spans: list[Span | None] = [None] * count
    carried: set[int] = set()
    kept: set[str] = set()
    dropped: set[str] = set()
    untold: list[tuple[int, int]] = []
    place = 0

    def take(tokens: tuple[int, int], begin: int, end: int) -> None:
        for token in range(tokens[0], tokens[1] + 1):
            before = spans[token]
            spans[token] = (before[0] if before else begin, end)

    def leave(until: int) -> None:
        """Characters passed over: those of tokens that do not tell, or of none."""
        gap = there[place:until]
        dropped.update(text[at] for _, at in gap)
        for i, tokens in enumerate(untold):
            own = gap[i : i + 1] if len(gap) == len(untold) else gap
            if own:
                take(tokens, own[0][1], own[-1][1] + 1)
                carried.update(range(own[0][1], own[-1][1] + 1))
        untold.clear()

    for char, first, last in said:
        if char is None:
            untold.append((first, last))
            continue
        found = place
        while found < len(there) and there[found][0] != char:
            found += 1
        if found == len(there):
            return None
        leave(found)
        at = there[found][1]
        take((first, last), at, at + 1)
        carried.add(at)
        kept.add(text[at])
        place = found + 1
    leave(len(there))
    if kept & dropped:
        return None
    return spans, frozenset(at for at, char in enumerate(text) if at not in carried and letter(char))
