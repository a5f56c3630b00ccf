"""The entries of JSON: lists of objects, JSON Lines, SQuAD's articles with their paragraphs and questions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import regex

from probes.asking.entries import PASSAGE, Entry, Kind, shown
from probes.errors import CruxError, InputError

JSON_LINES = (".jsonl", ".ndjson")
_NESTED = ("paragraphs", "qas")
"""Lists of SQuAD's form: an article's paragraphs, a paragraph's questions."""
_BEGINS = regex.compile(r'\s*(?:\{\s*"|\[\s*\{)')


def begins(text: str) -> bool:
    """Whether a text looks like JSON: it begins like objects, or is a list of whatever else."""
    if _BEGINS.match(text):
        return True
    if not text.lstrip().startswith("["):
        return False
    try:
        return isinstance(_loaded(text, 1), list)
    except InputError:
        return False


def holds_passages(text: str) -> bool:
    """Whether it is JSON that has entries with a passage."""
    try:
        return begins(text) and any({"passage", "context"} & set(entry.values) for entry in entries(text))
    except CruxError:
        return False


def entries(text: str, ending: str = ".json") -> Iterator[Entry]:
    """What JSON holds, as a whole or line by line.

    Raises:
        InputError: it is no JSON, or no list of objects, and where.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        return
    try:
        document = _loaded(text, 1)
    except InputError:
        if not _by_lines(lines[0][1], ending):
            raise
        document = None
    if isinstance(document, list) or (
        isinstance(document, dict) and (_is_wrapped(document) or len(lines) > 1)
    ):
        yield from _document(document)
    else:
        for number, line in lines:
            yield from _unfolded(_loaded(line, number), str(number), "line")


def _by_lines(first: str, ending: str) -> bool:
    """Whether what is no JSON as a whole is meant as JSON Lines."""
    try:
        _loaded(first, 1)
    except InputError:
        return ending in JSON_LINES and not first.lstrip().startswith("[")
    return True


def _is_wrapped(document: Mapping[str, Any]) -> bool:
    """Whether an object has its entries in `data`, as SQuAD's files do."""
    return isinstance(document.get("data"), list) and not set(PASSAGE) & set(document)


def _loaded(text: str, line: int) -> Any:
    """The value that `text`, which begins at `line`, holds."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as fault:
        place, at = Entry({}, str(line + fault.lineno - 1)), fault.colno
        raise place.refused(InputError("entry_no_json", at=at)) from fault
    except (ValueError, RecursionError) as fault:  # a number of thousands of digits, thousands of brackets
        raise Entry({}, str(line)).refused(InputError("entry_no_json", at=1)) from fault


def _document(document: list[Any] | dict[str, Any]) -> Iterator[Entry]:
    if isinstance(document, list):
        for number, item in enumerate(document, 1):
            yield from _unfolded(item, str(number), "entry")
    elif _is_wrapped(document):
        for number, item in enumerate(document["data"]):
            yield from _unfolded(item, f"data[{number}]", "entry")
    else:
        yield from _unfolded(document, "1", "entry")


def _unfolded(item: Any, place: str, kind: Kind, within: Sequence[str] = _NESTED) -> Iterator[Entry]:
    """The entries of an object: itself, or of SQuAD's articles and paragraphs those `within` them."""
    entry = Entry(item if isinstance(item, dict) else {}, place, kind)
    if not isinstance(item, dict):
        raise entry.refused(InputError("entry_no_object", value=shown(item)))
    for depth, name in enumerate(within, 1):
        if name in item:
            yield from _inner(entry, name, within[depth:])
            return
    yield _answered(entry) if _is_gold(item.get("answers")) else entry


def _inner(entry: Entry, name: str, within: Sequence[str]) -> Iterator[Entry]:
    """The entries of the list `name` of an article or paragraph, each with the passage that they share."""
    listed = entry.values[name]
    if not isinstance(listed, list):
        raise entry.refused(InputError("entry_not_list", name=name, value=shown(listed)))
    shared = {key: entry.values[key] for key in (*PASSAGE, "language") if key in entry.values}
    for number, part in enumerate(listed):
        whole = {**shared, **part} if isinstance(part, dict) else part
        for found in _unfolded(whole, f"{entry.place}.{name}[{number}]", "entry", within):
            yield found if within or found.gold else _answered(found)


def _is_gold(answers: Any) -> bool:
    """Whether `answers` are right ones in SQuAD's form, not those that are compared."""
    if isinstance(answers, dict):
        return {"text", "answer_start"} <= set(answers)
    return (
        bool(answers)
        and isinstance(answers, list)
        and all(isinstance(a, dict) and "text" in a for a in answers)
    )


def _answered(entry: Entry) -> Entry:
    """An entry of SQuAD's form: its answers are the right ones."""
    answers = entry.values.get("answers") or []
    found = answers.get("text") if isinstance(answers, dict) else answers
    listed = found if isinstance(found, list) else [found]
    said = [answer.get("text") if isinstance(answer, dict) else answer for answer in listed]
    texts = [text for text in said if isinstance(text, str)]
    if len(texts) < len(said):
        raise entry.refused(InputError("entry_gold", value=shown(answers)))
    rest = {name: value for name, value in entry.values.items() if name != "answers"}
    return Entry(rest, entry.place, entry.kind, tuple(texts))
