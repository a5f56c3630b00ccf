"""A set of passages: the mean of each part's number with its interval, strongest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from probes.charts.cells import CONTRARY, SEEN
from probes.charts.common import (
    BLUE,
    GREY,
    ORANGE,
    ROW_PIXELS,
    labelled,
    nats_text,
    numbers_at_the_right,
    row_of,
)
from probes.locale import say
from probes.numbers import percent, shared
from probes.record.results import ProbeResult
from probes.studies.over_telling import Over, flip_share

if TYPE_CHECKING:
    import altair as alt

POINT, SMALL = 70, 14
LABEL_PIXELS = 215
SMALLEST_SHOWN = 0.005
"""Less is written as 0, or as 0 %."""


def over_rows(over: Over, result: ProbeResult, *, most: int = 20) -> tuple[list[dict[str, Any]], int]:
    """The rows that the picture shows, strongest first, and how many it does not: those whose mean is shown
    as nothing tell nothing, except where all are like that.
    """
    measure = over.measure
    known = [row for row in result.data["rows"] if row.get(measure) is not None]
    ranked = sorted(known, key=lambda row: -abs(row[measure]))
    # of what changes nothing, nothing is a finding
    told = [row for row in ranked if abs(row[measure]) >= SMALLEST_SHOWN] if over.strongest else ranked
    told = told or ranked
    return told[:most], len(ranked) - len(told[:most])


def over_points(over: Over, result: ProbeResult, lang: str, *, most: int = 20) -> alt.LayerChart:
    """Means with 95 % intervals over passages, small each passage's value; grey where there is no interval,
    where it holds zero, or where the mean is no change.

    At the right stand the mean and, where the study knows it, the share of passages whose answer changes.
    """
    import altair as alt

    measure, share = over.measure, over.share
    rows, _ = over_rows(over, result, most=most)
    quiet = 0.0 if measure != "effect_log_prob" else float(result.data["thresholds"]["nats"])
    values = [_datum(row, over, lang, quiet) for row in rows]
    title = say(f"charts.over_{measure}", lang)
    shown: dict[str, Any] = {"title": title, "axis": alt.Axis(format="%") if share else alt.Axis()}
    x = alt.X("mean:Q", **shown)
    tips = _tips(lang, "what", "mean_text", "interval", "median", "carried", "changed", "passages")
    each = [
        {"row": value["row"], "value": one, "each": _text(share)(one), "what": value["what"], "number": n}
        for value, row in zip(values, rows, strict=True)
        for n, one in enumerate(row.get("values") or (), 1)
        if one is not None
    ]
    colour = alt.Color("colour:N", scale=None)
    lines = alt.Chart().mark_rule(strokeWidth=2.5).encode(x=alt.X("low:Q", **shown), x2="high:Q")
    points = alt.Chart().mark_point(filled=True, opacity=1, size=POINT).encode(x=x)
    zero = alt.Chart(alt.InlineData(values=[{"at": 0}])).mark_rule(color=GREY).encode(x="at:Q")
    rows_at_the_left = labelled("left", values, LABEL_PIXELS)
    both = [part.encode(y=rows_at_the_left, color=colour, tooltip=tips) for part in (lines, points)]
    passages = (
        alt.Chart(alt.InlineData(values=each))
        .mark_circle(size=SMALL, color=GREY, opacity=0.55)
        .encode(
            x=alt.X("value:Q", **shown), y=rows_at_the_left, tooltip=_tips(lang, "what", "each", "number")
        )
    )
    layers: list[Any] = [zero, passages, *both, numbers_at_the_right("mean:Q", values)]
    chart = alt.layer(*layers, data=alt.InlineData(values=values)).resolve_axis(y="independent")
    found: alt.LayerChart = chart.properties(height=ROW_PIXELS * max(len(rows), 1))
    return found


def _tips(lang: str, *names: str) -> list[Any]:
    import altair as alt

    return [alt.Tooltip(f"{name}:N", title=say(f"charts.tip_{name}", lang)) for name in names]


def _text(share: bool) -> Callable[[float], str]:
    return shared if share else nats_text


def _colour(measure: str, mean: float) -> str:
    """Blue and orange for what a removal does; what is none has colours of its own."""
    if measure == "effect_log_prob":
        return BLUE if mean < 0 else ORANGE
    return SEEN if mean > 0 else CONTRARY


def _datum(row: Mapping[str, Any], over: Over, lang: str, quiet: float) -> dict[str, Any]:
    measure = over.measure
    mean, low, high = row[measure], row.get(f"{measure}_low"), row.get(f"{measure}_high")
    sure = low is not None and high is not None and (low > 0 or high < 0) and abs(mean) >= quiet
    text, median, carried = _text(over.share), row.get("median"), row.get("carried_by")
    flips = flip_share(row)
    changed, number = "–" if flips is None else percent(flips), text(mean)
    if flips:
        number = say("charts.over_number", lang, number=number, share=changed)
    return {
        "row": row_of(over.short(row, lang), number),
        "mean": mean,
        "low": mean if low is None else low,
        "high": mean if high is None else high,
        "colour": _colour(measure, mean) if sure else GREY,
        "what": over.name(row, lang),
        "mean_text": text(mean),
        "interval": "–" if low is None or high is None else f"{text(low)} … {text(high)}",
        "median": "–" if median is None else text(median),
        "carried": "–" if carried is None else f"{carried} / {row['passages']}",
        "changed": changed,
        "passages": row["passages"],
    }
