"""Whether a writer puts a space between two pieces of text.

Words of most scripts are written with one, Korean too; Chinese, Japanese and their neighbours without. What
opens (a bracket, a quotation mark, "$") takes none after it, and what stands between two things ("-", "/",
"=") has on its right what it has on its left. Where a sign can be either, the line before it decides.
"""

from __future__ import annotations

import re
from unicodedata import category

_EAST = re.compile(
    "[\u2e80-\u312f\u3190-\ua4cf\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff9f\uffe0-\uffef"
    "\U0001b000-\U0001b16f\U0001f200-\U0001f2ff\U00020000-\U0003ffff]"
)
"""Han, kana, bopomofo, Yi and their full-width signs: no space on either side. Hangul is none of them."""
_SOUTHEAST = re.compile("[\u0e00-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\ua9e0-\ua9ff\uaa60-\uaadf]")
"""Thai, Lao, Tibetan, Burmese, Khmer, Tai: none among themselves, one beside words of other scripts."""

_OPENS = "¿¡\\@"
_STRAIGHT = "\"'`"
_APOSTROPHES = "'’"
_OPENED_BY = {"“": "„", "‘": "‚", "«": "»", "‹": "›", "”": "“„", "’": "‘‚", "»": "«", "›": "‹"}
"""Of a quotation mark that can also close, the marks it would close."""
_INFIX = re.compile(r"(?:[-\u2010-\u2015\u05be+=<>|~±×÷−≈≤≥/&^]+|\*+|_+)$")
_SIGNS = "-+−±~≈"


def space_between(before: str, after: str) -> str:
    """The space, or "", that a writer puts between the end of `before` and `after`."""
    if not before or not after.strip() or before[-1].isspace() or after[0].isspace():
        return ""
    last = next((c for c in reversed(before) if category(c) not in ("Mn", "Me", "Cf")), before[-1])
    if _EAST.match(last) or _EAST.match(after) or (_SOUTHEAST.match(last) and _SOUTHEAST.match(after)):
        return ""
    line = before.rsplit("\n", 1)[-1]
    return "" if _opens(line, after) or _closes(last, after) else " "


def _opens(line: str, after: str) -> bool:
    """Whether `line` ends in something that takes no space after it."""
    mark, left = line[-1:], line[:-1]
    kind = category(mark)
    if kind == "Ps" or mark in _OPENS:
        return True
    if kind in ("Pi", "Pf") or mark in _STRAIGHT:
        return _quote_opens(mark, left)
    if kind == "Sc":  # "$" before a number; behind one ("5 €") it ends it
        return not re.search(r"\d\s?$", left)
    if mark == "#":  # not "C#"
        return not left[-1:].isalnum()
    run = _INFIX.search(line)
    return run is not None and _infix_is_tight(line[: run.start()], run.group(), after)


def _quote_opens(mark: str, left: str) -> bool:
    before = left[-1:]
    fresh = not before.strip() or category(before) in ("Ps", "Pi", "Pd")
    if mark in _APOSTROPHES and before.isalpha() and not _EAST.match(before):
        quoted = re.search(r"(?:^|[\s(\[{])['‘](?=\S)[^'‘’]*$", left)
        plural = re.search(r"\w[sS]$", left)  # "the dogs'"; but "l'" and "d'" go on
        return not quoted and not plural
    if mark in _STRAIGHT:
        inside = left.count(mark) % 2 == 1
        return fresh or (not inside and (not before.isalnum() or bool(_EAST.match(before))))
    closes = sum(left.count(one) for one in _OPENED_BY.get(mark, "")) > left.count(mark)
    return not closes and (category(mark) == "Pi" or fresh)


def _infix_is_tight(left: str, run: str, after: str) -> bool:
    """Whether what follows the signs `run` stands against them."""
    spaced = not left or left[-1].isspace()
    of_two = bool(re.search(r"[\d)\]]\s*$", left))
    if set(run) <= {"*", "_"}:  # emphasis, begun or ended; a product; an item of a list
        if left.count(run) % 2:
            return False
        return not (run == "*" and spaced and (of_two or not left.strip()))
    if not spaced:
        return not re.search(r"</[^<>]*>$", left + run)
    return len(run) == 1 and run in _SIGNS and not of_two and bool(re.match(r"\.?\d", after))


def _closes(last: str, after: str) -> bool:
    """Whether `after` begins with something that takes no space before it, behind a word."""
    if not (last.isalnum() or category(last) in ("Pe", "Pf", "Mc") or last in _STRAIGHT):
        return False
    ends = after[0] in ".,;:!?…%" or category(after[0]) in ("Pe", "Pf")
    contracted = re.match(r"'(?:s|d|m|t|re|ve|ll)\b|[-‐‑/](?=[^\W\d])", after)
    return (ends and not re.match(r"\.\d", after)) or bool(contracted)
