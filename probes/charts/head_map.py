"""Heads: the map of all of them, and what happens as they are taken away or kept one after the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from probes.charts.cells import effect_cell, effect_colour, lettering, level_axis, reach_of, tips
from probes.charts.common import BLUE, CLEAN, GREY, INK, NOW, effect_title, layered, nats_text
from probes.locale import say
from probes.numbers import head_label
from probes.record.leads import turns
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

SELECTION = "heads"
"""The name of the selection that a press on a cell changes."""
ROOMY = 14
"""Up to so many layers a cell has room for its number."""
Head = tuple[int, int]


def heads_map(
    result: ProbeResult,
    lang: str,
    *,
    chosen: Collection[Head] = (),
    select: bool = False,
) -> alt.LayerChart:
    """Layer by head: how the target's log-probability moves (nats) when that head alone is taken away.

    Cells within no change are grey and empty; estimates are paler and framed with dashes, their numbers
    behind ≈; layers without heads say so; lines part groups of heads that share their keys and values.

    Args:
        chosen: heads that are taken away now, framed and crossed; where cells can be pressed, at first.
        select: whether cells can be pressed; the selection is `SELECTION`, fields layer and head.
    """
    import altair as alt

    geometry = result.data["geometry"]
    rows = [row for row in result.data["rows"] if row.get("head") is not None]
    reach, most = reach_of(rows), max([1, *(n or 0 for n in geometry["heads"])])
    quiet = float(result.data["thresholds"]["nats"])
    values = [_cell(row, reach, lang, geometry, quiet) for row in rows]
    x, y = _layer_axis(geometry, lang), _head_axis(geometry, lang)
    cells = (
        alt.Chart(alt.InlineData(values=values))
        .mark_rect(cursor="pointer" if select else "default")
        .encode(
            x=x,
            y=y,
            color=effect_colour(reach, effect_title(result, lang)),
            opacity=alt.condition("datum.rough", alt.value(0.6), alt.value(1)),
            tooltip=tips(lang, "where", "effect", "direct", "points", "then", "change"),
            description="said:N",
        )
    )
    if select:
        begun = [{"layer": layer, "head": head} for layer, head in sorted(chosen)]
        value: Any = begun or alt.Undefined
        pressed = alt.selection_point(
            name=SELECTION, fields=["layer", "head"], toggle="true", empty=False, value=value
        )
        cells = cells.add_params(pressed)
        marks = _crosses(alt.Chart(alt.InlineData(values=values)).transform_filter(pressed), geometry, lang)
    else:
        heads = [{"layer": layer, "head": head} for layer, head in sorted(chosen)]
        marks = _crosses(alt.Chart(alt.InlineData(values=heads)), geometry, lang) if heads else []
    dashed = alt.Chart(alt.InlineData(values=[v for v in values if v["rough"]]))
    named = alt.Chart(alt.InlineData(values=values)).mark_text(fontSize=11, tooltip=None)
    layers: list[Any] = [
        cells,
        dashed.mark_rect(fillOpacity=0, stroke=GREY, strokeDash=[3, 2], strokeWidth=1).encode(x=x, y=y),
        named.encode(x=x, y=y, text=alt.Text("text:N"), color=lettering()),
        *_shared(geometry, lang, most),
        *_without_heads(geometry, lang),
        *marks,
    ]
    for layer in layers[1:]:
        layer.mark["aria"] = False
    return layered([*layers], _row_pixels(most) * most)


def _layer_axis(geometry: Mapping[str, Any], lang: str, **more: Any) -> Any:
    import altair as alt

    scale = alt.Scale(domain=list(range(geometry["layers"])), paddingInner=0.08)
    title = say("charts.axis_layer", lang)
    return alt.X(
        "layer:O",
        title=title,
        scale=scale,
        axis=alt.Axis(labelAngle=0, labelFlush=False, orient="bottom"),
        **more,
    )


def _head_axis(geometry: Mapping[str, Any], lang: str, **more: Any) -> Any:
    import altair as alt

    most = max([1, *(n or 0 for n in geometry["heads"])])
    scale = alt.Scale(domain=list(range(most)), paddingInner=0.08)
    axis = level_axis(labelExpr=_head_labels(geometry))
    return alt.Y("head:O", title=say("charts.axis_head", lang), scale=scale, axis=axis, **more)


def _row_pixels(most: int) -> int:
    return 34 if most <= 6 else 24 if most <= 12 else 17 if most <= 20 else 13


def _cell(
    row: Mapping[str, Any], reach: float, lang: str, geometry: Mapping[str, Any], quiet: float
) -> dict[str, Any]:
    direct = row.get("direct_effect")
    where = say("charts.head", lang, layer=row["layer"], head=row["head"])
    if _grouped(geometry):
        where += say("charts.head_group", lang, group=row["kv_head"])
    cell = effect_cell(row, reach, lang, roomy=geometry["layers"] <= ROOMY, quiet_nats=quiet)
    return {
        "layer": row["layer"],
        "head": row["head"],
        **cell,
        "direct": "–" if direct is None else nats_text(direct, 4),
        "where": where,
        "said": f"{where}: {cell['effect']} nat → {cell['then']}",
    }


def _group_size(geometry: Mapping[str, Any]) -> int | None:
    """Query heads per key/value head, where all layers agree."""
    pairs = zip(geometry["heads"], geometry["kv_heads"], strict=True)
    sizes = {n // kv for n, kv in pairs if n and kv and n % kv == 0}
    return sizes.pop() if len(sizes) == 1 else None


def _grouped(geometry: Mapping[str, Any]) -> bool:
    return (_group_size(geometry) or 1) > 1


def _head_labels(geometry: Mapping[str, Any]) -> str:
    size = _group_size(geometry) or 1
    if size == 1:
        return "datum.label"
    return f"datum.value % {size} == 0 ? 'KV ' + datum.value / {size} + ' · ' + datum.label : datum.label"


def _shared(geometry: Mapping[str, Any], lang: str, most: int) -> list[Any]:
    """Lines between groups of heads that share keys and values."""
    import altair as alt

    size = _group_size(geometry) or 1
    if size == 1:
        return []
    borders = [{"head": head} for head in range(size - 1, most - 1, size)]
    rule = alt.Chart(alt.InlineData(values=borders)).mark_rule(color=INK, opacity=0.45)
    return [rule.encode(y=_head_axis(geometry, lang, bandPosition=1))]


def _without_heads(geometry: Mapping[str, Any], lang: str) -> list[Any]:
    """Layers that have no attention heads: dashed columns that say so."""
    import altair as alt

    none = [{"layer": n, "text": say("charts.none", lang)} for n, k in enumerate(geometry["heads"]) if not k]
    if not none:
        return []
    table, x = alt.Chart(alt.InlineData(values=none)), _layer_axis(geometry, lang)
    box = table.mark_rect(fillOpacity=0, stroke=GREY, strokeDash=[2, 3]).encode(x=x)
    return [box, table.mark_text(angle=270, color=INK, opacity=0.7).encode(x=x, text=alt.Text("text:N"))]


def _crosses(table: Any, geometry: Mapping[str, Any], lang: str) -> list[Any]:
    """Frames and crosses on the heads that are taken away."""
    frame = table.mark_rect(fillOpacity=0, stroke=INK, strokeWidth=2.5)
    cross = table.mark_text(text="✕", align="right", baseline="top", dx=-3, dy=2, fontSize=9, color=INK)
    corner = {
        "x": _layer_axis(geometry, lang, bandPosition=1),
        "y": _head_axis(geometry, lang, bandPosition=0),
    }
    return [
        frame.encode(x=_layer_axis(geometry, lang), y=_head_axis(geometry, lang)),
        cross.encode(**corner),
    ]


# ---- one after the other


def cumulative(result: ProbeResult, lang: str) -> alt.LayerChart:
    """The target's probability as the strongest heads are taken away, and as only the strongest are kept."""
    import altair as alt

    found, target = result.data["cumulative"], result.data["target"]["label"]
    clean = _probability(result.data["clean"], target)
    names = {"remove": say("charts.run_remove", lang), "keep": say("charts.run_keep", lang)}
    values = [{"k": 0, "p": clean, "run": names["remove"], "last": "", "then": ""}]
    values += [_step(names[kind], row, target) for kind in names for row in found[kind]]
    scale = alt.Scale(domain=list(names.values()), range=[BLUE, NOW])
    x = alt.X("k:Q", title=say("charts.axis_heads", lang), axis=alt.Axis(tickMinStep=1, format="d"))
    y = alt.Y(
        "p:Q",
        title=say("charts.axis_probability", lang, answer=result.data["target"]["text"]),
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%"),
    )
    table = alt.Chart(alt.InlineData(values=values))
    legend = alt.Legend(title=None, orient="top")
    lines = table.mark_line(point=True, interpolate="linear").encode(
        x=x,
        y=y,
        color=alt.Color("run:N", scale=scale, legend=legend),
        strokeDash=alt.StrokeDash(
            "run:N", scale=alt.Scale(domain=list(names.values()), range=[[1, 0], [6, 3]])
        ),
        tooltip=[
            *tips(lang, "run", "k", "last", "then"),
            alt.Tooltip("p:Q", title=names_of("p", lang), format=".4f"),
        ],
    )
    rule = (
        alt.Chart(alt.InlineData(values=[{"p": clean}])).mark_rule(color=CLEAN, strokeDash=[2, 2]).encode(y=y)
    )
    return layered([rule, *_turns(result, x, lang), lines], 260)


