"""Where a phrase stands in a text, in time linear in both: any phrase, any text, overlapping ones too."""

from __future__ import annotations

from itertools import pairwise


def occurrences(text: str, phrase: str) -> list[tuple[int, int]]:
    """The spans of `text` that read `phrase`, whatever the case; any run of spaces equals any other."""
    wanted = " ".join(map(_folded, phrase.split()))
    if not wanted:
        return []
    starts = [i for i, (a, b) in enumerate(pairwise(f".{text}")) if not (a.isspace() and b.isspace())]
    squeezed = _folded("".join(" " if text[i].isspace() else text[i] for i in starts))
    ends = _ends(squeezed, wanted)
    return [(starts[end - len(wanted)], starts[end - 1] + 1) for end in ends]


def _folded(text: str) -> str:
    """Without case, character for character, so that offsets stay."""
    if len(folded := text.casefold()) == len(text):
        return folded
    return "".join(low if len(low := c.casefold()) == 1 else c for c in text)


def _ends(text: str, wanted: str) -> list[int]:
    """Where occurrences end (Knuth, Morris and Pratt: nothing is compared twice)."""
    borders = [0] * len(wanted)  # of each beginning of `wanted`, the longest shorter one that also ends it
    ends = []
    matched = 0
    for at, char in enumerate(wanted[1:], 1):
        while matched and wanted[matched] != char:
            matched = borders[matched - 1]
        matched += wanted[matched] == char
        borders[at] = matched
    matched = 0
    for at, char in enumerate(text):
        while matched and (matched == len(wanted) or wanted[matched] != char):
            matched = borders[matched - 1]
        matched += wanted[matched] == char
        if matched == len(wanted):
            ends.append(at + 1)
    return ends
