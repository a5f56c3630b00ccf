"""What is said of a lecture's record: in a sentence, as a table, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.asking.question import preset, presets
from probes.locale import say
from probes.numbers import signed
from probes.studies.columns import Side, Table

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

COLUMNS = ("claim", "says", "verdict", "value", "interval", "threshold", "agree")


def said(data: Mapping[str, Any], lang: str) -> str:
    """A record's sentence."""
    return summary(data["rows"], lang)


def summary(rows: Sequence[Mapping[str, Any]], lang: str) -> str:
    """How many claims hold, and which do not."""
    by: dict[str, list[str]] = {}
    for row in rows:
        by.setdefault(row["verdict"], []).append(row["id"])
    parts = [
        say(f"lecture.summary_{verdict}", lang, claims=", ".join(by[verdict]), count=len(by[verdict]))
        for verdict in ("holds", "fails", "unsure", "none")
        if verdict in by
    ]
    return ("" if lang == "zh" else " ").join(parts)


def tabled(data: Mapping[str, Any], lang: str) -> Table:
    """A row a claim: what it says, the verdict, and the figures that it rests on."""
    heads: list[tuple[str, Side]] = [(say(f"lecture.col_{name}", lang), "left") for name in COLUMNS]
    return Table(heads, [cells(row, lang) for row in data["rows"]])


def cells(row: Mapping[str, Any], lang: str) -> list[str]:
    """One claim as a row of the table."""
    low, high = row["interval"]
    sign = {"above": ">", "below": "<"}[row["side"]]
    return [
        row["id"],
        say(f"lecture.{row['id']}_says", lang),
        say(f"lecture.verdict_{row['verdict']}", lang),
        "–" if row["mean"] is None else signed(row["mean"]),
        "–" if low is None else f"{signed(low)} … {signed(high)}",
        f"{sign} {row['threshold']:g}",
        f"{row['agree']} / {row['n']}",
    ]


def passage_name(name: str, lang: str) -> str:
    """What a variant's passage is called: a preset's title, or the number of a generated one."""
    if name in presets():
        return str(preset(name).title[lang])
    kind, _, number = name.partition(" ")
    return say(f"lecture.passage_{kind}", lang, number=number)


def pictured(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Each claim's verdict."""
    from probes import charts

    return charts.verdicts(result, lang)
