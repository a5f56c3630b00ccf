"""Layers: where along them the answer appears, and what their attention and feed-forward parts put in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from probes.charts.cells import tips
from probes.charts.common import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    SMALLEST_SCALE,
    drawn,
    effect_title,
    layered,
    lines,
    nats_text,
)
from probes.locale import say
from probes.numbers import nats, percent, read_after, signed
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

CATEGORIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7f7f7f", "#b58900")
DASHES: tuple[list[int], ...] = ([1, 0], [7, 3], [2, 2], [8, 3, 2, 3], [4, 4], [1, 4], [10, 2], [3, 1])
NAME_HEIGHT = 0.06
"""Of a name at a curve's end, as a probability on the axis."""
NAMED_FROM = 0.04
"""Probability from which on a curve has its answer's name at its end."""


def lens(result: ProbeResult, lang: str) -> alt.LayerChart:
    """The answers' probabilities, read off after each layer by the model's own last step."""
    import altair as alt

    rows = sorted(result.data["rows"], key=lambda row: row["layer"])
    last = rows[-1]["layer"]
    names = [answer["name"] for answer in rows[0]["answers"]]
    values = [
        {
            "layer": row["layer"],
            "p": answer["probability"],
            "answer": answer["name"],
            "where": read_after(row["layer"], lang),
            "share": percent(answer["probability"]),
        }
        for row in rows
        for answer in row["answers"]
    ]
    ends = _apart([v for v in values if v["layer"] == last and v["p"] >= NAMED_FROM])
    x = alt.X(
        "layer:Q",
        title=say("charts.axis_after_layer", lang),
        scale=alt.Scale(domain=[0, last * 1.08], nice=False),
        axis=alt.Axis(
            values=list(range(last + 1)),
            # as layers are numbered everywhere else
            labelExpr="datum.value ? format(datum.value - 1, 'd') : 'in'",
            labelOverlap=True,
            grid=False,
        ),
    )
    y = alt.Y(
        "p:Q",
        title=say("charts.axis_lens", lang),
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%"),
    )
    colours = alt.Scale(domain=names, range=[CATEGORIES[n % len(CATEGORIES)] for n in range(len(names))])
    dashes = alt.Scale(domain=names, range=[DASHES[n % len(DASHES)] for n in range(len(names))])
    legend = alt.Legend(
        title=None, orient="top", columns=3, symbolType="stroke", symbolSize=300, labelLimit=140
    )  # three side by side: more would be cut off on a phone
    lines = (
        alt.Chart(alt.InlineData(values=values))
        .mark_line(strokeWidth=2.2, point=alt.OverlayMarkDef(size=28))
        .encode(
            x=x,
            y=y,
            color=alt.Color("answer:N", scale=colours, legend=legend),
            strokeDash=alt.StrokeDash("answer:N", scale=dashes, legend=legend),
            tooltip=tips(lang, "answer", "where", "share"),
        )
    )
    words = alt.Chart(alt.InlineData(values=ends)).mark_text(align="left", dx=7, fontSize=12, color=INK)
    named = words.encode(
        x=x, y=alt.Y("at:Q", title=None, scale=alt.Scale(domain=[0, 1])), text=alt.Text("answer:N")
    )
    return layered([*_settles(rows, x, lang), lines, named], 280)


