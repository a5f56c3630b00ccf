"""Records read back from a file: one record, a list of them, or a report that holds them.

The file is a stranger's: it is parsed as JSON and nothing else, no path in it is opened, and what it says is
looked at only as far as a record goes.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from probes.errors import InputError, LimitError
from probes.numbers import shortened
from probes.record.results import SCHEMA, ProbeResult
from probes.report.embedding import CLOSES, OPENS, PACKED
from probes.text.characters import visible

NAMED_FILE = "CRUX_RECORDS"
"""The environment's name for the file that the page was started with: its visitors cannot name one."""
LARGEST = 50_000_000
"""Bytes of a file, and of a record in it."""
_BEGINS = re.compile(f"({re.escape(OPENS)}|{re.escape(PACKED)})")


def read(path: str) -> list[ProbeResult]:
    """The records of a file; of standard input, where the path is "-".

    Raises:
        InputError: it cannot be read, is neither JSON nor a report, or holds what is no record of this form.
        LimitError: it has more than `LARGEST` bytes.
    """
    name = shown_name(path)
    try:
        if path == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(LARGEST + 1)
    except (OSError, ValueError) as fault:  # a name with a zero in it is a ValueError
        reason = getattr(fault, "strerror", None) or str(fault)
        raise InputError("report.unreadable", name=name, reason=reason) from fault
    if len(data) > LARGEST:
        raise LimitError("report.file_large", name=name, most=f"{LARGEST // 1_000_000} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise InputError("report.no_text", name=name, at=fault.start + 1) from fault
    found = [_record(value, name) for value in _values(text, name)]
    if not found:
        raise InputError("report.empty", name=name)
    return found


def shown_name(path: str) -> str:
    """A file's name as it is shown, without the folders it lies in."""
    return visible(Path(path).name or path)


def _values(text: str, name: str) -> Iterator[Any]:
    """What a file holds, parsed: JSON begins with a bracket, anything else must be a report."""
    if text.lstrip()[:1] in ("{", "["):
        value = _parsed(text, name)
        yield from value if isinstance(value, list) else [value]
        return
    parts = _BEGINS.split(text)[1:]
    if not parts:
        raise InputError("report.foreign", name=name)
    for opens, part in zip(parts[::2], parts[1::2], strict=True):
        inner, closed, _ = part.partition(CLOSES)
        if not closed:
            raise InputError("report.cut_short", name=name)
        yield _parsed(_unpacked(inner, name) if opens == PACKED else inner, name)


def _unpacked(text: str, name: str) -> str:
    """A compressed record's JSON; of a file that would grow without an end, no more than `LARGEST`."""
    unzip = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    try:
        data = unzip.decompress(base64.b64decode(text, validate=True), LARGEST + 1)
        if len(data) > LARGEST:
            raise LimitError("report.file_large", name=name, most=f"{LARGEST // 1_000_000} MB")
        if not unzip.eof:
            raise InputError("report.cut_short", name=name)
        return data.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError) as fault:
        raise InputError("report.odd_json", name=name, reason=shortened(str(fault), 120)) from fault


def _parsed(text: str, name: str) -> Any:
    def refuse(number: str) -> NoReturn:
        raise ValueError(f"{number} is no number of JSON")

    try:
        value = json.loads(text, parse_constant=refuse)
        json.dumps(value, allow_nan=False)  # 1e999 is read as infinite
    except json.JSONDecodeError as fault:
        raise InputError("report.no_json", name=name, line=fault.lineno, column=fault.colno) from fault
    except (ValueError, RecursionError) as fault:
        reason = shortened(str(fault), 120)
        raise InputError("report.odd_json", name=name, reason=reason) from fault
    return value


def _record(value: Any, name: str) -> ProbeResult:
    """A value as a record.

    Raises:
        InputError: it is none, or one of a form that came later.
    """
    if not isinstance(value, dict) or not isinstance(value.get("study"), str) or "schema" not in value:
        raise InputError("report.foreign", name=name)
    schema = value["schema"]
    if type(schema) is not int or schema < 1:
        raise InputError("report.foreign", name=name)
    if schema > SCHEMA:
        raise InputError("report.newer", name=name, schema=schema, known=SCHEMA)
    rows = value.get("rows", value.get("answers"))
    made = value.get("provenance")
    whole = isinstance(rows, list) and isinstance(made, dict) and isinstance(made.get("model"), dict)
    if not whole or not all(isinstance(row, dict) for row in rows or ()):
        raise InputError("report.broken", name=name, reason="rows, provenance")
    return ProbeResult(value["study"], value)