def names_of(field: str, lang: str) -> str:
    return say({"p": "charts.tip_probability"}[field], lang)


def _step(run: str, row: Mapping[str, Any], target: str) -> dict[str, Any]:
    then = next(a for a in row["answers"] if a["answer"] == row["top"])
    last = head_label(row["layer"], row["head"]) if row.get("head") is not None else ""
    return {"k": row["k"], "p": _probability(row, target), "run": run, "last": last, "then": then["name"]}


def _probability(run: Mapping[str, Any], label: str) -> float:
    return float(next(a["probability"] for a in run["answers"] if a["answer"] == label))


def _turns(result: ProbeResult, x: Any, lang: str) -> list[Any]:
    """Where the answer flips as heads go, and from where on those kept are enough."""
    import altair as alt

    marks: list[Any] = []
    flips, holds = turns(result.data["cumulative"], result.data)
    for field, k, dy in (("flips_at", flips, 12), ("holds_from", holds, 28)):
        if k is None:
            continue
        text = say(f"charts.{field}", lang, k=k)
        table = alt.Chart(alt.InlineData(values=[{"k": k, "text": text}]))
        marks.append(table.mark_rule(color=INK, strokeDash=[4, 3], opacity=0.7).encode(x=x))
        words = table.mark_text(align="left", dx=5, baseline="top", color=INK, fontSize=11)
        marks.append(words.encode(x=x, y=alt.value(dy), text=alt.Text("text:N")))
    return marks
