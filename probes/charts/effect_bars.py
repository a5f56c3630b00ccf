"""Effects of taking away each unit: bars, strongest first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.charts.common import (
    GREY,
    ROW_PIXELS,
    diverging,
    doubts,
    effect_title,
    labelled,
    named,
    nats_text,
    numbers_at_the_right,
    row_of,
    short,
)
from probes.charts.measures import (
    Measure,
    effect_in,
    interval_in,
    known_in,
    measured_in,
    smallest,
    still_in,
    text_in,
)
from probes.locale import say
from probes.numbers import nats, percent, ranked_among, signed_if_known, strength
from probes.record.leads import flips_clearly
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt


def effect_rows(result: ProbeResult, *, groups: bool = False) -> list[dict[str, Any]]:
    """One row a unit (and a group of equal ones), strongest first, with a label that no other row has."""
    data = result.data
    rows = [{**row, "label": unit_label(row), "all": False} for row in data["rows"]]
    if groups:
        rows += [
            {**g, "label": f"{short(g['text'])} ×{len(g['members'])}", "all": True} for g in data["groups"]
        ]
    rows.sort(key=lambda row: -strength(row))
    seen: dict[str, int] = {}
    for row in rows:
        seen[row["label"]] = seen.get(row["label"], 0) + 1
        if seen[row["label"]] > 1:
            row["label"] += f" ({seen[row['label']]})"
    return rows


def unit_label(row: Mapping[str, Any]) -> str:
    """The unit's text, and which of several equal ones it is: 咖啡店²."""
    return named(row["text"], row["occurrence"], row["occurrences"])


def scale_of(result: ProbeResult, measure: Measure = "nats") -> float:
    """Where colour is full and the axis ends, in the measure's unit: the largest effect, and never so little
    that a trifle looks like much.
    """
    rows = [*result.data["rows"], *result.data.get("groups", ())]
    known = [abs(value) for row in rows for value in known_in(measure, row)]
    found: float = max([*known, smallest(measure)])
    return found


def effects(
    result: ProbeResult,
    lang: str,
    *,
    most: int | None = 20,
    groups: bool = False,
    alone: bool = False,
    measure: Measure = "nats",
) -> alt.LayerChart:
    """Bars, strongest first: how the target's log-probability moves (nats), or its probability (percentage
    points), when each unit is taken away. The order is the same: one grows with the other.

    The band is what counts as no change, the darker line in it the noise floor; the page's caption and the
    saved picture's subtitle say both in numbers. Each bar's number, and the answer it leads to where that is
    another, stand at the right.

    Args:
        most: how many rows; None for all.
        groups: whether equal words taken away together are ranked among the others.
        alone: whether the target is a text compared with no other: then nothing leads, and no answer changes.
        measure: "points" where the target has a probability; of two answers against each other it is nats.
    """
    import altair as alt

    rows = effect_rows(result, groups=groups)[:most]
    measure = measured_in(result, measure)
    reach = scale_of(result, measure)
    values = [_effect_datum(result, row, reach, lang, measure) for row in rows]
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    x = alt.X("effect_size:Q", title=effect_title(result, lang, points=measure == "points"), scale=scale)
    names = ["what", "effect", *(() if alone else ("points", "lead", "then")), "rank", "change"]
    tips = [alt.Tooltip(f"{name}:N", title=say(f"charts.tip_{name}", lang)) for name in names]
    bars = (
        alt.Chart()
        .mark_bar(height={"band": 0.78})
        .encode(
            x=x,
            y=labelled("left", values),
            color=alt.condition(
                "datum.quiet",
                alt.value(GREY),
                alt.Color("effect_size:Q", scale=diverging(reach), legend=None),
            ),
            tooltip=tips,
        )
    )
    layers = [
        *_bands(result, reach, measure),
        bars,
        *doubts(values),
        numbers_at_the_right("effect_size:Q", values),
    ]
    chart = alt.layer(*layers, data=alt.InlineData(values=values)).resolve_axis(y="independent")
    found: alt.LayerChart = chart.properties(height=ROW_PIXELS * max(len(rows), 1))
    return found


def unfinished(
    found: Sequence[tuple[str, float | None]], lang: str, *, most: int = 20, measure: Measure = "nats"
) -> alt.LayerChart:
    """The strongest of the effects (label, size in the measure's unit) that a run has found so far."""
    import altair as alt

    rows = sorted(found, key=lambda row: -abs(row[1]) if row[1] is not None else -math.inf)[:most]
    reach = max([smallest(measure), *(abs(size) for _, size in rows if size is not None)])
    values = [
        {
            "row": row_of(f"{label}{' ' * n}", nats_text(size, digits=2 if measure == "nats" else 1)),
            "effect_size": -reach if size is None else size,
        }
        for n, (label, size) in enumerate(rows)
    ]
    title = say("charts.axis_so_far" if measure == "nats" else "charts.axis_so_far_points", lang)
    x = alt.X("effect_size:Q", title=title, scale=alt.Scale(domain=[-reach, reach], nice=False))
    colour = alt.Color("effect_size:Q", scale=diverging(reach), legend=None)
    bars = alt.Chart().mark_bar(height={"band": 0.78}).encode(x=x, y=labelled("left", values), color=colour)
    chart = alt.layer(bars, numbers_at_the_right("effect_size:Q", values), data=alt.InlineData(values=values))
    value: alt.LayerChart = chart.resolve_axis(y="independent").properties(
        height=ROW_PIXELS * max(len(rows), 1)
    )
    return value


def _effect_datum(
    result: ProbeResult, row: Mapping[str, Any], reach: float, lang: str, measure: Measure
) -> dict[str, Any]:
    then = next(a for a in row["answers"] if a["answer"] == row["top"])
    shown, points = text_in(measure, row), row["effect_probability"]
    flips = flips_clearly(row, result.data)
    change = "no_change" if row["no_change"] else "changed"
    return {
        "row": row_of(row["label"], f"{shown} → {then['name']}" if flips else shown),
        "effect_size": effect_in(measure, row, reach),
        "quiet": row["no_change"] is not False,
        "what": row["label"],
        "effect": nats(row, digits=4),
        "points": "n/a" if points is None else f"{100 * points:+.2f}".replace("-", "−"),
        "lead": signed_if_known(row.get("effect_lead")),
        "then": f"{then['name']} ({percent(then['probability'])})",
        "rank": "–" if row["all"] else ranked_among(row),
        "change": shown if points is None else say(f"charts.{change}", lang),
        **dict(zip(("low", "high"), interval_in(measure, row, reach) or (), strict=False)),
    }


def _bands(result: ProbeResult, end: float, measure: Measure) -> list[Any]:
    """What counts as no change, the noise floor inside it, and zero."""
    import altair as alt

    still, noise = still_in(measure, result)
    layers = []
    for half, opacity in ((min(still, end), 0.25), (min(noise, end), 0.6)):
        box = alt.Chart(alt.InlineData(values=[{"from": -half, "to": half}]))
        layers.append(box.mark_rect(color=GREY, opacity=opacity).encode(x=alt.X("from:Q"), x2=alt.X2("to:Q")))
    zero = alt.Chart(alt.InlineData(values=[{"at": 0}])).mark_rule(color=GREY).encode(x=alt.X("at:Q"))
    return [*layers, zero]
