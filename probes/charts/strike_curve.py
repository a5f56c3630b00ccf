"""The answer's probability while words are struck."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from probes.charts.cells import tips
from probes.charts.common import BLUE, INK, layered
from probes.locale import say
from probes.numbers import percent
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

HEIGHT = 120


def strikes(result: ProbeResult, lang: str, *, at: int | None = None) -> alt.LayerChart:
    """The target's probability by how many units are left, from the whole passage to what cannot be struck.

    Args:
        at: the step that is on show, which has a ring around it.
    """
    import altair as alt

    data = result.data
    label = data["target"]["label"]
    values: list[dict[str, Any]] = []
    for number, step in enumerate(data["steps"]):
        share = next(a["probability"] for a in step["answers"] if a["answer"] == label)
        left = len(step["kept"])
        values.append(
            {"left": left, "share": share, "number": percent(share), "what": str(left), "on": number == at}
        )
    x = alt.X(
        "left:Q",
        title=say("charts.axis_left", lang),
        scale=alt.Scale(reverse=True, domain=[0, len(data["units"])], nice=False),
        axis=alt.Axis(grid=False, tickMinStep=1),
    )
    y = alt.Y(
        "share:Q",
        title=say("charts.axis_share", lang, answer=data["target"]["text"]),
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", tickCount=3),
    )
    table = alt.Chart(alt.InlineData(values=values))
    ring = table.mark_point(size=190, color=INK, strokeWidth=2).transform_filter("datum.on").encode(x=x, y=y)
    parts = [
        table.mark_line(interpolate="step-after", color=BLUE).encode(x=x, y=y),
        table.mark_point(filled=True, size=60, color=BLUE).encode(
            x=x, y=y, tooltip=tips(lang, "what", "number")
        ),
        ring,
    ]
    return layered(parts, HEIGHT)
