"""Does attention find the words that matter? Its rank agreement with the words' effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from probes.charts.cells import CONTRARY, SEEN, gradient, lettering, level_axis, tips
from probes.charts.common import layered, lines
from probes.locale import say
from probes.numbers import found_among, signed
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

ROOMY = 14


def agreement_map(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Layer by head: Spearman's rank correlation of what it reads with what removing the same words does."""
    import altair as alt

    rows = [row for row in result.data["agreement"]["rows"] if row["rho"] is not None]
    columns = sorted({row["layer"] for row in rows})
    values = [
        {
            "layer": row["layer"],
            "head": row["head"],
            "rho": row["rho"],
            "rho_rank": signed(row["rho"], 3),
            "where": say("charts.head", lang, layer=row["layer"], head=row["head"]),
            "among": found_among(row, result.data["agreement"]),
            "text": signed(row["rho"]) if len(columns) <= ROOMY else "",
            "strong": abs(row["rho"]) > 0.55,
        }
        for row in rows
    ]
    shades = [CONTRARY, "rgba(204,121,167,0.1)", "rgba(0,158,115,0.06)", SEEN]
    scale = alt.Scale(domain=[-1, -0.02, 0.02, 1], range=shades, interpolate="rgb")
    strip = gradient(lines("charts.axis_agreement", lang), values=[-1, 0, 1], format="+.1f")
    x = alt.X(
        "layer:O",
        title=say("charts.axis_layer", lang),
        axis=alt.Axis(labelAngle=0, labelFlush=False),
        scale=_packed(),
    )
    y = alt.Y(
        "head:O",
        title=say("charts.axis_head", lang),
        scale=_packed(),
        axis=level_axis(),
    )
    table = alt.Chart(alt.InlineData(values=values))
    cells = table.mark_rect().encode(
        x=x,
        y=y,
        color=alt.Color("rho:Q", scale=scale, legend=strip),
        tooltip=tips(lang, "where", "rho_rank", "among"),
    )
    texts = table.mark_text(fontSize=10, aria=False).encode(
        x=x, y=y, text=alt.Text("text:N"), color=lettering()
    )
    heads = 1 + max((row["head"] for row in rows), default=0)
    return layered([cells, texts], (30 if heads <= 6 else 20) * heads)


def _packed() -> Any:
    import altair as alt

    return alt.Scale(paddingInner=0.06)
