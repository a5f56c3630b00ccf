"""Lists within one text, such as `0=never;1=once`: a backslash takes the sign behind it as it is."""

from __future__ import annotations

from collections.abc import Sequence

Sign = tuple[str, bool]
"""A character, and whether a backslash took it as it is."""


def signs(text: str, special: str) -> list[Sign]:
    """The characters of `text`.

    A backslash counts before one of `special`, a space of any kind or another backslash; before anything else
    it is an ordinary character.
    """
    found: list[Sign] = []
    at = 0
    while at < len(text):
        after = text[at + 1 : at + 2]
        taken = text[at] == "\\" and after != "" and (after in special or after == "\\" or after.isspace())
        found.append((after, True) if taken else (text[at], False))
        at += 1 + taken
    return found


def parted(found: Sequence[Sign], at: str) -> list[list[Sign]]:
    """What stands between the signs of `at` that no backslash took."""
    parts: list[list[Sign]] = [[]]
    for sign in found:
        if not sign[1] and sign[0] in at:
            parts.append([])
        else:
            parts[-1].append(sign)
    return parts


def plain(part: Sequence[Sign]) -> str:
    """A part as text, outer spaces left out where no backslash took them."""
    kept = [i for i, (sign, taken) in enumerate(part) if taken or not sign.isspace()]
    return "".join(sign for sign, _ in part[kept[0] : kept[-1] + 1]) if kept else ""


def escaped(text: str, special: str) -> str:
    """`text` with backslashes, so that `plain` gives it back."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return "".join(
        f"\\{sign}" if sign in special or sign == "\\" or not start <= i < end else sign
        for i, sign in enumerate(text)
    )
