"""Patching: which states of one run, put into the other, bring that one's answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.charts.cells import CONTRARY, INK, SEEN, STRONG, gradient, lettering, tips
from probes.charts.common import layered, named
from probes.locale import say
from probes.numbers import percent, signed
from probes.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

FAINT = 0.05
"""Share of the difference under which a cell stays grey."""
ROOMY = 26
"""Up to so many words a cell has room for its number."""


def sites_of(result: ProbeResult) -> list[str]:
    """The kinds of states that were put in, in the order of the record."""
    return list(dict.fromkeys(row["site"] for row in result.data["rows"]))


def patch_map(result: ProbeResult, lang: str, *, site: str | None = None, ink: str = INK) -> alt.LayerChart:
    """Layers by words: how much of the difference between the two runs this one state carries.

    0: the answer is as it was; 1: it is the other run's; below 0: it went the other way. Words that differ
    between the two passages are marked with a triangle.
    """
    import altair as alt

    kind = site or sites_of(result)[0]
    rows = [row for row in result.data["rows"] if row["site"] == kind and row.get("head") is None]
    words = {row["unit"]: row["text"] for row in rows}
    order, layers = sorted(words), sorted({row["layer"] for row in rows})
    changed = _changed(result, rows)
    names = {f"u{n}": ("▼ " if n in changed else "") + named(words[n], 1, 1) for n in order}
    x = alt.X(
        "column:N",
        title=say("charts.axis_word", lang),
        scale=alt.Scale(domain=[f"u{n}" for n in order], paddingInner=0.06),
        axis=alt.Axis(
            labelExpr=f"({json.dumps(names)})[datum.value]",
            labelAngle=-60,
            labelLimit=90,
            labelOverlap=False,
            ticks=False,
        ),
    )
    y = alt.Y(
        "layer:O", title=say("charts.axis_layer", lang), scale=alt.Scale(domain=layers, paddingInner=0.06)
    )
    values = [_cell(row, lang, roomy=len(order) <= ROOMY) for row in rows]
    near = FAINT / 2
    shades = [CONTRARY, "rgba(204,121,167,0.1)", "rgba(0,158,115,0.06)", SEEN]
    scale = alt.Scale(domain=[-1, -near, near, 1], range=shades, interpolate="rgb", clamp=True)
    strip = gradient(say("charts.axis_recovered", lang), values=[-1, 0, 1], format=".0%")
    table = alt.Chart(alt.InlineData(values=values))
    cells = table.mark_rect().encode(
        x=x,
        y=y,
        color=alt.Color("recovered:Q", scale=scale, legend=strip),
        tooltip=tips(lang, "where", "word", "share", "effect", "then"),
    )
    texts = table.mark_text(fontSize=10, aria=False).encode(x=x, y=y, text="text:N", color=lettering(ink))
    height = 30 if len(layers) <= 8 else 20 if len(layers) <= 16 else 14
    return layered([cells, texts], height * len(layers))


def _changed(result: ProbeResult, rows: list[dict[str, Any]]) -> set[int]:
    spans = [tuple(span) for span in result.data["counterfactual"]["changed"]]
    return {row["unit"] for row in rows if any(a < row["end"] and row["start"] < b for a, b in spans)}


def _cell(row: Mapping[str, Any], lang: str, *, roomy: bool) -> dict[str, Any]:
    then = next(a for a in row["answers"] if a["answer"] == row["top"])
    share = float(row["recovered"] or 0.0)
    quiet = abs(share) < FAINT
    return {
        "column": f"u{row['unit']}",
        "layer": row["layer"],
        "recovered": share,
        "strong": abs(share) > STRONG,
        "text": ""
        if quiet
        else f"{100 * share:.0f}".replace("-", "−")
        if roomy
        else ("+" if share > 0 else "−"),
        "where": say("charts.layer", lang, layer=row["layer"]),
        "word": row["text"],
        "share": f"{signed(100 * share, 1)} %",
        "effect": "–" if row["effect_log_prob"] is None else signed(row["effect_log_prob"], 4),
        "then": f"{then['name']} ({percent(then['probability'])})",
    }
