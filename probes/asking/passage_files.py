"""Files as people have them: one passage, or a set of passages as what stands in each of its entries.

A set is JSON (a list of objects, an object with `data`, SQuAD's articles with paragraphs and questions), JSON
Lines, a table (CSV, TSV) whose first line names its columns, or plain text parted by blank lines. What a file
holds decides, not its ending alone: JSON in a .txt file is JSON. Nothing is guessed: what is not understood
is refused with its place in the file and what is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from probes.asking import entries_json, entries_table
from probes.asking.entries import Entry
from probes.errors import InputError, LimitError
from probes.text.sentences import BLANK_LINES

LARGEST = 16_000_000
"""Bytes of a file of passages; parsed, JSON takes some twenty times as much memory."""
MOST = 20_000
"""Passages of a set."""
_TEXTS = ("", ".txt", ".text", ".md")
_READABLE = (*_TEXTS[1:], ".json", *entries_json.JSON_LINES, *entries_table.SIGNS)


# ---- one passage


def one_passage(data: bytes) -> str:
    """The passage that a file holds: its last line end, which editors put there, is no part of it.

    Raises:
        UnicodeDecodeError: it is no UTF-8.
        InputError: it is a set of passages.
    """
    text = data.decode("utf-8-sig")
    if entries_json.holds_passages(text):
        raise InputError("passage_is_set")
    return text.removesuffix("\n").removesuffix("\r")


def as_file(text: str) -> bytes:
    """A file that holds just `text`; its line ends at the end are for `--passage-end` to say."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""  # reading takes one away
    return (mark + text).encode()


# ---- sets


def read(path: Path) -> list[Entry]:
    """What a file of passages holds.

    Raises:
        InputError: it cannot be read, or not be understood, and where.
        LimitError: it is too large, or holds too many passages.
    """
    text, ending = _text(path), path.suffix.lower()
    if ending and ending not in _READABLE:
        raise InputError("over_ending", path=path.name, endings=" ".join(_READABLE))
    found: list[Entry] = []
    for entry in _entries(text, ending):
        found.append(entry)
        if len(found) > MOST:
            raise LimitError("over_many", source=path.name, most=MOST)
    if not found:
        raise InputError("over_empty", source=path.name)
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as fault:
        raise InputError("over_unreadable", path=path.name, reason=fault.strerror) from fault
    if len(data) > LARGEST:
        raise LimitError("over_large", path=path.name, most=LARGEST)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise InputError("over_encoding", path=path.name, line=line, at=fault.start + 1) from fault


def _entries(text: str, ending: str) -> Iterator[Entry]:
    if ending in (".json", *entries_json.JSON_LINES) or entries_json.begins(text):
        return entries_json.entries(text, ending)
    if ending in entries_table.SIGNS or entries_table.begins(text):
        return entries_table.entries(text, ending)
    return _parts(text)


def _parts(text: str) -> Iterator[Entry]:
    """Passages parted by blank lines, as paragraphs are parted in one passage."""
    text = text.replace("\r\n", "\n")
    start = 0
    for end, after in [*(match.span() for match in BLANK_LINES.finditer(text)), (len(text), len(text))]:
        part = text[start:end]
        if part.strip():
            first = start + len(part) - len(part.lstrip())
            yield Entry({"passage": part.strip()}, str(text.count("\n", 0, first) + 1))
        start = after
