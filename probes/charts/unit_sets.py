"""Sets of units: which words each of them has, one row a set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.charts.cells import tips, word_axis
from probes.charts.common import BLUE, INK, LIGHT_BLUE, ORANGE, layered, lines, named
from probes.locale import say
from probes.numbers import percent
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

ROW = 24
MOST_UNITS = 60
SIGNS = {"core": "●", "filler": "○", "flips": "✕"}
COLOURS = {"core": BLUE, "filler": LIGHT_BLUE, "flips": ORANGE}


def sets_of_units(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Rows: sets that keep the answer, then deletions that change it; columns: the words of any of them.

    Kinds are told by their signs as well as by colour: ● in every set, ○ not in every one, ✕ deleted.
    """
    import altair as alt

    data = result.data
    shown = sorted({index for row in data["rows"] for index in row["members"]})[:MOST_UNITS]
    units = {index: data["units"][index] for index in shown}
    words = {f"u{n}": named(u["text"], u["occurrence"], u["occurrences"]) for n, u in units.items()}
    labels = _labels(data, lang)
    cells = [
        _cell(row, label, units[index], data, lang)
        for row, label in zip(data["rows"], labels, strict=True)
        for index in row["members"]
        if index in units
    ]
    x = alt.X(
        "column:N",
        title=lines("charts.axis_sets", lang),
        scale=alt.Scale(domain=list(words), paddingInner=0.06),
        axis=word_axis(words),
    )
    y = alt.Y(
        "row:N",
        title=None,
        scale=alt.Scale(domain=labels, paddingInner=0.12),
        axis=alt.Axis(labelLimit=170, labelOverlap=False, labelFlush=False, ticks=False),
    )
    table = alt.Chart(alt.InlineData(values=cells))
    told = tips(lang, "what", "kind", "then")
    parts = [
        table.mark_rect().encode(x=x, y=y, color=alt.Color("colour:N", scale=None), tooltip=told),
        table.mark_text(fontSize=10, aria=False).encode(
            x=x,
            y=y,
            text=alt.Text("sign:N"),
            color=alt.condition("datum.strong", alt.value("white"), alt.value(INK)),
        ),
    ]
    return layered(parts, ROW * max(1, len(labels)))


def _labels(data: Mapping[str, Any], lang: str) -> list[str]:
    """Each set by its number, with the answer's probability, or what is answered then."""
    labels, counts = [], {"keeps": 0, "flips": 0}
    for row in data["rows"]:
        counts[row["kind"]] += 1
        name = say(f"charts.set_{row['kind']}", lang, number=counts[row["kind"]])
        top = next(answer for answer in row["answers"] if answer["answer"] == row["top"])
        labels.append(f"{name} · {top['name']} {percent(top['probability'])}")
    return labels


def _cell(
    row: Mapping[str, Any], label: str, unit: Mapping[str, Any], data: Mapping[str, Any], lang: str
) -> dict[str, Any]:
    kind = "flips" if row["kind"] == "flips" else "core" if unit["core"] else "filler"
    return {
        "row": label,
        "column": f"u{unit['index']}",
        "colour": COLOURS[kind],
        "sign": SIGNS[kind],
        "strong": kind != "filler",
        "what": named(unit["text"], unit["occurrence"], unit["occurrences"]),
        "kind": say(f"charts.cell_{kind}", lang),
        "then": label.partition(" · ")[2],
    }
