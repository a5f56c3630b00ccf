"""What each word does to the answers of two questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.charts.cells import then_of, tips
from probes.charts.common import (
    BLUE,
    GREY,
    NOW,
    ROW_PIXELS,
    SMALLEST_SCALE,
    drawn,
    labelled,
    layered,
    lines,
    named,
    row_of,
)
from probes.locale import say
from probes.numbers import nats, strength
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

MOST = 20


def two_questions(result: ProbeResult, lang: str, *, most: int | None = MOST) -> alt.LayerChart:
    """How taking each word away moves the answer to each question (nats): a circle for the question as asked,
    a diamond for the other one, a line between the two.

    Args:
        most: how many words, those that move either answer most; None for all.
    """
    import altair as alt

    rows = sorted(result.data["rows"], key=lambda r: -max(strength(r), strength(r["second"])))[:most]
    runs = [run for row in rows for run in (row, row["second"])]
    reach = max(
        [SMALLEST_SCALE, *(abs(r["effect_log_prob"]) for r in runs if r["effect_log_prob"] is not None)]
    )
    asked = {which: say(f"charts.asked_{which}", lang) for which in ("first", "second")}
    values = [
        _dot(row, run, asked[which], reach)
        for row in rows
        for which, run in (("first", row), ("second", row["second"]))
    ]
    low = min(-SMALLEST_SCALE, *(value["nats"] for value in values)) if values else -reach
    high = max([SMALLEST_SCALE, *(value["nats"] for value in values)])
    scale = alt.Scale(domain=[low * 1.03, high * 1.03], nice=False)
    axis = alt.Axis(tickCount=8)
    x = alt.X("nats:Q", title=lines("charts.axis_two_questions", lang), scale=scale, axis=axis)
    names = [value["row"] for value in values]
    y = labelled("left", [{"row": name} for name in dict.fromkeys(names)])
    table = alt.Chart(alt.InlineData(values=values))
    domain = list(asked.values())
    zero = alt.Chart(alt.InlineData(values=[{"at": 0}])).mark_rule(color=GREY).encode(x=alt.X("at:Q"))
    points = table.mark_point(filled=True, size=75, opacity=0.9).encode(
        x=x,
        y=y,
        color=alt.Color(
            "asked:N",
            title=None,
            scale=alt.Scale(domain=domain, range=[BLUE, NOW]),
            legend=alt.Legend(orient="top", labelLimit=300),
        ),
        shape=alt.Shape("asked:N", title=None, scale=alt.Scale(domain=domain, range=["circle", "diamond"])),
        tooltip=tips(lang, "what", "kind", "effect", "then"),
    )
    between = table.mark_line(color=GREY).encode(x=x, y=y, detail=alt.Detail("row:N"))
    return layered([zero, between, points], ROW_PIXELS * max(1, len(rows)))


def _dot(row: Mapping[str, Any], run: Mapping[str, Any], asked: str, reach: float) -> dict[str, Any]:
    label = named(row["text"], row["occurrence"], row["occurrences"])
    return {
        "row": row_of(label, str(row["index"])),
        "nats": drawn(run, reach),
        "asked": asked,
        "what": label,
        "kind": asked,
        "effect": nats(run, 3),
        "then": then_of(run),
    }
