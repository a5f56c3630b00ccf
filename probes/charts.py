"""Pictures of a record: Altair specifications made from a `ProbeResult` and nothing else.

They carry their data, so a saved picture is the record's. On the page the theme's colours and fonts are laid
over them; `probes.pictures` makes files that stand alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from probes.locale import say
from probes.numbers import nats, percent, strength
from probes.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

BLUE, GREY, ORANGE = "#2c7fb8", "#b4b2ae", "#e66101"
"""Effects: the answer hangs on it, no change, it stands in the answer's way."""
LIGHT_BLUE, LIGHT_ORANGE = "#8fbfe0", "#f4b183"
CLEAN, NOW, PINNED = "#8f8d89", "#009e73", "#cc79a7"
"""Runs: grey for the clean one, two of Okabe and Ito's colours that no effect has."""
LABEL_PIXELS = 170
ROW_PIXELS, BAR_PIXELS, ANSWER_PIXELS = 17, 13, 24
SMALLEST_SCALE = math.log(2)
"""nats: an answer's probability doubled or halved. Less than that never looks like much."""
PARTING = "\u241f"
"""Unit separator symbol: parts the two labels of a row, and stands in no passage's word."""


# ---- effects of taking away each unit


def effect_rows(result: ProbeResult, *, groups: bool = False) -> list[dict[str, Any]]:
    """One row a unit (and a group of equal ones), strongest first, with a label that no other row has."""
    data = result.data
    rows = [{**row, "label": unit_label(row), "all": False} for row in data["rows"]]
    if groups:
        rows += [
            {**g, "label": f"{_short(g['text'])} ×{len(g['members'])}", "all": True} for g in data["groups"]
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


def named(text: str, occurrence: int, occurrences: int) -> str:
    """A unit's text for a label, short and on one line, and which of several equal ones it is."""
    which = str(occurrence).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return _short(text) + (which if occurrences > 1 else "")


def _short(text: str, most: int = 28) -> str:
    text = " ".join(text.replace(PARTING, " ").split()) or "␣"
    return text if len(text) <= most else text[: most - 1] + "…"


def scale_of(result: ProbeResult) -> float:
    """Where colour is full and the axis ends, nats: the largest effect, at least `SMALLEST_SCALE`."""
    rows = [*result.data["rows"], *result.data["groups"]]
    known = [abs(row["effect_log_prob"]) for row in rows if row["effect_log_prob"] is not None]
    return max([*known, SMALLEST_SCALE])


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


def effects(result: ProbeResult, lang: str, *, most: int | None = 20, groups: bool = False) -> alt.LayerChart:
    """Bars, strongest first: how the target's log-probability moves (nats) when each unit is taken away.

    The band is what counts as no change, the darker line in it the noise floor; the page's caption and the
    saved picture's subtitle say both in numbers. Each bar's number, and the answer it leads to where that is
    another, stand at the right.

    Args:
        most: how many rows; None for all.
        groups: whether equal words taken away together are ranked among the others.
    """
    import altair as alt

    rows = effect_rows(result, groups=groups)[:most]
    reach = scale_of(result)
    table = alt.InlineData(values=[_effect_datum(result, row, reach, lang) for row in rows])
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    x = alt.X("nats:Q", title=effect_title(result, lang), scale=scale)
    names = ["what", "effect", "points", "then", "rank", "change"]
    tips = [alt.Tooltip(f"{name}:N", title=say(f"charts.tip_{name}", lang)) for name in names]
    bars = (
        alt.Chart()
        .mark_bar(height={"band": 0.78})
        .encode(
            x=x,
            y=_labels("left"),
            color=alt.condition(
                "datum.quiet", alt.value(GREY), alt.Color("nats:Q", scale=_diverging(reach), legend=None)
            ),
            tooltip=tips,
        )
    )
    layers = [*_bands(result, reach), bars, _numbers_at_the_right(x="nats:Q")]
    chart = alt.layer(*layers, data=table).resolve_axis(y="independent")
    return chart.properties(height=ROW_PIXELS * max(len(rows), 1))


def unfinished(found: Sequence[tuple[str, float | None]], lang: str, *, most: int = 20) -> alt.LayerChart:
    """The strongest of the effects (label, nats) that a run has found so far."""
    import altair as alt

    rows = sorted(found, key=lambda row: -abs(row[1]) if row[1] is not None else -math.inf)[:most]
    reach = max([SMALLEST_SCALE, *(abs(nats) for _, nats in rows if nats is not None)])
    values = [
        {"row": _row(f"{label}{' ' * n}", nats_text(nats)), "nats": -reach if nats is None else nats}
        for n, (label, nats) in enumerate(rows)
    ]
    x = alt.X(
        "nats:Q", title=say("charts.axis_so_far", lang), scale=alt.Scale(domain=[-reach, reach], nice=False)
    )
    colour = alt.Color("nats:Q", scale=_diverging(reach), legend=None)
    bars = alt.Chart().mark_bar(height={"band": 0.78}).encode(x=x, y=_labels("left"), color=colour)
    chart = alt.layer(bars, _numbers_at_the_right(x="nats:Q"), data=alt.InlineData(values=values))
    return chart.resolve_axis(y="independent").properties(height=ROW_PIXELS * max(len(rows), 1))


def _row(label: str, number: str) -> str:
    """A row's place on the axis: its label and its number, which the two axes take apart again."""
    return f"{label}{PARTING}{number}"


def _labels(side: Literal["left", "right"]) -> alt.Y:
    """The rows, labelled on one side: names left, numbers right. Axes have the theme's colours."""
    import altair as alt

    part = 0 if side == "left" else 1
    axis = alt.Axis(
        orient=side,
        labelExpr=f"split(datum.value, '{PARTING}')[{part}]",
        labelLimit=LABEL_PIXELS,
        labelOverlap=False,
        labelBound=False,
        labelFlush=False,
        labelFontSize=12,
        ticks=False,
        domain=False,
    )
    return alt.Y("row:N", sort=None, title=None, axis=axis)


def _numbers_at_the_right(x: str) -> alt.Chart:
    import altair as alt

    return alt.Chart().mark_point(opacity=0).encode(x=x, y=_labels("right"))


def _diverging(reach: float) -> alt.Scale:
    """Blue to orange, lighter towards zero; grey is left to what counts as no change."""
    import altair as alt

    near = reach * 1e-6
    colours = [BLUE, LIGHT_BLUE, LIGHT_ORANGE, ORANGE]
    return alt.Scale(domain=[-reach, -near, near, reach], range=colours, interpolate="rgb")


def effect_title(result: ProbeResult, lang: str) -> str:
    """What the axis measures: on which answer, in which unit."""
    target = result.data["target"]
    if target["kind"] == "contrast":
        names = {a["answer"]: a["name"] for a in result.data["clean"]["answers"]}
        return say("charts.axis_contrast", lang, answer=target["text"], against=names[target["against"]])
    return say("charts.axis_answer", lang, answer=target["text"])


def _effect_datum(result: ProbeResult, row: Mapping[str, Any], reach: float, lang: str) -> dict[str, Any]:
    then = next(a for a in row["answers"] if a["answer"] == row["top"])
    shown = nats(row)
    return {
        "row": _row(row["label"], f"{shown} → {then['name']}" if row["flips"] else shown),
        "nats": drawn(row, reach),
        "quiet": row["no_change"],
        "what": row["label"],
        "effect": nats(row, digits=4),
        "points": f"{100 * row['effect_probability']:+.2f}".replace("-", "−"),
        "then": f"{then['name']} ({percent(then['probability'])})",
        "rank": "–" if row["all"] else f"{row['rank']} / {row['rank_of']}",
        "change": say("charts.no_change" if row["no_change"] else "charts.changed", lang),
    }


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


# ---- answers


def answers(result: ProbeResult, lang: str, *, pinned: ProbeResult | None = None) -> alt.LayerChart:
    """Bars an answer: its probability on the clean passage, with words taken away, and in a pinned run.

    `result` is a record of `ask`.
    """
    import altair as alt

    runs = answer_runs(result, lang, pinned)
    values = _answer_data(runs)
    table = alt.InlineData(values=values)
    names = [run for run, _, _ in runs]
    legend = None if len(runs) < 2 else alt.Legend(orient="top", title=None, symbolType="square", offset=2)
    colours = alt.Scale(domain=names, range=[colour for _, colour, _ in runs])
    tips = [
        alt.Tooltip("answer:N", title=say("charts.tip_answer", lang)),
        alt.Tooltip("run:N", title=say("charts.tip_run", lang)),
        alt.Tooltip("p:Q", title=say("charts.tip_probability", lang), format=".4f"),
    ]
    x = alt.X("p:Q", title=None, scale=alt.Scale(domain=[0, 1], nice=False), axis=None)
    bars = (
        alt.Chart()
        .mark_bar(height={"band": 0.86})
        .encode(x=x, y=_labels("left"), color=alt.Color("run:N", scale=colours, legend=legend), tooltip=tips)
    )
    chart = alt.layer(bars, _numbers_at_the_right(x="p:Q"), data=table).resolve_axis(y="independent")
    return chart.properties(height=(ANSWER_PIXELS if len(runs) == 1 else BAR_PIXELS) * len(values))


def _answer_data(runs: Sequence[tuple[str, str, list[tuple[str, float]]]]) -> list[dict[str, Any]]:
    """One row a bar, an answer's bars together, the answer named at the first; between answers a gap."""
    rows = []
    for place, (answer, _) in enumerate(runs[0][2]):
        if place and len(runs) > 1:
            rows.append({"row": _row(" ", " " * place), "run": runs[0][0], "p": 0.0, "answer": ""})
        for which, (run, _, listed) in enumerate(runs):
            p = listed[place][1]
            # Trailing spaces keep rows apart whose numbers are the same.
            row = _row(answer if which == 0 else " ", percent(p) + " " * (which * 20 + place))
            rows.append({"row": row, "run": run, "p": p, "answer": answer})
    return rows


def answer_runs(
    result: ProbeResult, lang: str, pinned: ProbeResult | None = None
) -> list[tuple[str, str, list[tuple[str, float]]]]:
    """(name, colour, [(answer, probability)]) of the clean run, the present one, the pinned one."""
    data = result.data
    runs = [("charts.run_clean", CLEAN, data.get("clean", data))]
    if "taken" in data:
        runs.append(("charts.run_now", NOW, data))
    if pinned is not None:
        runs.append(("charts.run_pinned", PINNED, pinned.data))
    return [(say(key, lang), colour, _listed(run, lang)) for key, colour, run in runs]


def _listed(run: Mapping[str, Any], lang: str) -> list[tuple[str, float]]:
    listed = [(answer["name"], answer["probability"]) for answer in run["answers"]]
    return [*listed, (say("charts.other", lang), run["other"])]


def specification(chart: alt.LayerChart) -> dict[str, Any]:
    """The chart as a Vega-Lite specification for a page: as wide as there is room, rows as high as they are.

    Unchecked: that takes a second, and the tests do it.
    """
    spec: dict[str, Any] = chart.to_dict(validate=False)
    return {**spec, "autosize": {"type": "fit-x", "contains": "padding"}}
