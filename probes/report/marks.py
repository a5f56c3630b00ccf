"""A record's passage in pieces, each marked as the record's rows say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from probes.numbers import nats, strength
from probes.record.leads import flips_clearly

Record = Mapping[str, Any]
Kind = Literal["taken", "less", "more", "core", "changed"]
LEVELS = 3
"""How many strengths of a colour there are; the strongest effect of a record has the last."""


@dataclass(frozen=True)
class Piece:
    """A stretch of the passage.

    Attributes:
        kind: taken away (`taken`), carrying the answer (`less`: it sinks without), standing in its way
            (`more`), in every set that is enough (`core`), told otherwise (`changed`); None for the rest.
        level: 1 to `LEVELS`, of effects.
        flips: whether the answer is clearly another one without it.
        number: the effect, nats; "" where it has none of its own.
    """

    text: str
    kind: Kind | None = None
    level: int = 0
    flips: bool = False
    number: str = ""

    @property
    def classes(self) -> str:
        level = f" l{self.level}" if self.level else ""
        return f"{self.kind}{level}{' flips' if self.flips else ''}"


Marked = tuple[int, int, Piece]


def pieces(data: Record) -> list[Piece]:
    """The passage of a record from its first character to its last; nothing of a record without one."""
    text = data.get("clean", data).get("passage")
    if not isinstance(text, str) or "over" in data:
        return []
    found, at = [], 0
    placed = [mark for mark in _marks(data) if type(mark[0]) is type(mark[1]) is int]
    for start, end, mark in sorted(placed, key=lambda marked: marked[:2]):
        if not at <= start < end <= len(text):
            continue  # what lies under another mark, or outside
        if at < start:
            found.append(Piece(text[at:start]))
        found.append(Piece(text[start:end], mark.kind, mark.level, mark.flips, mark.number))
        at = end
    return [*found, Piece(text[at:])] if at < len(text) else found


def _marks(data: Record) -> Iterator[Marked]:
    """Of what a record says about stretches of its passage, the first that it has."""
    if taken := data.get("taken"):
        yield from ((a, b, Piece("", "taken")) for a, b in taken["spans"])
    elif core := [unit for unit in data.get("units", ()) if unit.get("core")]:
        yield from ((unit["start"], unit["end"], Piece("", "core")) for unit in core)
    elif changed := data.get("counterfactual"):
        yield from ((a, b, Piece("", "changed")) for a, b in changed.get("changed", ()))
    elif all("start" in row and "effect_log_prob" in row for row in data.get("rows", ())):
        yield from _effects(data)
    else:
        yield from _replaced(data)


def _effects(data: Record) -> Iterator[Marked]:
    """One mark a unit that moves the answer; rows of layers, which tell of a unit many times, are none."""
    rows = [row for row in data.get("rows", ()) if row["no_change"] is False and "layer" not in row]
    known = [strength(row) for row in rows if row["effect_log_prob"] is not None]
    most = max(known, default=1.0) or 1.0
    for row in rows:
        level = 1 + min(LEVELS - 1, int(LEVELS * min(strength(row) / most, 1.0)))
        moved = row["effect_log_prob"] if row["effect_log_prob"] is not None else row["effect_probability"]
        kind: Kind = "less" if (moved or 0) < 0 else "more"
        yield row["start"], row["end"], Piece("", kind, level, flips_clearly(row, data), nats(row))


def _replaced(data: Record) -> Iterator[Marked]:
    """Where another text is put in, of a record whose rows all do so in the same places."""
    places = [row.get("spans") for row in data.get("rows", ()) if row.get("mode") == "replace"]
    if places and all(place == places[0] for place in places):
        yield from ((a, b, Piece("", "changed")) for a, b in places[0] or ())
