"""How the number that a model answers goes with the number of mentions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from probes.charts.cells import tips
from probes.charts.common import BLUE, GREY, ORANGE, layered
from probes.locale import say
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

COLOURS = {"mention": BLUE, "control": GREY, "taken": ORANGE}
SHAPES = {"mention": "circle", "control": "square", "taken": "triangle-down"}
HEIGHT = 260


def mentions(result: ProbeResult, lang: str) -> alt.LayerChart:
    """The mean number answered (with its interval) by the number of sentences added; on the dashed line it
    would be as many as there are mentions.
    """
    import altair as alt

    data = result.data
    names = {kind: say(f"frequency.kind_{kind}", lang) for kind in COLOURS}
    values: list[dict[str, Any]] = [
        {
            "kind": names[mean["kind"]],
            "added": mean["added"],
            "expected": mean["expected"],
            "low": mean["expected_low"],
            "high": mean["expected_high"],
            "what": names[mean["kind"]],
            "number": f"{mean['expected']:.3f}",
            "kept": f"{mean['kept']} / {mean['n']}",
        }
        for mean in data["means"]
    ]
    shared = {"added": 0, "expected": data["expected"], "low": None, "high": None}
    told = {"number": f"{data['expected']:.3f}", "kept": "", "what": say("charts.run_clean", lang)}
    used = dict.fromkeys(value["kind"] for value in values)
    values += [{**shared, **told, "kind": kind} for kind in used]
    kinds = [kind for kind, name in names.items() if name in used]
    domain = [names[kind] for kind in kinds]
    x = alt.X(
        "added:Q",
        title=say("charts.axis_added", lang),
        axis=alt.Axis(tickMinStep=1, format="+d", grid=False),
    )
    y = alt.Y("expected:Q", title=say("charts.axis_expected", lang), scale=alt.Scale(zero=True))
    colour = alt.Color(
        "kind:N",
        title=None,
        scale=alt.Scale(domain=domain, range=[COLOURS[kind] for kind in kinds]),
        legend=alt.Legend(orient="top", labelLimit=260, columns=2),
    )
    shape = alt.Shape(
        "kind:N", title=None, scale=alt.Scale(domain=domain, range=[SHAPES[kind] for kind in kinds])
    )
    table = alt.Chart(alt.InlineData(values=values))
    ends = sorted({value["added"] for value in values if value["kind"] != names["control"]})
    line = [{"added": n, "expected": data["mentions"] + n, "text": ""} for n in (ends[0], ends[-1])]
    line[-1]["text"] = say("charts.as_many", lang)
    straight = alt.Chart(alt.InlineData(values=line))
    parts = [
        straight.mark_line(strokeDash=[5, 4], color=GREY).encode(x=x, y=y),
        straight.mark_text(align="right", dy=-8, color=GREY).encode(x=x, y=y, text=alt.Text("text:N")),
        table.mark_rule(strokeWidth=1.5)
        .transform_filter("isValid(datum.low)")
        .encode(x=x, y=alt.Y("low:Q"), y2=alt.Y2("high:Q"), color=colour),
        table.mark_line().encode(x=x, y=y, color=colour),
        table.mark_point(filled=True, size=70).encode(
            x=x, y=y, color=colour, shape=shape, tooltip=tips(lang, "what", "number", "kept")
        ),
    ]
    return layered(parts, HEIGHT)
