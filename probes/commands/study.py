"""`crux ask`, `crux words`: one command a study, its options those the study declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from probes.commands import shared, tables
from probes.commands.shared import Context, Progress
from probes.locale import note_text
from probes.studies import STUDIES
from probes.studies.base import Option, Study

if TYPE_CHECKING:
    from probes.record.results import ProbeResult

_TYPES = {"text": click.STRING, "integer": click.INT, "number": click.FLOAT}


def commands(lang: str) -> list[click.Command]:
    """One command a study."""
    return [_command(study, lang) for study in STUDIES.values()]


def _command(study: Study, lang: str) -> click.Command:
    def callback(**values: Any) -> None:
        _run(study, values, click.get_current_context().obj)

    return click.Command(
        study.name,
        callback=callback,
        help=study.about(lang),
        params=[
            *shared.question_options(lang),
            *(_declared(study, option, lang) for option in study.options),
            *([shared.option("over", lang, metavar="N|presets|FILE")] if study.over else []),
            *shared.model_options(lang),
            *_output_options(lang),
            shared.language_option(lang),
        ],
    )


def _declared(study: Study, option: Option, lang: str) -> click.Option:
    """A study's option as one of the command line."""
    flag, told = option.name.replace("_", "-"), study.option_help(option.name, lang)
    if option.kind == "flag":
        names = [f"--{flag}/--no-{flag}"]
        return click.Option(names, help=told, default=option.default, show_default=True)
    kind = click.Choice(option.choices) if option.kind == "choice" else _TYPES[option.kind]
    shown = option.default is not None
    return click.Option([f"--{flag}"], help=told, type=kind, default=option.default, show_default=shown)


def _output_options(lang: str) -> list[click.Option]:
    optional_file = {"is_flag": False, "flag_value": "-", "metavar": "[FILE]"}
    return [
        shared.option("json", lang, **optional_file),
        shared.option("csv", lang, **optional_file),
        shared.option("csv_bom", lang, is_flag=True),
        shared.option("all_rows", lang, names=["--all", "all_rows"], is_flag=True),
        shared.option("cache", lang, names=["--cache/--no-cache"], default=True),
        shared.option("quiet", lang, names=["--quiet", "-q"], is_flag=True),
    ]


def _run(study: Study, values: dict[str, Any], context: Context) -> None:
    if values["json"] == values["csv"] == "-":
        raise click.UsageError(context.say("one_on_stdout"))
    for name in ("json", "csv"):
        check_writable(values[name], context)
    question = shared.question(values, context)
    settings = study.settings({o.name: values[o.name] for o in study.options})
    model = shared.load(values, context, values["quiet"])
    progress = Progress(context, values["quiet"])
    from probes.record.store import Store
    from probes.running.runner import run

    store = Store.default() if values["cache"] else None
    ways: dict[str, Any] = {"store": store, "lang": context.lang, "on_progress": progress}
    with progress.stoppable(store):
        if values.get("over"):
            from probes.running.over import run_over
            from probes.running.sets import questions_of

            chosen = questions_of(values["over"], question, settings.get("seed") or 0)
            result = run_over(
                study.name, model, chosen, settings, source=values["over"], base=question, **ways
            )
        else:
            result = run(study.name, model, question, settings, **ways)
    if store and store.fault:
        click.echo(context.say("store_lost", path=store.path, reason=store.fault), err=True)
    for note in result.data["notes"]:
        click.echo(context.say("note", text=note_text(note, context.lang)), err=True)
    _write(result, values, context)


def check_writable(path: str | None, context: Context) -> None:
    """Before the work, not after it: a folder that is not there would lose the result."""
    place = Path(path or "-").absolute()
    if place.is_dir() or not place.parent.is_dir():
        raise click.UsageError(context.say("no_folder", path=path))


def _write(result: ProbeResult, values: dict[str, Any], context: Context) -> None:
    """JSON and CSV where they were asked for; otherwise a table for a person."""
    csv: Callable[[], str] = partial(result.to_csv, bom=values["csv_bom"])
    makers = {"json": result.to_json, "csv": csv}
    if not put_out(makers, values, context):
        tables.show(result, context, every_row=values["all_rows"])


def put_out(makers: Mapping[str, Callable[[], str]], values: Mapping[str, Any], context: Context) -> bool:
    """Write each form that was asked for where it was asked for; whether one went to standard output."""
    on_stdout = False
    for form, make in makers.items():
        path = values[form]
        if path == "-":
            click.echo(make(), nl=form != "csv")
            on_stdout = True
        elif path:
            try:
                # Half a character, which only a stranger's record has, stays the escape that JSON has for it.
                Path(path).write_text(make(), encoding="utf-8", errors="backslashreplace", newline="")
            except OSError as fault:
                raise click.FileError(path, fault.strerror) from fault
            click.echo(context.say("file_written", path=path), err=True)
    return on_stdout
