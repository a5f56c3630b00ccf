"""Which words of a passage a study rewrites: as the reader names them, else as the question suggests."""

from __future__ import annotations

from probes.asking.question import Question
from probes.errors import InputError
from probes.numbers import shortened
from probes.studies.base import Option
from probes.text.segment import Span

CHANGE = Option("change", "text", None)
TO = Option("to", "text", None)
Place = tuple[str, tuple[Span, ...]]
"""Words as they are named, and where they stand."""


def place_of(question: Question, named: str | None) -> Place:
    """The words that are named; else those that a counterfactual changes, else the first key words.

    Raises:
        InputError: nothing is named and nothing suggested; words that are not there.
    """
    if named and named.strip():
        return named.strip(), question.passage.find(named)
    for change, _ in (*question.suggested.rewordings, *question.swaps):
        if spans := there(question, change):
            return change, spans
    if keys := question.roles.get("key"):
        return shortened(question.passage.text[slice(*keys[0])]), (keys[0],)
    raise InputError("change_none", words=" / ".join(word.text for word in question.passage.words[:5]))


def there(question: Question, words: str) -> tuple[Span, ...]:
    """Where words stand that are suggested; () where the passage was changed and has them no more."""
    try:
        return question.passage.find(words)
    except InputError:
        return ()


def text_at(question: Question, spans: tuple[Span, ...]) -> str:
    """The words themselves, the first of several equal ones."""
    return question.passage.text[slice(*spans[0])]


def listed(text: str) -> tuple[str, ...]:
    """Several texts written in one, with semicolons or line ends between them."""
    for sign in "；\n\r":
        text = text.replace(sign, ";")
    return tuple(dict.fromkeys(part.strip() for part in text.split(";") if part.strip()))
