"""Which characters really go when units are deleted from a text.

Where words are parted by spaces, a word takes one of them with it, so that no double space is left behind;
the remaining words are never joined by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from probes.text.segment import LINE_ENDS, SOFT, Segment, Span


def removed(text: str, segments: Sequence[Segment], spans: Sequence[Span]) -> tuple[Span, ...]:
    """The spans cut from `text` when `spans` are deleted: sorted, disjoint, not touching.

    Every run of deleted units goes with the spaces between them and takes one more: the one before, else the
    one after; but none where the words around it would then touch, and never the indent of a line. A run
    that fills its line takes that line's end instead, and blank lines there.
    """
    return _Cutter(text, segments, spans).spans()


def without(text: str, cuts: Sequence[Span]) -> str:
    """`text` without the sorted, disjoint spans `cuts`."""
    edges = [0, *(edge for span in cuts for edge in span), len(text)]
    return "".join(text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True))


class _Cutter:
    """Marks characters to cut, run by run from the left; linear in the length of the text."""

    def __init__(self, text: str, segments: Sequence[Segment], spans: Sequence[Span]) -> None:
        self._text = text
        self._cut = bytearray(len(text))
        self._in_word = bytearray(len(text))
        for segment in segments:
            if segment.is_word:
                self._in_word[segment.start : segment.end] = b"\1" * (segment.end - segment.start)
        for start, end in spans:
            self._mark(start, end)
        for (_, start), (end, _) in pairwise(self.spans()):
            between = text[start:end]
            if between.isspace() and LINE_ENDS.isdisjoint(between):
                self._take_spaces(start, end)
        for start, end in self.spans():
            self._widen(start, end)

    def _mark(self, start: int, end: int) -> None:
        self._cut[start:end] = b"\1" * (end - start)

    def spans(self) -> tuple[Span, ...]:
        """The runs of marked characters."""
        runs = []
        start = self._cut.find(1)
        while start >= 0:
            end = self._cut.find(0, start)
            end = len(self._cut) if end < 0 else end
            runs.append((start, end))
            start = self._cut.find(1, end)
        return tuple(runs)

    def _widen(self, start: int, end: int) -> None:
        """Marks what goes with the run of deleted units from `start` to `end`."""
        text = self._text
        left, right = start, end
        while left > 0 and _is_space(text[left - 1]):
            left -= 1
        while right < len(text) and _is_space(text[right]):
            right += 1
        opens = left == 0 or text[left - 1] in LINE_ENDS
        closes = right == len(text) or text[right] in LINE_ENDS
        if opens and closes:
            self._take_line(left, right)
        elif left < start and not opens:
            self._take_spaces(start - 1, start)
        elif end < right:
            self._take_spaces(end, end + 1)

    def _take_line(self, left: int, right: int) -> None:
        """Marks the line from `left` to `right` and the line ends before it, else those after it."""
        text = self._text
        first, last = left, right
        if left > 0 and not self._cut[left - 1]:
            while first > 0 and text[first - 1].isspace():
                first -= 1
            while text[first] not in LINE_ENDS:
                first += 1
        else:
            while last < len(text) and text[last].isspace():
                last += 1
            while last > right and text[last - 1] not in LINE_ENDS:
                last -= 1
        self._mark(first, last)

    def _take_spaces(self, start: int, end: int) -> None:
        """Marks the spaces from `start` to `end`, unless the words beside the gap would then touch."""
        self._mark(start, end)
        if not (self._parted(end - 1, 1) or self._parted(start, -1)):
            self._cut[start:end] = bytes(end - start)

    def _parted(self, at: int, step: int) -> bool:
        """Whether, going from `at` over what is cut, something that parts words comes before the next word.

        The way to the right is asked first: the next space there is not yet cut, so the scan stops early.
        """
        at += step
        while 0 <= at < len(self._text):
            if not self._cut[at] and (self._in_word[at] or self._text[at] not in SOFT):
                return not self._in_word[at]
            at += step
        return True


def _is_space(char: str) -> bool:
    return char.isspace() and char not in LINE_ENDS
