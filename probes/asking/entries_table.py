"""The entries of a table (CSV, TSV): its first line names the columns, each line after it is a passage."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from probes.asking.entries import PASSAGE, Entry, shown
from probes.errors import InputError

SIGNS = {".csv": ",;\t|", ".tsv": "\t,;|"}
"""What may part the columns, by a file's ending."""
KNOWN = {*PASSAGE, "question", "answers", "right", "tempting", "language", "change", "to", "id", "title"}
"""Names of columns that tell a table from prose."""
_LONGEST_FIRST_LINE = 10_000


def _columns(line: str, sign: str) -> list[str]:
    """The names of a table's columns, small."""
    return [name.strip().casefold() for name in next(csv.reader([line], delimiter=sign), [])]


def _sign(line: str, signs: str) -> str | None:
    """What parts the columns: the sign at which the first line names most, a passage among them."""
    if len(line) > _LONGEST_FIRST_LINE:
        return None
    fitting = [sign for sign in signs if set(PASSAGE) & set(_columns(line, sign))]
    return max(fitting, key=lambda sign: len(_columns(line, sign)), default=None)


def _first(text: str) -> tuple[str, int]:
    """The first line that is not blank, and how many characters stand before it."""
    start = 0
    for line in io.StringIO(text, newline=""):
        if line.strip():
            return line.rstrip("\r\n"), start
        start += len(line)
    return "", start


def begins(text: str) -> bool:
    """Whether plain text begins with the names of columns."""
    line, _ = _first(text)
    sign = _sign(line, SIGNS[".csv"])
    return sign is not None and len(set(_columns(line, sign)) & KNOWN) > 1


def entries(text: str, ending: str) -> Iterator[Entry]:
    """What a table holds, a line each.

    Raises:
        InputError: its first line names no passage, or a line does not fit it.
    """
    first, start = _first(text)
    skipped = text.count("\n", 0, start)
    if not first:
        return
    sign = _sign(first, SIGNS.get(ending, SIGNS[".csv"]))
    if sign is None:
        raise Entry({}, str(skipped + 1)).refused(InputError("entry_no_column", value=shown(first)))
    rows = csv.reader(io.StringIO(text[start:], newline=""), delimiter=sign, strict=True)
    columns: list[str] = []
    while True:
        place = Entry({}, str(skipped + rows.line_num + 1))
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as fault:
            raise place.refused(InputError("entry_quotes")) from fault
        if not columns:
            columns = _columns(first, sign)
        elif any(cell.strip() for cell in row):
            yield Entry(_cells(columns, row, place), place.place)


def _cells(columns: Sequence[str], row: Sequence[str], place: Entry) -> dict[str, str]:
    """One row by its columns; empty cells say nothing."""
    if len(row) > len(columns):
        raise place.refused(InputError("entry_cells", count=len(row), columns=len(columns)))
    return {name: cell for name, cell in zip(columns, row, strict=False) if cell.strip()}
