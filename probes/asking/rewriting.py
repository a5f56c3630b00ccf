"""The one place where a trial becomes a text: which passage is asked about, how, and what is gone from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from probes.asking.interventions import Ablation, Cut, Intervention
from probes.asking.question import Question
from probes.asking.trials import Mode, Pieces, Trial
from probes.errors import InputError
from probes.text.passage import Passage
from probes.text.removal import without
from probes.text.segment import Span

Move = Callable[[Sequence[Span]], tuple[Span, ...]]
"""From characters of the passage as it stands to those of the rewritten one."""


def as_asked(question: Question, trial: Trial) -> tuple[Question, Trial]:
    """The question with the trial's own passage and wording, and what of the trial is left to do on it.

    Both are returned as they are where the trial rewrites nothing.

    Raises:
        InputError: the rewritten passage is empty or too long, or its pieces lie outside the passage.
    """
    changes = trial.wording.changes if trial.wording else {}
    if trial.pieces is None:
        return (replace(question, **changes), replace(trial, wording=None)) if changes else (question, trial)
    passage = question.passage
    pieces = _within(trial.pieces, len(passage.text))
    rewritten = replace(question, passage=_rewritten(passage, pieces), roles={}, **changes)
    return rewritten, _left(trial, pieces)


def edited(passage: Passage, trial: Trial, fillers: Sequence[str] = ()) -> tuple[str, tuple[Span, ...]]:
    """The passage's text after a trial that rewrites nothing, and the characters that really went.

    Args:
        fillers: of each span, for a trial that replaces.
    """
    if not trial.spans or trial.mode is Mode.HIDE:
        return passage.text, trial.spans
    if trial.mode is Mode.DELETE:
        removed = passage.removal(trial.spans)
        return without(passage.text, removed), removed
    return spliced(passage.text, trial.spans, fillers), trial.spans


def spliced(text: str, spans: Sequence[Span], fillers: Sequence[str]) -> str:
    """`text` with each span replaced by its filler."""
    pieces, at = [], 0
    for (start, end), filler in zip(spans, fillers, strict=True):
        pieces += [text[at:start], filler]
        at = end
    return "".join([*pieces, text[at:]])


def _within(pieces: Pieces, length: int) -> Pieces:
    for piece in pieces:
        if not isinstance(piece, str) and piece[1] > length:
            raise InputError("span_outside", start=piece[0], end=piece[1], length=length)
    return pieces


def _rewritten(passage: Passage, pieces: Pieces) -> Passage:
    """The passage of these pieces; words made by hand are kept where they stand in one piece."""
    text = "".join(piece if isinstance(piece, str) else passage.text[slice(*piece)] for piece in pieces)
    joins = [
        span for join in passage.joins for span in moved(pieces, [join]) if _length(span) == _length(join)
    ]
    inside = [(offset - 1, offset + 1) for offset in passage.splits]
    splits = [start + 1 for pair in inside for start, end in moved(pieces, [pair]) if end - start == 2]
    return Passage(text, dictionary=passage.dictionary, joins=joins, splits=splits)


def _length(span: Span) -> int:
    return span[1] - span[0]


def moved(pieces: Pieces, spans: Sequence[Span]) -> tuple[Span, ...]:
    """Where the characters of `spans` stand in the passage of these pieces: sorted, disjoint; those side by
    side that belong to one span are one.
    """
    return tuple(span for span, _ in _moved(pieces, spans))


def _moved(pieces: Pieces, spans: Sequence[Span]) -> list[tuple[Span, int]]:
    """The same, each with the number of the span it belongs to."""
    found: list[tuple[Span, int]] = []
    at = 0
    for piece in pieces:
        if isinstance(piece, str):
            at += len(piece)
            continue
        for number, (start, end) in enumerate(spans):
            first, last = max(start, piece[0]), min(end, piece[1])
            if first < last:
                found.append(((first - piece[0] + at, last - piece[0] + at), number))
        at += _length(piece)
    found.sort()
    joined: list[tuple[Span, int]] = []
    for (start, end), number in found:
        if joined and joined[-1][0][1] == start and joined[-1][1] == number:
            joined[-1] = ((joined[-1][0][0], end), number)
        else:
            joined.append(((start, end), number))
    return joined


def _left(trial: Trial, pieces: Pieces) -> Trial:
    places = _moved(pieces, trial.spans)
    filler = trial.filler
    if isinstance(filler, tuple):
        filler = tuple(filler[number] for _, number in places)
    inside = tuple(_followed(one, partial(moved, pieces)) for one in trial.inside)
    spans = tuple(span for span, _ in places)
    return replace(trial, spans=spans, filler=filler, inside=inside, pieces=None, wording=None)


def _followed(one: Intervention, move: Move) -> Intervention:
    """What is done inside, at the same words of the rewritten passage."""
    if isinstance(one, Ablation):
        return one if isinstance(one.at, str) else replace(one, at=move(one.at))
    if isinstance(one, Cut):
        return replace(one, reader=None if one.reader is None else move(one.reader), read=move(one.read))
    source = one.source and (move(one.source[0]), one.source[1])
    return replace(one, spans=one.spans if isinstance(one.spans, str) else move(one.spans), source=source)
