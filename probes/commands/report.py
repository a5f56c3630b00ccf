"""`crux report`: records as one page. `crux show`: what is in a record's file or in a report."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from probes.commands import shared, tables
from probes.commands.shared import Context
from probes.commands.study import check_writable, put_out
from probes.errors import CruxError, InputError
from probes.locale import say

if TYPE_CHECKING:
    from probes.record.results import ProbeResult

_FILE = {"is_flag": False, "flag_value": "-", "metavar": "[FILE]"}


def report(lang: str) -> click.Command:
    """`crux report RECORD.json … --out report.html`."""
    return click.Command(
        "report",
        callback=_report,
        help=say("report.about", lang),
        params=[
            click.Argument(["records"], nargs=-1, required=True, metavar="RECORD.json …"),
            shared.option("out", lang, default="report.html", show_default=True, metavar="FILE"),
            shared.language_option(lang),
        ],
    )


def show(lang: str) -> click.Command:
    """`crux show FILE`."""
    return click.Command(
        "show",
        callback=_show,
        help=say("report.about_show", lang),
        params=[
            click.Argument(["file"], metavar="FILE|-"),
            shared.option("records", lang, names=["--json", "json"], **_FILE),
            shared.option("csv", lang, **_FILE),
            shared.option("csv_bom", lang, is_flag=True),
            shared.option("only", lang, type=click.IntRange(min=1), metavar="N"),
            shared.option("all_rows", lang, names=["--all", "all_rows"], is_flag=True),
            shared.language_option(lang),
        ],
    )


def _report(records: Sequence[str], out: str) -> None:
    from probes.report import Given, read, report
    from probes.report.reading import shown_name

    context = shared.context()
    check_writable(out, context)
    given = [Given(result, shown_name(path)) for path in records for result in read(path)]
    text = report(given, context.lang)
    if out == "-":
        click.echo(text)
        return
    try:
        Path(out).write_text(text, encoding="utf-8", newline="")
    except OSError as fault:
        raise click.FileError(out, fault.strerror) from fault
    click.echo(context.say("file_written", path=out), err=True)


def _show(file: str, only: int | None, all_rows: bool, **values: Any) -> None:
    from probes.report import read

    context = shared.context()
    if values["json"] == values["csv"] == "-":
        raise click.UsageError(context.say("one_on_stdout"))
    for name in ("json", "csv"):
        check_writable(values[name], context)
    found = read(file)
    if only is not None:
        if only > len(found):
            raise InputError("report.no_such", only=only, name=file, count=len(found))
        found = found[only - 1 : only]
    if values["csv"] and len(found) > 1:
        raise InputError("report.one_csv", count=len(found))
    makers = {
        "json": partial(_as_json, found),
        "csv": partial(found[0].to_csv, bom=values["csv_bom"]),
    }
    if values["json"] or values["csv"]:
        put_out(makers, values, context)
        return
    for number, result in enumerate(found, 1):
        if len(found) > 1:
            click.echo(f"{'' if number == 1 else chr(10)}[{number}] {_plain(result.study)}")
        _tell(result, file, context, all_rows)


def _as_json(found: Sequence[ProbeResult]) -> str:
    """One record as its study writes it, several as a list of such."""
    if len(found) == 1:
        return found[0].to_json()
    return json.dumps([result.data for result in found], ensure_ascii=False, indent=1, allow_nan=False)


def _tell(result: ProbeResult, file: str, context: Context, all_rows: bool) -> None:
    """The sentence and the table, of a record whose texts a terminal may be shown.

    Raises:
        InputError: the record lacks what its study tells it from.
    """
    from probes.record.results import ProbeResult
    from probes.report.reading import shown_name
    from probes.running.headline import headline

    data = _plain(result.data)
    try:
        told = ProbeResult(data["study"], {**data, "headline": headline(data, context.lang)})
        tables.show(told, context, every_row=all_rows)
    except (CruxError, OSError):
        raise
    except Exception as fault:  # a stranger's file may be wrong in any way
        reason = f"{type(fault).__name__}: {fault}"[:200]
        raise InputError("report.broken", name=shown_name(file), reason=reason) from fault
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    """Without what a terminal would obey: control characters and signs that turn text round."""
    from probes.text.characters import all_visible, printable

    return all_visible(value, printable)
