"""The answers' probabilities: on the clean passage, now, and in a pinned run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.charts.common import (
    ANSWER_PIXELS,
    BAR_PIXELS,
    CLEAN,
    NOW,
    PINNED,
    doubts,
    labelled,
    numbers_at_the_right,
    row_of,
)
from probes.locale import say
from probes.numbers import percent
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt


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
        .encode(
            x=x,
            y=labelled("left", values),
            color=alt.Color("run:N", scale=colours, legend=legend),
            tooltip=tips,
        )
    )
    chart = alt.layer(bars, *doubts(values), numbers_at_the_right("p:Q", values), data=table).resolve_axis(
        y="independent"
    )
    found: alt.LayerChart = chart.properties(
        height=(ANSWER_PIXELS if len(runs) == 1 else BAR_PIXELS) * len(values)
    )
    return found


Listed = list[tuple[str, float, Sequence[float] | None]]
"""Answers with their probabilities, and the interval of each that is not told exactly."""


def _answer_data(runs: Sequence[tuple[str, str, Listed]]) -> list[dict[str, Any]]:
    """One row a bar, an answer's bars together, the answer named at the first; between answers a gap."""
    rows = []
    for place, (answer, *_) in enumerate(runs[0][2]):
        if place and len(runs) > 1:
            rows.append({"row": row_of(" ", " " * place), "run": runs[0][0], "p": 0.0, "answer": ""})
        for which, (run, _, listed) in enumerate(runs):
            _, p, interval = listed[place]
            ends = {} if interval is None else {"low": interval[0], "high": interval[1]}
            # Trailing spaces keep rows apart whose numbers are the same.
            row = row_of(answer if which == 0 else " ", percent(p) + " " * (which * 20 + place))
            rows.append({"row": row, "run": run, "p": p, "answer": answer, **ends})
    return rows


def answer_runs(
    result: ProbeResult, lang: str, pinned: ProbeResult | None = None
) -> list[tuple[str, str, Listed]]:
    """(name, colour, answers) of the clean run, the present one, the pinned one."""
    data = result.data
    runs = [("charts.run_clean", CLEAN, data.get("clean", data))]
    if "taken" in data:
        runs.append(("charts.run_now", NOW, data))
    if pinned is not None:
        runs.append(("charts.run_pinned", PINNED, pinned.data))
    return [(say(key, lang), colour, _listed(run, lang)) for key, colour, run in runs]


def _listed(run: Mapping[str, Any], lang: str) -> Listed:
    listed = [(answer["name"], answer["probability"], answer.get("interval")) for answer in run["answers"]]
    return [*listed, (say("charts.other", lang), run["other"], None)]
