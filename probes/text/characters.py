"""Characters that texts are refused for, or that are shown by a sign that stands for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import regex

from probes.errors import InputError

REPLACEMENT = "\ufffd"
DIGITS = 9
"""Digits that a number somebody writes may have; `int` refuses thousands with an error of its own."""
_SURROGATE = regex.compile(r"\p{Cs}")
_OBEYED = regex.compile(r"[\r\u0080-\u009f\u202a-\u202e\u2066-\u2069]")
"""Signs that a terminal does something at: to the line's start, C1 controls, text turned round."""
_NOT_XML = regex.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check_unicode(fields: Iterable[tuple[str, object]]) -> None:
    """Refuse texts that are no valid Unicode: no tokenizer, file or terminal takes half a character.

    Args:
        fields: (name, value) each; what is no text is not looked at.

    Raises:
        InputError: one holds an unpaired surrogate, with its name and where.
    """
    for name, value in fields:
        if isinstance(value, str) and (broken := _SURROGATE.search(value)):
            code = f"U+{ord(broken.group()):04X}"
            raise InputError("field_surrogate", field=name, code=code, at=broken.start() + 1)


def visible(text: str) -> str:
    """`text` with U+FFFD for every character that XML, and so a picture, cannot hold (XML 1.0, 2.2)."""
    found: str = _NOT_XML.sub(REPLACEMENT, text)
    return found


def printable(text: str) -> str:
    """`text` with U+FFFD for every character that a terminal would obey and not show."""
    found: str = _OBEYED.sub(REPLACEMENT, visible(text))
    return found


def all_visible(value: Any, sign: Callable[[str], str] = visible) -> Any:
    """The same in every string of anything that JSON can hold, names too."""
    if isinstance(value, str):
        return sign(value)
    if isinstance(value, dict):
        return {all_visible(name, sign): all_visible(held, sign) for name, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [all_visible(held, sign) for held in value]
    return value


def whole_number(text: str) -> int | None:
    """A number of at most nine digits, in any script; None for anything else."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= DIGITS else None
