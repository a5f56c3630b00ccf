"""Effects of taking away each unit: bars, strongest first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.charts.common import (
    GREY,
    ROW_PIXELS,
    SMALLEST_SCALE,
    diverging,
    doubts,
    drawn,
    effect_title,
    labelled,
    named,
    nats_text,
    numbers_at_the_right,
    row_of,
    short,
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


def scale_of(result: ProbeResult) -> float:
    """Where colour is full and the axis ends, nats: the largest effect, at least `SMALLEST_SCALE`."""
    rows = [*result.data["rows"], *result.data.get("groups", ())]
    known = [abs(row["effect_log_prob"]) for row in rows if row["effect_log_prob"] is not None]
    known += [abs(end) for row in rows for end in row.get("effect_log_prob_interval", ()) if end is not None]
    found: float = max([*known, SMALLEST_SCALE])
    return found


def effects(
    result: ProbeResult, lang: str, *, most: int | None = 20, groups: bool = False, alone: bool = False
) -> alt.LayerChart:
    """Bars, strongest first: how the target's log-probability moves (nats) when each unit is taken away.

    The band is what counts as no change, the darker line in it the noise floor; the page's caption and the
    saved picture's subtitle say both in numbers. Each bar's number, and the answer it leads to where that is
    another, stand at the right.

    Args:
        most: how many rows; None for all.
        groups: whether equal words taken away together are ranked among the others.
        alone: whether the target is a text compared with no other: then nothing leads, and no answer changes.
    """
    import altair as alt

    rows = effect_rows(result, groups=groups)[:most]
    reach = scale_of(result)
    values = [_effect_datum(result, row, reach, lang) for row in rows]
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    x = alt.X("nats:Q", title=effect_title(result, lang), scale=scale)
    names = ["what", "effect", *(() if alone else ("points", "lead", "then")), "rank", "change"]
    tips = [alt.Tooltip(f"{name}:N", title=say(f"charts.tip_{name}", lang)) for name in names]
    bars = (
        alt.Chart()
        .mark_bar(height={"band": 0.78})
        .encode(
            x=x,
            y=labelled("left", values),
            color=alt.condition(
                "datum.quiet", alt.value(GREY), alt.Color("nats:Q", scale=diverging(reach), legend=None)
            ),
            tooltip=tips,
        )
    )
    layers = [*_bands(result, reach), bars, *doubts(values), numbers_at_the_right("nats:Q", values)]
    chart = alt.layer(*layers, data=alt.InlineData(values=values)).resolve_axis(y="independent")
    found: alt.LayerChart = chart.properties(height=ROW_PIXELS * max(len(rows), 1))
    return found


def unfinished(found: Sequence[tuple[str, float | None]], lang: str, *, most: int = 20) -> alt.LayerChart:
    """The strongest of the effects (label, nats) that a run has found so far."""
    import altair as alt

    rows = sorted(found, key=lambda row: -abs(row[1]) if row[1] is not None else -math.inf)[:most]
    reach = max([SMALLEST_SCALE, *(abs(nats) for _, nats in rows if nats is not None)])
    values = [
        {"row": row_of(f"{label}{' ' * n}", nats_text(nats)), "nats": -reach if nats is None else nats}
        for n, (label, nats) in enumerate(rows)
    ]
    x = alt.X(
        "nats:Q", title=say("charts.axis_so_far", lang), scale=alt.Scale(domain=[-reach, reach], nice=False)
    )
    colour = alt.Color("nats:Q", scale=diverging(reach), legend=None)
    bars = alt.Chart().mark_bar(height={"band": 0.78}).encode(x=x, y=labelled("left", values), color=colour)
    chart = alt.layer(bars, numbers_at_the_right("nats:Q", values), data=alt.InlineData(values=values))
    value: alt.LayerChart = chart.resolve_axis(y="independent").properties(
        height=ROW_PIXELS * max(len(rows), 1)
    )
    return value


def _effect_datum(result: ProbeResult, row: Mapping[str, Any], reach: float, lang: str) -> dict[str, Any]:
    then = next(a for a in row["answers"] if a["answer"] == row["top"])
    shown, points, flips = nats(row), row["effect_probability"], flips_clearly(row, result.data)
    change = "no_change" if row["no_change"] else "changed"
    return {
        "row": row_of(row["label"], f"{shown} → {then['name']}" if flips else shown),
        "nats": drawn(row, reach),
        "quiet": row["no_change"] is not False,
        "what": row["label"],
        "effect": nats(row, digits=4),
        "points": "n/a" if points is None else f"{100 * points:+.2f}".replace("-", "−"),
        "lead": signed_if_known(row.get("effect_lead")),
        "then": f"{then['name']} ({percent(then['probability'])})",
        "rank": "–" if row["all"] else ranked_among(row),
        "change": shown if points is None else say(f"charts.{change}", lang),
        **_ends(row, reach),
    }


def _ends(row: Mapping[str, Any], reach: float) -> dict[str, float]:
    """Where an effect may lie that is not known exactly; an open end is drawn to the edge."""
    if "effect_log_prob_interval" not in row or row["effect_log_prob"] is None:
        return {}
    low, high = row["effect_log_prob_interval"]
    return {"low": -reach if low is None else low, "high": reach if high is None else high}


def _bands(result: ProbeResult, end: float) -> list[Any]:
    """What counts as no change, the noise floor inside it, and zero."""
    import altair as alt

    still = min(result.data["thresholds"]["nats"], end)
    noise = min(result.data["noise_floor"] or 0.0, end)
    layers = []
    for half, opacity in ((still, 0.25), (noise, 0.6)):
        box = alt.Chart(alt.InlineData(values=[{"from": -half, "to": half}]))
        layers.append(box.mark_rect(color=GREY, opacity=opacity).encode(x="from:Q", x2="to:Q"))
    zero = alt.Chart(alt.InlineData(values=[{"at": 0}])).mark_rule(color=GREY).encode(x="at:Q")
    return [*layers, zero]
