"""One claim's figures: a dot for each passage, the mean with its interval, and the threshold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from probes.charts.common import BLUE, GREY, INK, ORANGE, layered, lines, literal
from probes.locale import say
from probes.numbers import signed

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

ROW, LEAST_PITCH, HEIGHT = 21, 5, 108
"""Pixels of a row, at most and at least, and of all rows, where these can be kept: a scene is one screen."""
NAMED = 12
"""Pixels that a row's name needs."""


def claim_figures(row: Mapping[str, Any], lang: str, name: Callable[[str, str], str]) -> alt.LayerChart:
    """A row of a lecture's record: a dot is filled where its passage alone is on the holding side.

    Args:
        row: of `probes.running.lecture.lecture`, with at least one variant.
        name: what a passage is called, in a language.
    """
    import altair as alt

    mean, (low, high) = say("charts.claim_mean", lang), row["interval"]
    above = row["side"] == "above"
    names = {one["passage"]: name(one["passage"], lang) for one in row["variants"]}
    values = [
        {
            "row": names[one["passage"]],
            "value": one["value"],
            "holds": (one["value"] > row["threshold"]) == above and one["value"] != row["threshold"],
            "told": signed(one["value"]),
        }
        for one in row["variants"]
    ]
    rows = [*dict.fromkeys(one["row"] for one in values), mean]
    pitch = max(LEAST_PITCH, min(ROW, HEIGHT / len(rows)))
    axis = alt.Axis(labelLimit=150, labelFlush=False, ticks=False, grid=False)
    if pitch < NAMED:  # the first and the mean; the others are named where they are pointed at
        shown = ", ".join(map(literal, (rows[0], mean)))
        axis.labelExpr = f"indexof([{shown}], datum.value) < 0 ? '' : datum.value"
    y = alt.Y("row:N", sort=None, title=None, scale=alt.Scale(domain=rows), axis=axis)
    x = alt.X("value:Q", title=lines(f"lecture.{row['id']}_axis", lang), axis=alt.Axis(tickCount=6))
    colour = alt.condition("datum.holds", alt.value(BLUE), alt.value(ORANGE))
    fill = alt.condition("datum.holds", alt.value(BLUE), alt.value("transparent"))
    table = alt.Chart(alt.InlineData(values=values))
    tips = [alt.Tooltip("row:N", title=say("charts.claim_passage", lang))]
    tips.append(alt.Tooltip("told:N", title=say("charts.claim_value", lang)))
    points = table.mark_point(size=min(80, 4 * pitch), strokeWidth=2)
    dots = points.encode(x=x, y=y, stroke=colour, fill=fill, tooltip=tips)
    edge = alt.Chart(alt.InlineData(values=[{"at": row["threshold"]}]))
    line = edge.mark_rule(color=GREY, strokeDash=[5, 4], strokeWidth=1.5).encode(x=alt.X("at:Q"))
    layers: list[Any] = [line, dots]
    if row["mean"] is not None:
        middle = alt.Chart(
            alt.InlineData(values=[{"row": mean, "value": row["mean"], "low": low, "high": high}])
        )
        if low is not None:
            layers.append(
                middle.mark_rule(color=INK, strokeWidth=2.5).encode(
                    x=alt.X("low:Q"), x2=alt.X2("high:Q"), y=y
                )
            )
        layers.append(
            middle.mark_tick(thickness=3, size=ROW * 0.6, color=INK).encode(x=alt.X("value:Q"), y=y)
        )
    return layered(layers, pitch * len(rows))


VERDICTS = ("holds", "fails", "unsure", "none")


def verdicts(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Each claim of a lecture's record under its verdict."""
    import altair as alt

    names = {verdict: say(f"lecture.verdict_{verdict}", lang) for verdict in VERDICTS}
    values = [{"claim": row["id"], "verdict": names[row["verdict"]]} for row in result.data["rows"]]
    claims = [value["claim"] for value in values]
    x = alt.X(
        "verdict:N",
        title=None,
        scale=alt.Scale(domain=list(names.values())),
        axis=alt.Axis(orient="top", labelAngle=0, ticks=False, grid=True),
    )
    y = alt.Y("claim:N", sort=None, title=None, scale=alt.Scale(domain=claims), axis=alt.Axis(ticks=False))
    colours = alt.Scale(domain=list(names.values()), range=[BLUE, ORANGE, GREY, GREY])
    shapes = alt.Scale(domain=list(names.values()), range=["circle", "cross", "diamond", "stroke"])
    marks = alt.Chart(alt.InlineData(values=values)).mark_point(filled=True, size=90, opacity=1)
    drawn = marks.encode(
        x=x,
        y=y,
        color=alt.Color("verdict:N", scale=colours, legend=None),
        shape=alt.Shape("verdict:N", scale=shapes, legend=None),
    )
    return layered([drawn], 20 * max(len(claims), 1))
