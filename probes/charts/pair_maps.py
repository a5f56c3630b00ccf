"""Pairs of words: how far two deletions act on each other, as a map of words by words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.charts.cells import QUIET, STRONG, gradient, reach_of, then_of, tips, word_axis
from probes.charts.common import INK, layered, lines, literal, named
from probes.locale import say
from probes.numbers import signed_if_known
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

MOST_WORDS = 22
ROW = 18
SHADES = ["rgba(230,97,1,1)", "rgba(230,97,1,0.14)", "rgba(44,127,184,0.14)", "rgba(44,127,184,1)"]
"""Orange where either is enough, blue where both are needed; paler towards nothing, so that either theme
shines through.
"""


def pairs_map(result: ProbeResult, lang: str, *, most: int | None = MOST_WORDS) -> alt.LayerChart:
    """The interaction of every pair (nats), blue and + where both are needed together, orange and − where
    they stand in for each other, grey within what counts as nothing.

    Args:
        most: how many words, those of the strongest pairs; None for all.
    """
    import altair as alt

    data = result.data
    shown = strongest_words(result, most)
    units = {n: data["units"][n] for n in shown}
    words = {n: named(u["text"], u["occurrence"], u["occurrences"]) for n, u in units.items()}
    rows = [r for r in data["rows"] if r["from"]["index"] in words and r["to"]["index"] in words]
    reach = reach_of(rows, "interaction")
    cells = [_cell(row, reach, words, data, lang) for row in rows]
    names = {f"u{n}": word for n, word in words.items()}
    label = f"({literal(names)})[datum.value] || ''"
    axis = alt.Axis(labelExpr=label, labelLimit=110, labelOverlap=False, labelFlush=False, ticks=False)
    scale = alt.Scale(domain=list(names), paddingInner=0.06)
    x = alt.X("column:N", title=None, scale=scale, axis=word_axis(names))
    y = alt.Y("row:N", title=None, scale=scale, axis=axis)
    table = alt.Chart(alt.InlineData(values=cells))
    told = tips(lang, "pair", "interaction", "odds", "kind", "alone", "effect", "then")
    parts = [
        table.mark_rect().encode(x=x, y=y, color=_colour(reach, result, lang), tooltip=told),
        table.mark_text(fontSize=10, aria=False).encode(
            x=x,
            y=y,
            text=alt.Text("text:N"),
            color=alt.condition("datum.strong", alt.value("white"), alt.value(INK)),
        ),
    ]
    return layered(parts, ROW * max(2, len(shown)))


def strongest_words(result: ProbeResult, most: int | None) -> list[int]:
    """The units of the strongest pairs, in the order of the text; all where `most` is None."""
    found: dict[int, None] = {}
    for row in result.data["rows"]:
        ends = {row["from"]["index"], row["to"]["index"]}
        if most is None or len(found.keys() | ends) <= most:
            found |= dict.fromkeys(ends)
    return sorted(found)


def _colour(reach: float, result: ProbeResult, lang: str) -> Any:
    import altair as alt

    near = reach * 1e-6
    scale = alt.Scale(domain=[-reach, -near, near, reach], range=SHADES, interpolate="rgb")
    values = [-reach, -reach / 2, 0, reach / 2, reach]
    zero = "datum.value == 0 ? '0' : format(datum.value, '+.2~f')"
    title = lines("charts.axis_pairs", lang, answer=result.data["target"]["text"])
    legend = gradient(title, values=values, labelExpr=zero)
    return alt.condition("datum.quiet", alt.value(QUIET), alt.Color("nats:Q", scale=scale, legend=legend))


def _cell(
    row: Mapping[str, Any], reach: float, words: Mapping[int, str], data: Mapping[str, Any], lang: str
) -> dict[str, Any]:
    one, other = row["to"]["index"], row["from"]["index"]
    quiet = row["kind"] == "apart"
    found = row["interaction"] or 0.0
    alone = [signed_if_known(data["units"][n]["alone"]["effect_log_prob"]) for n in (one, other)]
    return {
        "column": f"u{min(one, other)}",
        "row": f"u{max(one, other)}",
        "nats": found,
        "quiet": quiet,
        "text": "" if quiet else "+" if found > 0 else "−",
        "strong": not quiet and abs(found) > STRONG * reach,
        "pair": say("pairs.roles", lang, one=words[min(one, other)], other=words[max(one, other)]),
        "interaction": signed_if_known(row["interaction"], 3),
        "odds": signed_if_known(row["interaction_odds"], 3),
        "kind": say(f"pairs.kind_{row['kind']}", lang),
        "alone": " / ".join(alone),
        "effect": signed_if_known(row["effect_log_prob"], 3),
        "then": then_of(row),
    }
