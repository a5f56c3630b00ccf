"""Records as tables on a terminal: the sentence first, then the numbers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.record.reference_wording import reference_text
from probes.running.headline import tabled

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Grid

    from probes.commands.shared import Context
    from probes.record.results import ProbeResult
    from probes.studies.columns import Table

ROWS = 20
_BARS = 24


def show(result: ProbeResult, context: Context, *, every_row: bool) -> None:
    """Print one record for a person: the sentence, the answers, the study's own table."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, soft_wrap=False)
    console.print(Text(result.headline, style="bold"))
    console.print()
    data, told = result.data, tabled(result.data, context.lang)
    if "over" in data:
        _rows(console, told, context, every_row)
        return
    now = data if "answers" in data else data["clean"]
    put(console, _answers(now, context))
    greedy = now.get("greedy") or data.get("clean", {}).get("greedy") or ""
    console.print(Text(context.say("greedy", text=" ".join(greedy.split()) or "—"), style="dim"))
    if told.columns:
        console.print()
    _rows(console, told, context, every_row)
    if reference := reference_text(data, context.lang):
        console.print(Text(f"\n{reference}", style="dim"))


def _rows(console: Console, told: Table, context: Context, every_row: bool) -> None:
    from rich.text import Text

    if told.columns:
        grid = table(*told.columns)
        shown = told.rows if every_row else told.rows[:ROWS]
        quiet = told.quiet or [False] * len(told.rows)
        for row, dim in zip(shown, quiet, strict=False):
            grid.add_row(*map(Text, row), style="dim" if dim else "")
        put(console, grid)
        if len(told.rows) > len(shown):
            console.print(
                context.say("more_rows", count=len(told.rows) - len(shown)), style="dim", markup=False
            )
    for n, note in enumerate(told.notes):
        console.print(note if n or not told.columns else f"\n{note}", style="dim", markup=False)


def put(console: Console, grid: Grid) -> None:
    """Print a table whole: lines longer than the terminal are for the terminal to wrap, not to be cut."""
    from rich.measure import Measurement

    unbounded = console.options.update(max_width=10_000)
    terminal, needed = console.width, Measurement.get(console, unbounded, grid).maximum
    console.width = max(terminal, needed)
    console.print(grid)
    console.width = terminal


def table(*columns: tuple[str, str]) -> Grid:
    """An unboxed table of (title, "left" or "right") columns."""
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title, justify in columns:
        grid.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    return grid


def _answers(data: Mapping[str, Any], context: Context) -> Grid:
    """The answers' probabilities; two columns of them where something was taken away."""
    from rich.text import Text

    clean = data.get("clean")
    heads = ["col_clean", "col_now"] if clean else ["col_probability"]
    columns = [(context.say("col_answer"), "left"), *((context.say(h), "right") for h in heads), ("", "left")]
    grid = table(*columns)
    runs = [clean, data] if clean else [data]
    for i, answer in enumerate(data["answers"]):
        values = [run["answers"][i]["probability"] for run in runs]
        cells = [Text(_percent(v)) for v in values]
        grid.add_row(Text(answer["name"]), *cells, _bar(values[-1]))
    values = [run["other"] for run in runs]
    other = context.say("other")
    grid.add_row(
        Text(other, style="dim"), *(Text(_percent(v), style="dim") for v in values), _bar(values[-1])
    )
    return grid


def _bar(share: float) -> str:
    return "█" * round(share * _BARS) or ("▏" if share >= 0.005 else "")


def _percent(value: float) -> str:
    """One decimal; never "0.0 %" or "100.0 %" for what is not quite that."""
    if 0 < value < 0.0005:
        return "<0.1 %"
    return ">99.9 %" if 0.9995 <= value < 1 else f"{value * 100:.1f} %"
