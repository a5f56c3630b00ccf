"""One value in a link: how it is read (ValueError: bad) and how it is written.

Values come from whoever wrote the link, so nothing is taken for granted.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import parse_qsl, urlencode

from probes.numbers import head_label
from probes.text.segment import Span

LONGEST_TEXT_IN_LINK: Final = 5000
"""Characters of a compressed passage that a link still carries: 2,000 characters of Chinese prose take
3,200 to 4,400, a thousand words of English as much. Browsers open addresses twice as long."""
LONGEST_FIELD: Final = 2000
LONGEST_LINKED_PASSAGE: Final = 20_000
"""Characters; a few bytes can unpack to gigabytes, so unpacking stops here."""
MOST_HEADS: Final = 400
"""Heads that a link can name."""
MOST_NUMBERS: Final = 10_000
"""Numbers of units that one value of a link can hold."""
MOST_SPANS: Final = 2_000
"""Words joined by hand that a link can name."""
MOST_PAIRS: Final = 40
"""Options of a study that a link can name."""
Head = tuple[int, int]


def choice(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(text)
        return text

    return read


def field(text: str) -> str:
    if len(text) > LONGEST_FIELD or "\0" in text:
        raise ValueError(text)
    return text


def numbers(text: str) -> frozenset[int]:
    """`3-5.9` -> {3, 4, 5, 9}; `-` is the empty set."""
    found: set[int] = set()
    named = 0
    for part in text.split(".") if text != "-" else ():
        first, dash, last = part.partition("-")
        low, high = number(first), number(last if dash else first)
        named += high + 1 - low
        if low > high or named > MOST_NUMBERS:
            raise ValueError(text)
        found.update(range(low, high + 1))
    return frozenset(found)


def number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        raise ValueError(text)
    return int(text)


def positive(text: str) -> int:
    if not (found := number(text)):
        raise ValueError(text)
    return found


def write_numbers(numbers: frozenset[int] | None) -> str:
    if numbers is None:
        return ""
    runs: list[list[int]] = []
    for n in sorted(numbers):
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ".".join(f"{a}-{b}" if b > a else f"{a}" for a, b in runs) or "-"


def spans(text: str) -> tuple[Span, ...]:
    pairs = [part.split("-") for part in text.split(".")]
    if any(len(pair) != 2 for pair in pairs) or len(pairs) > MOST_SPANS:
        raise ValueError(text)
    return tuple((number(a), number(b)) for a, b in pairs)


def heads(text: str) -> tuple[Head, ...]:
    """`5.3,7.1` -> ((5, 3), (7, 1)), as on the command line."""
    pairs = [part.split(".") for part in text.split(",")]
    if any(len(pair) != 2 for pair in pairs) or len(pairs) > MOST_HEADS:
        raise ValueError(text)
    return tuple(sorted({(number(layer), number(head)) for layer, head in pairs}))


def one_head(text: str) -> Head:
    (head,) = heads(text)
    return head


def write_heads(heads: Sequence[Head]) -> str:
    """Heads as a link and the command line name them."""
    return ",".join(head_label(layer, head) for layer, head in heads)


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """`unit=sentence&seed=3` -> (("seed", "3"), ("unit", "sentence"))."""
    found = parse_qsl(field(text), keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_PAIRS)
    if len(dict(found)) < len(found):
        raise ValueError(text)
    return tuple(sorted(found))


def write_pairs(pairs: Sequence[tuple[str, str]]) -> str:
    """What `pairs` reads."""
    return urlencode(pairs)


def window(text: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    if not dash or number(low) > number(high):
        raise ValueError(text)
    return int(low), int(high)


def packed(text: str) -> str:
    data = zlib.compress(text.encode(), 9)
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unpacked(code: str) -> str:
    if len(code) > LONGEST_LINKED_PASSAGE:
        raise ValueError("too long")
    try:
        data = base64.b64decode(code + "=" * (-len(code) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(data, LONGEST_LINKED_PASSAGE * 4)
        if not unpacker.eof:
            raise ValueError("cut short or too long")
        text = raw.decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError) as fault:
        raise ValueError(code) from fault
    if len(text) > LONGEST_LINKED_PASSAGE:
        raise ValueError("too long")
    return text


def packed_if_short(text: str) -> str:
    code = packed(text)
    return code if len(code) <= LONGEST_TEXT_IN_LINK else ""
