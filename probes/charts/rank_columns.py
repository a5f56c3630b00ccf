"""The places that words have in several rankings, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from probes.charts.cells import SEEN, tips
from probes.charts.common import INK, ROW_PIXELS, layered, lines, literal, named
from probes.locale import say
from probes.numbers import strength
from probes.ranks import ranked
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

FIRST = 6
"""A word is shown that is among so many first ones of a ranking, or key."""
MOST = 24
DARK = 0.75
"""Share of the scale from which on a cell's text is white."""


def rankings(result: ProbeResult, lang: str) -> alt.LayerChart:
    """A column a ranking, a row a word, in the cell the word's place (1: first; words that tie share theirs):
    the darker, the earlier. Key words have a mark.
    """
    import altair as alt

    rows = result.data["rows"]
    names = ("frequency", "tfidf", "textrank", "model")
    scores = {name: np.array([row[name] for row in rows], float) for name in names[:-1]}
    scores["model"] = np.array([strength(row) for row in rows])
    places = {name: ranked(-scores[name]) for name in names}
    titles = {name: say(f"baselines.ranking_{name}", lang) for name in names}
    values: list[dict[str, Any]] = []
    for n in _shown(places, [row["role"] == "key" for row in rows]):
        row = rows[n]
        label = named(row["text"], row["occurrence"], row["occurrences"])
        for name in names:
            place = float(places[name][n])
            early = 1 - (place - 1) / max(len(rows) - 1, 1)
            mark = " ●" if row["role"] == "key" else ""
            cell = {"row": str(n), "word": label + mark, "ranking": titles[name], "early": early**3}
            values.append(cell | {"place": f"{place:g}"})
    labels = {value["row"]: value["word"] for value in values}
    named_so = f"({literal(labels)})[datum.value] || ''"
    axis = alt.Axis(labelExpr=named_so, labelLimit=190, labelOverlap=False, ticks=False, domain=False)
    y = alt.Y("row:N", sort=None, title=None, scale=alt.Scale(domain=list(labels)), axis=axis)
    top = alt.Axis(orient="top", labelAngle=0, ticks=False, domain=False, labelLimit=120)
    x = alt.X(
        "ranking:N",
        sort=None,
        title=lines("charts.axis_rankings", lang),
        scale=alt.Scale(domain=list(titles.values())),
        axis=top,
    )
    scale = alt.Scale(domain=[0, 1], range=["rgba(0,158,115,0.04)", SEEN])
    table = alt.Chart(alt.InlineData(values=values))
    cells = table.mark_rect().encode(
        x=x,
        y=y,
        color=alt.Color("early:Q", scale=scale, legend=None),
        tooltip=tips(lang, "word", "ranking", "place"),
    )
    ink = alt.condition(f"datum.early > {DARK}", alt.value("white"), alt.value(INK))
    texts = table.mark_text(fontSize=11).encode(x=x, y=y, text=alt.Text("place:N"), color=ink)
    return layered([cells, texts], (ROW_PIXELS + 2) * max(1, len(labels)))


def _shown(places: Mapping[str, np.ndarray], key: Sequence[bool]) -> list[int]:
    """Words that are first in some ranking, and key ones, in the model's order; no more than `MOST`."""
    chosen = {int(n) for own in places.values() for n in np.argsort(own, kind="stable")[:FIRST]}
    chosen |= {n for n, is_key in enumerate(key) if is_key}
    return sorted(chosen, key=lambda n: (places["model"][n], n))[:MOST]
