"""Records as tables on a terminal: the sentence first, then the numbers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.commands.tables_inside import inside, known_to, word_label
from probes.leads import flips_clearly
from probes.locale import say
from probes.numbers import nats, ranked_among, shortened, signed, strength
from probes.references import reference_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from probes.commands.shared import Context
    from probes.results import ProbeResult

ROWS = 20
_BARS = 24


def show(result: ProbeResult, context: Context, *, every_row: bool) -> None:
    """Print one record for a person."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, soft_wrap=False)
    console.print(Text(result.headline, style="bold"))
    console.print()
    data = result.data
    if "over" in data:
        _inside(console, data, context, every_row)
        return
    put(console, _answers(data if result.study == "ask" else data["clean"], context))
    greedy = data.get("greedy") or data.get("clean", {}).get("greedy") or ""
    console.print(Text(context.say("greedy", text=" ".join(greedy.split()) or "—"), style="dim"))
    if result.study == "words":
        console.print()
        _words(console, data, context, every_row)
    elif result.study != "ask":
        console.print()
        _inside(console, data, context, every_row)
    elif "taken" in data:
        console.print(Text(_note(data, context), style="dim"))
        if data["control"]:
            control = {**data["control"], "all": data["control"]["n"] + 1}
            control |= {"low": signed(control["low"], 3), "high": signed(control["high"], 3)}
            console.print(Text(context.say("control_note", **control), style="dim"))
    if told := reference_text(data, context.lang):
        console.print(Text(f"\n{told}", style="dim"))


def _inside(console: Console, data: Mapping[str, Any], context: Context, every_row: bool) -> None:
    from rich.text import Text

    columns, rows, notes = inside(data, context)
    grid = table(*columns)
    shown = rows if every_row else rows[:ROWS]
    for row in shown:
        grid.add_row(*map(Text, row))
    put(console, grid)
    if len(rows) > len(shown):
        console.print(context.say("more_rows", count=len(rows) - len(shown)), style="dim", markup=False)
    for note in notes:
        console.print(f"\n{note}", style="dim", markup=False)


def put(console: Console, grid: Table) -> None:
    """Print a table whole: lines longer than the terminal are for the terminal to wrap, not to be cut."""
    from rich.measure import Measurement

    unbounded = console.options.update(max_width=10_000)
    terminal, needed = console.width, Measurement.get(console, unbounded, grid).maximum
    console.width = max(terminal, needed)
    console.print(grid)
    console.width = terminal


def table(*columns: tuple[str, str]) -> Table:
    """An unboxed table of (title, "left" or "right") columns."""
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title, justify in columns:
        grid.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    return grid


def _answers(data: Mapping[str, Any], context: Context) -> Table:
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


def _words(console: Console, data: Mapping[str, Any], context: Context, every_row: bool) -> None:
    """The effects, strongest first; groups of equal words stand among them."""
    rows = sorted([*data["rows"], *data["groups"]], key=strength, reverse=True)
    shown = rows if every_row else rows[:ROWS]
    heads = [("col_word", "left"), ("col_nats", "right"), ("col_points", "right"), ("col_lead", "right")]
    heads += [("col_kl", "right")]
    heads += [("col_top", "left"), ("col_rank", "right")]
    has_roles = any(row.get("role") for row in data["rows"])
    heads += [("col_role", "left")] if has_roles else []
    grid = table(*((context.say(name), side) for name, side in heads))
    for row in shown:
        grid.add_row(*_cells(row, data, context, has_roles), style="dim" if row["no_change"] else "")
    put(console, grid)
    if len(rows) > len(shown):
        console.print(context.say("more_rows", count=len(rows) - len(shown)), style="dim", markup=False)
    console.print()
    console.print(_note(data, context), style="dim", markup=False)
    if has_roles:
        console.print(context.say("roles_note"), style="dim", markup=False)


def _cells(
    row: Mapping[str, Any], data: Mapping[str, Any], context: Context, has_roles: bool
) -> Sequence[Any]:
    from rich.text import Text

    names = {a["answer"]: a["name"] for a in data["clean"]["answers"]}
    cells = [
        Text(_name(row, context)),
        nats(row, 3),
        "n/a" if row["effect_probability"] is None else signed(row["effect_probability"] * 100, 1),
        "n/a" if row["effect_lead"] is None else signed(row["effect_lead"], 2),
        "n/a" if row["kl"] is None else f"{row['kl']:.3f}",
        Text(names[row["top"]] if flips_clearly(row, data) else ""),
        ranked_among(row) if "rank" in row else "",
    ]
    if has_roles:
        role = row.get("role")
        cells.append(say(f"roles.{role}", context.lang) if role else "")
    return cells


def _name(row: Mapping[str, Any], context: Context) -> str:
    if "members" in row:
        return context.say("group_mark", text=shortened(row["text"]), count=len(row["members"]))
    return word_label(row)


def _note(data: Mapping[str, Any], context: Context) -> str:
    target = data["target"]
    noise = "?" if data["noise_floor"] is None else f"{data['noise_floor']:.1e}"
    if target["kind"] == "contrast":
        both = {"target": target["text"], "against": target["against_text"]}
        note = context.say("effects_note_contrast", noise=noise, **both)
    else:
        note = context.say("effects_note", noise=noise, target=target["text"])
    return note + known_to(data, context)
