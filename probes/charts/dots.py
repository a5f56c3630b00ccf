"""Runs as dots along one axis, in rows of what they have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.charts.cells import then_of, tips
from probes.charts.common import BLUE, GREY, INK, ORANGE, SMALLEST_SCALE, drawn, effect_title, layered
from probes.numbers import nats
from probes.record.leads import flips_clearly
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

ROW, LINE = 34, 16
"""Pixels of a row, and of each named dot in it."""


def dots(
    result: ProbeResult,
    runs: Sequence[tuple[str, str, Mapping[str, Any]]],
    lang: str,
    *,
    named: bool = False,
) -> alt.LayerChart:
    """How each run moves the target (nats): a ring where the answer stays, a filled diamond where it changes;
    the line is the mean of its row.

    Args:
        runs: the row it stands in, what it is called, and its record.
        named: whether each dot has its name beside it, in the place of the mean.
    """
    import altair as alt

    known = [abs(one["effect_log_prob"]) for *_, one in runs if one["effect_log_prob"] is not None]
    reach = max([SMALLEST_SCALE, *known])
    values = [_dot(row, name, one, result, reach) for row, name, one in runs]
    rows = list(dict.fromkeys(value["row"] for value in values))
    height, lanes = (ROW, [-4.0, 4.0]) if not named else _apart(values, rows)
    low = min(-reach / 10, *(value["nats"] for value in values)) if values else -reach
    high = max([reach / 10, *(value["nats"] for value in values)])
    x = alt.X(
        "nats:Q",
        title=effect_title(result, lang, changed=True),
        scale=alt.Scale(domain=[low * 1.05, high * 1.05], nice=False),
        axis=alt.Axis(tickCount=6),
    )
    axis = alt.Axis(labelLimit=190, labelOverlap=False, labelFlush=False, ticks=False, grid=True)
    y = alt.Y("row:N", sort=None, title=None, scale=alt.Scale(domain=rows), axis=axis)
    table = alt.Chart(alt.InlineData(values=values))
    zero = alt.Chart(alt.InlineData(values=[{"at": 0}])).mark_rule(color=GREY).encode(x=alt.X("at:Q"))
    means = table.mark_tick(thickness=3, size=ROW * 0.6, color=INK).encode(x=alt.X("mean(nats):Q"), y=y)
    points = table.mark_point(size=70, strokeWidth=1.5).encode(
        x=x,
        y=y,
        shape=alt.Shape(
            "flips:N", legend=None, scale=alt.Scale(domain=["+", "−"], range=["diamond", "circle"])
        ),
        stroke=alt.Color("colour:N", scale=None),
        fill=alt.Color("fill:N", scale=None),
        yOffset=alt.YOffset("lane:Q", scale=alt.Scale(domain=lanes)),
        tooltip=tips(lang, "what", "effect", "then"),
    )
    names = table.mark_text(align="left", dx=9, fontSize=11, color=INK).encode(
        x=x, y=y, text=alt.Text("what:N"), yOffset=alt.YOffset("lane:Q", scale=alt.Scale(domain=lanes))
    )
    return layered([zero, points, names if named else means], height * max(1, len(rows)))


def _apart(values: list[dict[str, Any]], rows: Sequence[str]) -> tuple[float, list[float]]:
    """A line for each named dot of a row, in the order of effects; the height of a row, and its lanes."""
    most = 1
    for row in rows:
        mine = sorted((value for value in values if value["row"] == row), key=lambda value: value["nats"])
        most = max(most, len(mine))
        for number, value in enumerate(mine):
            value["lane"] = number - (len(mine) - 1) / 2
    return max(ROW, LINE * most), [-most / 2, most / 2]


def _dot(row: str, name: str, one: Mapping[str, Any], result: ProbeResult, reach: float) -> dict[str, Any]:
    moved, flips = drawn(one, reach), flips_clearly(one, result.data)
    colour = GREY if one["no_change"] else BLUE if moved < 0 else ORANGE
    return {
        "row": row,
        "what": name,
        "nats": moved,
        "flips": "+" if flips else "−",
        "colour": colour,
        "fill": colour if flips else "rgba(0,0,0,0)",
        "lane": _lane(name),
        "effect": nats(one, 3),
        "then": then_of(one),
    }


def _lane(name: str) -> int:
    """A lane, the same each time, so that dots of one size do not hide one another."""
    return sum(map(ord, name)) % 7 - 3
