"""Patching: which states of one run, put into the other, bring that one's answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.charts.cells import (
    CONTRARY,
    SEEN,
    STRONG,
    gradient,
    lettering,
    level_axis,
    then_of,
    tips,
    word_axis,
)
from probes.charts.common import layered, lines, named
from probes.locale import say
from probes.numbers import head_label, signed
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

FAINT = 0.05
"""Share of the difference under which a cell stays grey."""
ROOMY = 26
"""Up to so many words a cell has room for its number."""


MOST_HEADS = 24
"""Heads that are shown, those that carry most at one word."""
ANSWER = "answer"


def patch_map(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Layers (or heads) by words: how much of the difference between the two runs this one state carries.

    0: the answer is as it was; 1: it is the other run's; below 0: it went the other way. Words that differ
    between the two passages are marked with a triangle; the last column is where the answer is read off.
    """
    import altair as alt

    rows = _shown(result.data["rows"])
    names = _columns(result, lang)
    levels = list(dict.fromkeys(_level(row) for row in rows))
    x = alt.X(
        "column:N",
        title=say("charts.axis_word", lang),
        scale=alt.Scale(domain=list(names), paddingInner=0.06),
        axis=word_axis(names),
    )
    title = say("charts.axis_layer" if rows[0]["head"] is None else "charts.axis_layer_head", lang)
    y = alt.Y(
        "level:N",
        title=title,
        axis=level_axis(),
        scale=alt.Scale(domain=levels, paddingInner=0.06),
    )
    values = [_cell(row, lang, names, roomy=len(names) <= ROOMY) for row in rows]
    near = FAINT / 2
    shades = [CONTRARY, "rgba(204,121,167,0.1)", "rgba(0,158,115,0.06)", SEEN]
    scale = alt.Scale(domain=[-1, -near, near, 1], range=shades, interpolate="rgb", clamp=True)
    strip = gradient(lines("charts.axis_recovered", lang), values=[-1, 0, 1], format=".0%")
    table = alt.Chart(alt.InlineData(values=values))
    cells = table.mark_rect().encode(
        x=x,
        y=y,
        color=alt.Color("recovered:Q", scale=scale, legend=strip),
        tooltip=tips(lang, "where", "word", "share", "effect", "then"),
    )
    texts = table.mark_text(fontSize=10, aria=False).encode(
        x=x, y=y, text=alt.Text("text:N"), color=lettering()
    )
    height = 30 if len(levels) <= 8 else 20 if len(levels) <= 16 else 14
    return layered([cells, texts], height * len(levels))


def _level(row: Mapping[str, Any]) -> str:
    return str(row["layer"]) if row["head"] is None else head_label(row["layer"], row["head"])


def _shown(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """All layers; of heads those that carry most at one word."""
    most: dict[str, float] = {}
    for row in rows:
        level = _level(row)
        most[level] = max(most.get(level, 0.0), abs(row["recovered"] or 0.0))
    if not rows or rows[0]["head"] is None or len(most) <= MOST_HEADS:
        return list(rows)
    kept = set(sorted(most, key=lambda level: -most[level])[:MOST_HEADS])
    return [row for row in rows if _level(row) in kept]


def _columns(result: ProbeResult, lang: str) -> dict[str, str]:
    """Of each column its label: words in order, those that differ marked, the answer's place last."""
    spans = [tuple(span) for span in result.data["counterfactual"]["changed"]]
    names = {}
    for unit in result.data["units"]:
        differs = any(a < unit["end"] and unit["start"] < b for a, b in spans)
        word = named(unit["text"], unit["occurrence"], unit["occurrences"])
        names[f"u{unit['index']}"] = ("▼ " if differs else "") + word
    return {**names, "uanswer": say("charts.answer_place", lang)}


def _cell(row: Mapping[str, Any], lang: str, names: Mapping[str, str], *, roomy: bool) -> dict[str, Any]:
    share = float(row["recovered"] or 0.0)
    quiet = abs(share) < FAINT
    number = f"{100 * share:.0f}".replace("-", "−") if roomy else ("+" if share > 0 else "−")
    key = "charts.layer" if row["head"] is None else "charts.head"
    return {
        "column": f"u{row['unit']}",
        "level": _level(row),
        "recovered": share,
        "strong": abs(share) > STRONG,
        "text": "" if quiet else number,
        "where": say(key, lang, layer=row["layer"], head=row["head"]),
        "word": names[f"u{row['unit']}"],
        "share": f"{signed(100 * share, 1)} %",
        "effect": "–" if row["effect_log_prob"] is None else signed(row["effect_log_prob"], 4),
        "then": then_of(row),
    }
