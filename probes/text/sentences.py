"""Where sentences and paragraphs begin and end.

Works on segments, so that the stop inside 3.5, example.com or U.S.A is none: it belongs to a word there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from probes.text.segment import BREAK, SPACES, Segment, Span

BLANK_LINES = regex.compile(rf"{BREAK}(?:{SPACES}*{BREAK})+")
"""What parts paragraphs: at least one line with nothing but spaces."""
_LINE_END = regex.compile(BREAK)
_STOP = regex.compile(r"\p{Sentence_Terminal}")
_ELLIPSIS = regex.compile(r"[…‥⋯]+|\.{2,}")
_CLOSER = regex.compile(r"[\p{Pe}\p{Pf}]+")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Ps}\p{Pi}]")
_LOWER = regex.compile(r"\p{Ll}")
_INITIAL = regex.compile(r"[A-HJ-Z]")
# abbreviations that something always follows; those that end a sentence only where a capital follows
_NEVER_LAST = regex.compile(
    r"mr|mrs|ms|dr|prof|rev|gen|col|capt|lt|sgt|st|mt|messrs|e\.g|i\.e|vs|cf|viz|fig|approx", regex.IGNORECASE
)
_SELDOM_LAST = regex.compile(
    r"etc|inc|ltd|co|corp|jr|sr|dept|est|ave|blvd|al|ph\.d|\p{L}(?:\.\p{L})+", regex.IGNORECASE
)
_NUMBERING = regex.compile(r"\p{Nd}+|\p{L}")


def paragraph_spans(text: str) -> Iterator[Span]:
    """Paragraphs: parted by blank lines, or where the text has none by line ends; outer spaces left out."""
    parting = BLANK_LINES if BLANK_LINES.search(text) else _LINE_END
    start = 0
    for match in parting.finditer(text):
        yield from _trimmed(text, start, match.start())
        start = match.end()
    yield from _trimmed(text, start, len(text))


def sentence_spans(text: str, segments: Sequence[Segment], paragraphs: Sequence[Span]) -> Iterator[Span]:
    """Sentences: no paragraph's end is inside one, each has a word, each word is in one."""
    at = 0
    for start, end in paragraphs:
        while segments[at].start < start:
            at += 1
        stop = at
        while stop < len(segments) and segments[stop].end <= end:
            stop += 1
        yield from _of_paragraph(text, segments[at:stop])
        at = stop


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    part = text[start:end]
    if kept := part.strip():
        start += len(part) - len(part.lstrip())
        yield (start, start + len(kept))


def _of_paragraph(text: str, segments: Sequence[Segment]) -> Iterator[Span]:
    """The sentences of one paragraph; punctuation without a word goes with the sentence beside it."""
    spans: list[Span] = []
    first, words, last_word, at, quotes = 0, 0, -1, 0, 0
    while at < len(segments):
        segment = segments[at]
        if segment.is_word:
            words, last_word = words + 1, at
        elif words and (_STOP.match(segment.text) or _ELLIPSIS.fullmatch(segment.text)):
            after = _after_stop(segments, at, open_quote=quotes % 2 == 1)
            if _ends(segments, segments[last_word].text, words == 1, at, after):
                spans += _trimmed(text, segments[first].start, segments[after - 1].end)
                first, words = after, 0
            quotes += sum(s.text.count('"') for s in segments[at:after])
            at = after
            continue
        quotes += segment.text.count('"')
        at += 1
    if first < len(segments):
        begin, end = segments[first].start, segments[-1].end
        if words:
            spans += _trimmed(text, begin, end)
        elif spans:
            ((_, end),) = _trimmed(text, spans[-1][0], end)
            spans[-1] = (spans[-1][0], end)
    return iter(spans)


def _after_stop(segments: Sequence[Segment], at: int, open_quote: bool) -> int:
    """Where the stop at `at` is over, with further stops and the quotes and brackets that close after it."""
    at += 1
    while at < len(segments) and not segments[at].is_word:
        mark = segments[at].text
        if mark == '"' and open_quote:
            open_quote = False
        elif not (_STOP.match(mark) or _ELLIPSIS.fullmatch(mark) or _CLOSER.fullmatch(mark)):
            break
        at += 1
    return at


def _ends(segments: Sequence[Segment], word: str, only_word: bool, at: int, after: int) -> bool:
    """Whether a sentence ends with the stop (and what closes after it) in `segments[at:after]`.

    `word` is the word before, `only_word` whether it is the only one since the last sentence.
    """
    if after == len(segments):
        return True
    marks = [s.text for s in segments[at:after]]
    stops = [m for m in marks if _STOP.match(m) and not _ELLIPSIS.fullmatch(m)]
    if any(not m.isascii() for m in stops):
        return True
    closed = any(not _STOP.match(m) and not _ELLIPSIS.fullmatch(m) for m in marks)
    spaced = segments[after].text.isspace()
    following = segments[after + 1].text if spaced and after + 1 < len(segments) else segments[after].text
    if not stops or closed:  # an ellipsis, or "Really?" she asked: ends where a new sentence visibly begins
        return spaced and not _LOWER.match(following)
    if marks == ["."]:
        return _full_stop_ends(word, only_word, spaced, following)
    return spaced or _UNSPACED.match(following) is not None or following[:1].isupper()


def _full_stop_ends(word: str, only_word: bool, spaced: bool, following: str) -> bool:
    """Whether the one stop after `word` ends a sentence, or belongs to an abbreviation or a number."""
    if only_word and _NUMBERING.fullmatch(word) and word != "I":
        return False  # 1. First  a. Second
    if _NEVER_LAST.fullmatch(word) or (word.casefold() == "no" and following[:1].isnumeric()):
        return False
    if _INITIAL.fullmatch(word):
        return False  # J. K. Rowling
    visibly_new = following[:1].isupper() or _UNSPACED.match(following) is not None
    if _SELDOM_LAST.fullmatch(word):
        return visibly_new
    return spaced or (visibly_new and len(word) > 1)
