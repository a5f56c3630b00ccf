"""What all pictures share: colours, labels, scales, numbers in words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from probes.locale import say
from probes.numbers import which
from probes.record.results import ProbeResult
from probes.text.characters import all_visible

if TYPE_CHECKING:
    import altair as alt

INK = "#2f2d2b"
"""The text colour of a picture on white; a dark page gives its own."""
BLUE, GREY, ORANGE = "#2c7fb8", "#b4b2ae", "#e66101"
"""Effects: the answer hangs on it, no change, it stands in the answer's way."""
LIGHT_BLUE, LIGHT_ORANGE = "#8fbfe0", "#f4b183"
CLEAN, NOW, PINNED = "#8f8d89", "#009e73", "#cc79a7"
"""Runs: grey for the clean one, two of Okabe and Ito's colours that no effect has."""
LABEL_PIXELS = 170
ROW_PIXELS, BAR_PIXELS, ANSWER_PIXELS = 17, 13, 22
SMALLEST_SCALE = math.log(2)
"""nats: an answer's probability doubled or halved. Less than that never looks like much."""
PARTING = "\u241f"
"""Unit separator symbol: parts the two labels of a row, and stands in no passage's word."""


def literal(value: Any) -> str:
    """Texts inside a Vega expression, which would otherwise spell out what no picture can hold."""
    return json.dumps(all_visible(value))


def named(text: str, occurrence: int, occurrences: int) -> str:
    """A unit's text for a label, short and on one line, and which of several equal ones it is."""
    return short(text) + which(occurrence, occurrences)


def short(text: str, most: int = 28) -> str:
    text = " ".join(text.replace(PARTING, " ").split()) or "␣"
    return text if len(text) <= most else text[: most - 1] + "…"


def drawn(row: Mapping[str, Any], reach: float) -> float:
    """A row's effect as a picture shows it, nats: what is infinite goes to the end of the scale."""
    if row["effect_log_prob"] is not None:
        return float(row["effect_log_prob"])
    return math.copysign(reach, row["effect_probability"]) if row["effect_probability"] else 0.0


def nats_text(nats: float | None, digits: int = 2) -> str:
    """A signed number with a true minus; 0 where it rounds to that, minus infinity where nothing is left."""
    if nats is None:
        return "−∞"
    shown = f"{nats:+.{digits}f}".replace("-", "−")
    return shown if shown.strip("+−0.") else "0"


def row_of(label: str, number: str) -> str:
    """A row's place on the axis: its label and its number, which the two axes take apart again."""
    return f"{label}{PARTING}{number}"


def labelled(
    side: Literal["left", "right"], values: Sequence[Mapping[str, Any]], limit: int = LABEL_PIXELS
) -> alt.Y:
    """The rows, labelled on one side: names left, numbers right. Axes have the theme's colours.

    Args:
        values: the data drawn, in the order wanted. Their rows are named in the scale: a picture that is only
            given new data keeps the rows it had in their places, and puts new ones behind them.
        limit: pixels that a label may be wide.
    """
    import altair as alt

    part = 0 if side == "left" else 1
    axis = alt.Axis(
        orient=side,
        labelExpr=f"split(datum.value, '{PARTING}')[{part}]",
        labelLimit=limit,
        labelOverlap=False,
        labelBound=False,
        labelFlush=False,
        labelFontSize=12,
        ticks=False,
        domain=False,
    )
    rows = alt.Scale(domain=[value["row"] for value in values])
    return alt.Y("row:N", sort=None, title=None, axis=axis, scale=rows)


def numbers_at_the_right(x: str, values: Sequence[Mapping[str, Any]]) -> alt.Chart:
    import altair as alt

    found: alt.Chart = alt.Chart().mark_point(opacity=0).encode(x=alt.X(x), y=labelled("right", values))
    return found


def doubts(values: Sequence[Mapping[str, Any]]) -> list[alt.Chart]:
    """A thin line from `low` to `high` of each row that has them: how far its number is known."""
    import altair as alt

    if not any(value.get("low") is not None for value in values):
        return []
    lines_ = alt.Chart().transform_filter("isValid(datum.low)").mark_rule(strokeWidth=1.5, color=INK)
    return [lines_.encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"), y=labelled("left", values))]


def diverging(reach: float) -> alt.Scale:
    """Blue to orange, lighter towards zero; grey is left to what counts as no change."""
    import altair as alt

    near = reach * 1e-6
    colours = [BLUE, LIGHT_BLUE, LIGHT_ORANGE, ORANGE]
    return alt.Scale(domain=[-reach, -near, near, reach], range=colours, interpolate="rgb")


def lines(key: str, lang: str, **values: object) -> list[str]:
    """A title as Vega takes it: it never breaks one itself, but cuts it at the edge of a narrow page."""
    return say(key, lang, **values).split("\n")


def effect_title(
    result: ProbeResult, lang: str, *, cut: bool = False, changed: bool = False, points: bool = False
) -> list[str]:
    """What the axis measures: on which answer, in which unit; of removals, of links that are cut, or of a
    passage that is told otherwise.

    In lines, as :func:`lines` has them.
    """
    target = result.data["target"]
    if changed:
        against = target.get("against_text")
        key = "charts.axis_changed" if against is None else "charts.axis_changed_contrast"
        return lines(key, lang, answer=target["text"], against=against)
    if target["kind"] == "contrast":
        names = {a["answer"]: a["name"] for a in result.data["clean"]["answers"]}
        key = "charts.axis_cut_contrast" if cut else "charts.axis_contrast"
        return lines(key, lang, answer=target["text"], against=names[target["against"]])
    key = "charts.axis_cut" if cut else "charts.axis_points" if points else "charts.axis_answer"
    return lines(key, lang, answer=target["text"])


def layered(parts: Sequence[Any], height: float) -> alt.LayerChart:
    """The parts over one another, as high as given."""
    import altair as alt

    chart: Any = alt.layer(*parts).properties(height=height)
    return cast("alt.LayerChart", chart)


def specification(chart: alt.LayerChart, *, ink: str = INK) -> dict[str, Any]:
    """The chart as a Vega-Lite specification for a page: as wide as there is room, rows as high as they are.

    Said as a whole by the page's own description: the names that Vega gives its marks, "nats: −5.85; row: …"
    one after the other and in English, tell a screen reader nothing.

    Unchecked: that takes a second, and the tests do it. Padded, as Vega fits a picture but for a few pixels.

    Args:
        ink: the page's colour of text, in the place of that of a picture by itself.
    """
    spec: dict[str, Any] = _inked(all_visible(chart.to_dict(validate=False)), ink)
    config = spec.get("config", {})
    if '"description"' not in json.dumps(spec):  # marks that say what they are go on saying it
        mute = {part: {"aria": False} for part in ("mark", "axis", "legend", "title", "header")}
        config = {**config, "aria": False, **mute}
    return {
        **spec,
        "config": config,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": {"left": 3, "right": 6},
    }


def _inked(value: Any, ink: str) -> Any:
    """A specification with its ink exchanged."""
    if isinstance(value, dict):
        return {name: _inked(inner, ink) for name, inner in value.items()}
    if isinstance(value, list):
        return [_inked(inner, ink) for inner in value]
    return ink if value == INK else value
