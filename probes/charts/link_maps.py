"""Links: what cutting the attention from one word to another does, beside how much attention there is.

Both maps are one picture with one row a reader and, side by side, one column a word read for each map, so
that pointing at a pair in either frames it in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.charts.cells import (
    SEEN,
    effect_cell,
    effect_colour,
    gradient,
    reach_of,
    tips,
    word_axis,
)
from probes.charts.common import BLUE, GREY, INK, ORANGE, drawn, effect_title, layered, lines, literal, named
from probes.locale import say
from probes.numbers import strength
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

Place = int | str
ANSWER = "answer"
"""The reader that is the answer's position, as records name it."""
MOST_WORDS = 22
ROW = 16


def place_of(end: Any) -> Place:
    """The number of a link's end among the units, or `ANSWER`."""
    return ANSWER if end == ANSWER else int(end["index"])


def links_of(result: ProbeResult) -> list[tuple[Place, int, dict[str, Any]]]:
    """(reader, word read, row) of every link, strongest first."""
    rows = sorted(result.data["rows"], key=lambda row: -strength(row))
    return [(place_of(row["from"]), int(place_of(row["to"])), row) for row in rows]


def strongest_words(result: ProbeResult, most: int | None) -> list[int]:
    """The units of the strongest links, in the order of the text; all where `most` is None."""
    found: dict[int, None] = {}
    for reader, read, _ in links_of(result):
        ends = {read} if reader == ANSWER else {read, int(reader)}
        if most is not None and len(found.keys() | ends) > most:
            continue
        found |= dict.fromkeys(ends)
    return sorted(found)


def links_maps(result: ProbeResult, lang: str, *, most: int | None = MOST_WORDS) -> alt.LayerChart:
    """Left, what cutting each link does to the target (nats); right, the attention that runs along it.

    Args:
        most: how many words, those of the strongest links; None for all.
    """
    import altair as alt

    units = {unit["index"]: unit for unit in result.data["units"]}
    shown = strongest_words(result, most)
    words = {n: named(u["text"], u["occurrence"], u["occurrences"]) for n, u in units.items() if n in shown}
    kept = [link for link in links_of(result) if link[1] in words and (link[0] == ANSWER or link[0] in words)]
    reach = reach_of([row for _, _, row in kept])
    cut = [_cell(link, "c", reach, lang, words) for link in kept]
    seen = [{**_cell(link, "a", reach, lang, words)} for link in kept]
    x, y = _axes(shown, words, lang)
    frame = alt.selection_point(
        name="pair", fields=["reader", "read"], on="pointerover", clear="pointerout", empty=False
    )
    told = tips(lang, "link", "effect", "weight", "points", "then", "change")
    most_seen = max([1e-9, *(datum["attention"] for datum in seen)])
    weight = alt.Scale(domain=[0, most_seen], range=["rgba(0,158,115,0.04)", SEEN], interpolate="rgb")
    strip = gradient(lines("charts.axis_attention", lang), orient="bottom", format=".1%", tickCount=3)
    left = alt.Chart(alt.InlineData(values=cut)).mark_rect()
    right = alt.Chart(alt.InlineData(values=seen)).mark_rect()
    everything = alt.Chart(alt.InlineData(values=[*cut, *seen]))
    signs = alt.Chart(alt.InlineData(values=[v for v in cut if v["text"]])).mark_text(fontSize=10, aria=False)
    parts = [
        left.encode(x=x, y=y, color=effect_colour(reach, effect_title(result, lang, cut=True))),
        right.encode(x=x, y=y, color=alt.Color("attention:Q", scale=weight, legend=strip)),
        signs.encode(
            x=x,
            y=y,
            text=alt.Text("text:N"),
            color=alt.condition("datum.strong", alt.value("white"), alt.value(INK)),
        ),
        everything.mark_rect(opacity=0.001, fill=GREY).encode(x=x, y=y, tooltip=told).add_params(frame),
        everything.mark_rect(fillOpacity=0, stroke=INK, strokeWidth=2, aria=False)
        .encode(x=x, y=y)
        .transform_filter(frame),
        *_headings(shown, lang),
    ]
    found: alt.LayerChart = layered(parts, ROW * (len(shown) + 1)).resolve_scale(color="independent")
    return found


def _axes(shown: Sequence[int], words: Mapping[int, str], lang: str) -> tuple[Any, Any]:
    """Columns of both maps with a gap between, rows with the answer last, all labelled by their words."""
    import altair as alt

    names = {f"{side}{n}": words[n] for side in "ca" for n in shown}
    names |= {f"r{n}": words[n] for n in shown} | {"r-1": say("charts.answer_place", lang)}
    columns = [*(f"c{n}" for n in shown), "gap", *(f"a{n}" for n in shown)]
    rows = [*(f"r{n}" for n in shown), "r-1"]
    label = f"({literal(names)})[datum.value] || ''"
    x = alt.X(
        "column:N",
        title=say("charts.axis_read", lang),
        scale=alt.Scale(domain=columns, paddingInner=0.06),
        axis=word_axis({name: word for name, word in names.items() if name[0] in "ca"}),
    )
    y = alt.Y(
        "row:N",
        title=say("charts.axis_reader", lang),
        scale=alt.Scale(domain=rows, paddingInner=0.06),
        axis=alt.Axis(labelExpr=label, labelLimit=110, labelOverlap=False, labelFlush=False, ticks=False),
    )
    return x, y


