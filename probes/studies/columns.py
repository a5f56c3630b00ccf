"""What the tables of all studies share: columns by their names, cells of effects, notes under the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from probes.locale import TEXTS, say
from probes.numbers import nats, shortened, signed, signed_if_known, strength
from probes.record.leads import flips_clearly

Side = Literal["left", "right"]
LEFT = frozenset(
    (
        *("word", "head", "layer", "part", "from", "to", "link", "state", "flips", "top", "reads", "leads"),
        *("role", "measure", "method", "answers", "right", "counted"),
    )
)
"""Columns of words; numbers stand at the right."""


@dataclass(frozen=True)
class Table:
    """A record's rows for a person.

    Attributes:
        columns: titles, and the side that their cells stand at.
        rows: cells as they are read, strongest first where rows have a strength.
        notes: what is to be known of the numbers.
        quiet: whether a row is set back, for each; none where this is empty.
    """

    columns: Sequence[tuple[str, Side]]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    quiet: Sequence[bool] = ()


def columns(study: str, lang: str, *names: str) -> list[tuple[str, Side]]:
    """Titles by their names: the study's own text `col_<name>`, or the one that all share."""
    return [(say(_own(study, f"col_{name}"), lang), "left" if name in LEFT else "right") for name in names]


def _own(study: str, name: str) -> str:
    return key if TEXTS.has(key := f"{study}.{name}") else f"cli.{name}"


def effect_cells(row: Mapping[str, Any]) -> list[str]:
    """Nats, percentage points, KL."""
    share, kl = row["effect_probability"], row["kl"]
    points = "" if share is None else signed(share * 100, 1)
    if interval := row.get("effect_probability_interval"):
        points += f" ({' … '.join(signed(end * 100, 1) for end in interval)})"
    return [nats(row, 3), points, "" if kl is None else f"{kl:.3f}"]


def flip_cell(row: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The answer that a row changes to, where it does so clearly."""
    names = {a["answer"]: a["name"] for a in data["clean"]["answers"]}
    return names[row["top"]] if flips_clearly(row, data) else ""


def direct_cell(row: Mapping[str, Any]) -> str:
    """A row's direct effect; n/a where there is none."""
    return signed_if_known(row["direct_effect"], 3)


def strongest_first(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows by how far they move the answer."""
    return sorted(rows, key=lambda row: -strength(row))


def note(key: str, data: Mapping[str, Any], lang: str, **values: object) -> str:
    """A note on the effects, with the noise floor, the target, and what the number type can tell."""
    noise = "?" if data["noise_floor"] is None else f"{data['noise_floor']:.1e}"
    return say(key, lang, noise=noise, target=data["target"]["text"], **values) + known_to(data, lang)


def effects_note(data: Mapping[str, Any], lang: str) -> str:
    """The note under effects of words."""
    if data["target"]["kind"] == "contrast":
        return note("cli.effects_note_contrast", data, lang, against=data["target"]["against_text"])
    return note("cli.effects_note", data, lang)


def known_to(data: Mapping[str, Any], lang: str) -> str:
    """How far effects may be off for the number type, where that is more than the noise floor says."""
    precision = data.get("precision")
    if not precision:
        return ""
    told = {"dtype": precision["dtype"], "measured": int(precision["measured"])}
    return " " + say("cli.precision_note", lang, nats=f"{precision['nats']:.2g}", **told)


def word_label(unit: Mapping[str, Any]) -> str:
    """A unit as a table names it: `shop#2` is the second of several, as `--drop` counts them."""
    text = shortened(unit["text"])
    return text if unit["occurrences"] == 1 else f"{text}#{unit['occurrence']}"


def word_of(index: int, data: Mapping[str, Any]) -> str:
    """A unit of the record, by its index."""
    return word_label(data["units"][index])
