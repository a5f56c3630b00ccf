"""Units that share a token of the model: what is done to the token is done to all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from probes.asking.question import Question
from probes.models.base import AnswerModel
from probes.text.passage import Span, Unit

_TOLD = 5
"""Pairs that a note names."""


def shared(spans: Sequence[Sequence[Span]]) -> list[list[int]]:
    """For each unit the others that have a token in common with it, by index.

    Args:
        spans: the token ranges of each unit.
    """
    holders: dict[int, list[int]] = {}
    for index, ranges in enumerate(spans):
        for token in _tokens(ranges):
            holders.setdefault(token, []).append(index)
    return [
        sorted({other for token in _tokens(ranges) for other in holders[token]} - {index})
        for index, ranges in enumerate(spans)
    ]


def _tokens(ranges: Iterable[Span]) -> Iterable[int]:
    return (token for begin, end in ranges for token in range(begin, end))


def shared_tokens(
    model: AnswerModel, question: Question, units: Sequence[Unit]
) -> tuple[list[list[int]], list[dict[str, Any]]]:
    """`shared` of a passage's units, and the note that tells of them, where there are any."""
    found = shared(model.token_spans(question, units))
    return found, _notes(units, [(a, b) for a, others in enumerate(found) for b in others if a < b])


def hidden_with(model: AnswerModel, question: Question, spans: Sequence[Span]) -> list[dict[str, Any]]:
    """The note on words beside those at `spans` that are hidden in part when these are."""
    words = question.passage.words
    inside = [any(begin < word.end and word.start < end for begin, end in spans) for word in words]
    found = shared(model.token_spans(question, words))
    pairs = [(a, b) for a, others in enumerate(found) if inside[a] for b in others if not inside[b]]
    return _notes(words, pairs)


def _notes(units: Sequence[Unit], pairs: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    if not pairs:
        return []
    named = [f"{units[a].text} + {units[b].text}" for a, b in pairs[:_TOLD]]
    told = ", ".join(named) + (" …" if len(pairs) > _TOLD else "")
    return [{"key": "shared_tokens", "pairs": told, "count": len(pairs)}]


def sharing(units: Sequence[dict[str, Any]], found: Sequence[list[int]]) -> list[dict[str, Any]]:
    """A record's units, with the others that share a token with each."""
    return [{**unit, "shares_tokens": others} for unit, others in zip(units, found, strict=True)]