def _cell(
    link: tuple[Place, int, Mapping[str, Any]], side: str, reach: float, lang: str, words: Mapping[int, str]
) -> dict[str, Any]:
    reader, read, row = link
    who = say("charts.answer_place", lang) if reader == ANSWER else words[int(reader)]
    attention = float(row["attention"] or 0.0)
    return {
        "column": f"{side}{read}",
        "row": "r-1" if reader == ANSWER else f"r{reader}",
        "reader": -1 if reader == ANSWER else reader,
        "read": read,
        "link": say("charts.link", lang, reader=who, read=words[read]),
        "attention": attention,
        "weight": f"{100 * attention:.2f} %",
        **effect_cell(row, reach, lang, roomy=False),
    }


def _headings(shown: Sequence[int], lang: str) -> list[Any]:
    """What the two maps are, in the corner that is empty because nobody reads what comes later."""
    import altair as alt

    if not shown:
        return []
    columns = [*(f"c{n}" for n in shown), "gap", *(f"a{n}" for n in shown)]
    values = [
        {"column": f"{side}{shown[-1]}", "text": say(key, lang)}
        for side, key in (("c", "charts.map_cut"), ("a", "charts.map_seen"))
    ]
    table = alt.Chart(alt.InlineData(values=values))
    words = table.mark_text(align="right", baseline="top", fontWeight="bold", color=INK, fontSize=12)
    x = alt.X("column:N", scale=alt.Scale(domain=columns, paddingInner=0.06), bandPosition=1)
    return [words.encode(x=x, y=alt.value(2), text=alt.Text("text:N"))]


# ---- arcs


def links_arcs(result: ProbeResult, lang: str, *, most: int = 12) -> alt.LayerChart:
    """The strongest links as arcs beside the passage's words, from who reads to what is read.

    Blue arcs are whole, orange ones dashed; thick is strong.
    """
    import altair as alt

    units = {unit["index"]: unit for unit in result.data["units"]}
    strong = [link for link in links_of(result) if link[2]["no_change"] is False][:most]
    shown = sorted(
        {n for reader, read, _ in strong for n in (reader, read) if n != ANSWER} | set(list(units)[:1])
    )
    places = {n: i for i, n in enumerate([*shown, ANSWER])}
    labels = [named(units[n]["text"], units[n]["occurrence"], units[n]["occurrences"]) for n in shown]
    labels.append(say("charts.answer_place", lang))
    reach = reach_of([row for _, _, row in strong])
    values = [p for n, link in enumerate(strong) for p in _arc(n, link, places, reach, lang, labels)]
    axis = alt.Axis(
        values=list(range(len(labels))),
        labelExpr=f"({literal(labels)})[datum.value]",
        labelLimit=140,
        labelFontSize=12,
        labelOverlap=False,
        labelFlush=False,
        grid=False,
        ticks=False,
        domain=False,
        title=None,
    )
    y = alt.Y("y:Q", scale=alt.Scale(domain=[-0.5, len(labels) - 0.5], reverse=True, nice=False), axis=axis)
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[0, max(1.0, len(labels) / 2)]))
    lines = (
        alt.Chart(alt.InlineData(values=values))
        .mark_line(interpolate="basis")
        .encode(
            x=x,
            y=y,
            order=alt.Order("step:Q"),
            detail=alt.Detail("n:N"),
            color=alt.Color("colour:N", scale=None),
            strokeWidth=alt.StrokeWidth("width:Q", scale=None),
            strokeDash=alt.StrokeDash(
                "dash:N", scale=alt.Scale(domain=["+", "−"], range=[[6, 3], [1, 0]]), legend=None
            ),
            tooltip=tips(lang, "link", "effect", "weight", "points", "then"),
        )
    )
    return layered([lines], 20 * len(labels))


def _arc(
    n: int,
    link: tuple[Place, int, Mapping[str, Any]],
    places: Mapping[Place, int],
    reach: float,
    lang: str,
    labels: Sequence[str],
) -> list[dict[str, Any]]:
    reader, read, row = link
    a, b = places[reader], places[read]
    moved, out = drawn(row, reach), abs(a - b) / 2 or 0.25
    cell = effect_cell(row, reach, lang, roomy=False)
    shared = {
        "n": n,
        "colour": BLUE if moved < 0 else ORANGE,
        "dash": "−" if moved < 0 else "+",
        "width": 1 + 5 * min(1.0, abs(moved) / reach),
        "link": say("charts.link", lang, reader=labels[a], read=labels[b]),
        "weight": f"{100 * float(row['attention'] or 0.0):.2f} %",
        **{name: cell[name] for name in ("effect", "points", "then")},
    }
    bends = [(0.0, a), (out, a), (out, b), (0.0, b)]
    return [{**shared, "x": x, "y": y, "step": step} for step, (x, y) in enumerate(bends)]
