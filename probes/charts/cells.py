"""What maps share: cells coloured by an effect, in both themes, told apart without colour too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from probes.charts.common import INK, SMALLEST_SCALE, drawn, literal, nats_text
from probes.locale import say
from probes.numbers import nats, percent, signed

if TYPE_CHECKING:
    import altair as alt

QUIET = "rgba(150,148,144,0.28)"
"""Within what counts as no change."""
SEEN = "#009e73"
"""What is no effect of a removal: attention read, an answer restored."""
CONTRARY = "#cc79a7"
MOST_STACKED = 6
"""Characters of a Chinese word that stand under a column."""
STRONG = 0.55
"""Share of the scale from which on a cell's text is white."""


def reach_of(rows: list[dict[str, Any]], field: str = "effect_log_prob") -> float:
    """Where colour is full, nats: the largest effect, at least that of doubling or halving."""
    found: float = max([SMALLEST_SCALE, *(abs(row[field]) for row in rows if row.get(field) is not None)])
    return found


def effect_colour(reach: float, title: list[str]) -> Any:
    """Blue to orange, clearer towards zero so that either theme shines through, and a quiet grey."""
    import altair as alt

    near = reach * 1e-6
    shades = ["rgba(44,127,184,1)", "rgba(44,127,184,0.14)", "rgba(230,97,1,0.14)", "rgba(230,97,1,1)"]
    scale = alt.Scale(domain=[-reach, -near, near, reach], range=shades, interpolate="rgb")
    values = [-reach, -reach / 2, 0, reach / 2, reach]
    zero = "datum.value == 0 ? '0' : format(datum.value, '+.2~f')"
    legend = gradient(title, values=values, labelExpr=zero)
    return alt.condition("datum.quiet", alt.value(QUIET), alt.Color("nats:Q", scale=scale, legend=legend))


def gradient(title: list[str], *, orient: Literal["top", "bottom"] = "top", **more: Any) -> alt.Legend:
    """A scale beside the picture: its title (lines), a strip, numbers."""
    import altair as alt

    return alt.Legend(
        title=title,
        orient=orient,
        direction="horizontal",
        titleLimit=600,
        titleFontWeight="normal",
        gradientLength=200,
        gradientThickness=9,
        offset=4,
        **more,
    )


def effect_cell(
    row: Mapping[str, Any], reach: float, lang: str, *, roomy: bool, quiet_nats: float = 0.05, digits: int = 2
) -> dict[str, Any]:
    """What a cell of one run carries: its number for colour, its text, what pointing at it tells.

    Args:
        roomy: whether a number fits into it; else only its sign stands there.
        quiet_nats: what counts as no change where a row is an estimate, which knows no answers.
    """
    rough = bool(row.get("estimate"))
    moved = float(row["effect_log_prob"]) if rough else drawn(row, reach)
    quiet = abs(moved) < quiet_nats if row["no_change"] is None else bool(row["no_change"])
    number = ("≈" if rough else "") + nats_text(row["effect_log_prob"], digits)
    points = row["effect_probability"]
    return {
        "nats": moved,
        "quiet": quiet,
        "rough": rough,
        "text": "" if quiet else number if roomy else ("−" if moved < 0 else "+"),
        "strong": not quiet and abs(moved) > STRONG * reach,
        "effect": ("≈ " if rough else "") + nats(row, digits=4),
        "points": "–" if points is None else signed(100 * points),
        "then": then_of(row),
        "change": say("charts.no_change" if quiet else "charts.changed", lang),
    }


def then_of(row: Mapping[str, Any]) -> str:
    """The answer of that run and its probability; an estimate knows none."""
    then = next((a for a in row["answers"] if a["answer"] == row["top"]), None)
    return "–" if then is None else f"{then['name']} ({percent(then['probability'])})"


def tips(lang: str, *names: str) -> list[Any]:
    """What pointing at a mark tells: (field, its name in words)."""
    import altair as alt

    return [alt.Tooltip(f"{name}:N", title=say(f"charts.tip_{name}", lang)) for name in names]


def level_axis(**more: Any) -> alt.Axis:
    """Layers or heads at the left, their title level over their numbers."""
    import altair as alt

    title: dict[str, Any] = {
        "titleAngle": 0,
        "titleAlign": "right",
        "titleBaseline": "bottom",
        "titleX": -6,
        "titleY": -6,
    }
    return alt.Axis(labelFlush=False, **title, **more)


def word_axis(names: Mapping[str, str]) -> alt.Axis:
    """Words under a map, by the name of their column: on end, Chinese ones from top to bottom."""
    import altair as alt

    upright = sum(any("\u2e80" <= c <= "\uffef" for c in name) for name in names.values()) > len(names) / 2
    label = f"({literal(names)})[datum.value] || ''"
    shared: dict[str, Any] = {"labelOverlap": "greedy", "labelFlush": False, "ticks": False}
    if not upright:
        return alt.Axis(labelExpr=label, labelAngle=-90, labelLimit=90, **shared)
    short = f"slice({label}, 0, {MOST_STACKED})"
    return alt.Axis(
        labelExpr=f"split({short}, '')", labelAngle=0, labelLineHeight=11, labelFontSize=10, **shared
    )


def lettering() -> Any:
    """White on strong colours, the page's ink on the others."""
    import altair as alt

    return alt.condition("datum.strong", alt.value("white"), alt.value(INK))