def _apart(ends: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Names at the curves' ends, moved up where they would stand on one another."""
    placed: list[dict[str, Any]] = []
    for end in sorted(ends, key=lambda end: float(end["p"])):
        floor = placed[-1]["at"] + NAME_HEIGHT if placed else 0.0
        placed.append({**end, "at": max(float(end["p"]), floor)})
    return placed


def settled_at(rows: Sequence[Mapping[str, Any]]) -> int:
    """The first layer from which on the top answer is the last layer's."""
    ordered = sorted(rows, key=lambda row: row["layer"])
    final = ordered[-1]["top"]
    found = ordered[-1]["layer"]
    for row in reversed(ordered):
        if row["top"] != final:
            break
        found = row["layer"]
    return int(found)


def _settles(rows: Sequence[Mapping[str, Any]], x: Any, lang: str) -> list[Any]:
    import altair as alt

    at = settled_at(rows)
    name = next(a["name"] for a in rows[-1]["answers"] if a["answer"] == rows[-1]["top"])
    text = say("charts.settled", lang, answer=name, where=read_after(at, lang))
    table = alt.Chart(alt.InlineData(values=[{"layer": at, "text": text}]))
    late = at > rows[-1]["layer"] / 2
    words = table.mark_text(
        align="right" if late else "left", dx=-6 if late else 6, baseline="bottom", fontSize=11, color=INK
    )
    return [
        table.mark_rule(color=INK, strokeDash=[4, 3], opacity=0.7).encode(x=x),
        words.encode(x=x, y=alt.value(-4), text=alt.Text("text:N")),
    ]


# ---- attention and feed-forward, side by side


def layer_parts(
    result: ProbeResult,
    lang: str,
    *,
    measure: Literal["total", "direct"] = "total",
    rows: Sequence[Mapping[str, Any]] | None = None,
) -> alt.LayerChart:
    """Two bars a layer, its attention (left) and its feed-forward (right, pale); one before them, "in", for
    the embedding where the record tells of it.

    What holds the answer up is blue in both: a part whose removal lowers it, a part that writes towards it.

    Args:
        measure: "total": how the target's log-probability moves when that part is taken away (nats), a tick
            where the part's direct effect is; "direct": what the part itself writes towards the answer.
        rows: those of another record, `contributions` of a lens; of this one where there are none.
    """
    import altair as alt

    given = list(result.data["rows"] if rows is None else rows)
    values = [_part(row, measure, lang) for row in given]
    reach = max([SMALLEST_SCALE, *(abs(v["nats"]) for v in values)])
    layers_there = [row["layer"] for row in given if row["layer"] is not None]
    places = [str(layer) for layer in range(max(layers_there) + 1)]
    places = ["in", *places] if len(layers_there) < len(given) else places
    parts = [say("charts.part_attention", lang), say("charts.part_mlp", lang)]
    title = (
        effect_title(result, lang)
        if measure == "total"
        else lines("charts.axis_direct", lang, answer=result.data["target"]["text"])
    )
    x = alt.X(
        "layer:O",
        title=say("charts.axis_layer", lang),
        axis=alt.Axis(labelAngle=0, labelFlush=False),
        scale=alt.Scale(domain=places, paddingInner=0.25),
    )
    beside = alt.XOffset("part:N", scale=alt.Scale(domain=parts, paddingInner=0.12))
    y = alt.Y("nats:Q", title=title, scale=alt.Scale(domain=[-reach, reach], nice=True), axis=_over_it(title))
    table = alt.Chart(alt.InlineData(values=[v for v in values if v["layer"] != "in"]))
    before = alt.Chart(alt.InlineData(values=[v for v in values if v["layer"] == "in"]))
    legend = alt.Legend(
        title=None, orient="bottom", symbolType="square", symbolFillColor=GREY, labelLimit=300
    )
    shared = {
        "x": x,
        "y": y,
        "color": alt.Color("colour:N", scale=None),
        "tooltip": tips(lang, "where", "part", "effect", "direct", "points", "then", "change"),
    }
    pale = alt.Opacity("part:N", scale=alt.Scale(domain=parts, range=[1, 0.5]), legend=legend)
    bars = table.mark_bar().encode(xOffset=beside, opacity=pale, **shared)
    zero = alt.Chart(alt.InlineData(values=[{"nats": 0}])).mark_rule(color=GREY).encode(y=y)
    layers: list[Any] = [zero, bars, *([before.mark_bar().encode(**shared)] if "in" in places else [])]
    if measure == "total":
        ticks = alt.Chart(alt.InlineData(values=[v for v in values if v["other"] is not None]))
        mark = ticks.mark_tick(color="#cc79a7", thickness=2.5, orient="horizontal", size=10)
        layers.append(mark.encode(x=x, xOffset=beside, y=alt.Y("other:Q", title=title, axis=_over_it(title))))
    return layered([*layers], 230)


def _over_it(title: Sequence[str]) -> Any:
    """An axis whose long title stands level over it, its last line where a single one would be."""
    import altair as alt

    return alt.Axis(
        titleAngle=0,
        titleAlign="left",
        titleAnchor="start",
        titleX=0,
        titleY=5 - 15 * len(title),
        titleLimit=600,
    )


def _part(row: Mapping[str, Any], measure: str, lang: str) -> dict[str, Any]:
    direct = row.get("contribution" if measure == "direct" else "direct_effect")
    datum = {
        "layer": "in" if row["layer"] is None else str(row["layer"]),
        "part": say(f"charts.part_{row['part']}", lang),
        "where": say("charts.embeddings", lang)
        if row["layer"] is None
        else say("charts.layer", lang, layer=row["layer"]),
        "direct": "–" if direct is None else nats_text(direct, 4),
        "other": None,
        "effect": "–",
        "points": "–",
        "then": "–",
        "change": "–",
    }
    if measure == "direct":
        moved = direct or 0.0
        return {**datum, "nats": moved, "colour": ORANGE if moved < 0 else BLUE}
    then = next(a for a in row["answers"] if a["answer"] == row["top"])
    return {
        **datum,
        "nats": drawn(row, SMALLEST_SCALE),
        "colour": GREY if row["no_change"] else BLUE if drawn(row, SMALLEST_SCALE) < 0 else ORANGE,
        "other": direct,
        "effect": nats(row, digits=4),
        "points": signed(100 * row["effect_probability"]),
        "then": f"{then['name']} ({percent(then['probability'])})",
        "change": say("charts.no_change" if row["no_change"] else "charts.changed", lang),
    }
