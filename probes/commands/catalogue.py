"""`crux models`, `crux presets`, `crux page`."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import probes
from probes.commands import shared
from probes.commands.card import check_card
from probes.commands.shared import Context
from probes.commands.tables import put, table
from probes.errors import ModelError
from probes.locale import say
from probes.numbers import figure


def models(lang: str) -> click.Group:
    """`crux models list|fetch|unfinished|check`."""

    def command(name: str, callback: Callable[..., None], *params: click.Parameter) -> click.Command:
        whole = [*params, shared.language_option(lang)]
        return click.Command(name, callback=callback, help=say(f"cli.models_{name}", lang), params=whole)

    passages = shared.option("passages", lang, type=click.IntRange(1, 20_000), default=200, show_default=True)
    return click.Group(
        "models",
        help=say("cli.models", lang),
        params=[shared.language_option(lang)],
        commands=[
            command("list", _list, _json(lang)),
            command("fetch", _fetch, click.Argument(["name"])),
            command("unfinished", _unfinished, shared.option("discard", lang, is_flag=True), _json(lang)),
            command(
                "check",
                _check,
                click.Argument(["model"], default="builtin"),
                *(o for o in shared.model_options(lang) if o.name not in ("model", "engine")),
                shared.option("card", lang, is_flag=True),
                passages,
                _json(lang),
            ),
        ],
    )


def presets(lang: str) -> click.Command:
    """`crux presets`: a line each; with a name, the whole of one."""
    return click.Command(
        "presets",
        callback=_presets,
        help=say("cli.presets", lang),
        params=[click.Argument(["name"], required=False), _json(lang), shared.language_option(lang)],
    )


def page(lang: str) -> click.Command:
    """`crux page`: the dashboard."""
    return click.Command(
        "page",
        callback=_page,
        help=say("cli.page", lang),
        params=[
            click.Argument(["record"], required=False),
            shared.option("port", lang, type=click.IntRange(1, 65535), default=8501, show_default=True),
            shared.option("host", lang, default="localhost", show_default=True),
            shared.language_option(lang),
        ],
    )


def _json(lang: str) -> click.Option:
    return shared.option("json", lang, names=["--json", "as_json"], is_flag=True)


def _write_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def _show(rows: list[list[str]], heads: list[str]) -> None:
    from rich.console import Console
    from rich.text import Text

    grid = table(*((head, "left") for head in heads))
    grid.show_header = any(heads)
    for row in rows:
        grid.add_row(*map(Text, row))
    put(Console(file=sys.stdout, highlight=False), grid)


def _list(*, as_json: bool) -> None:
    from dataclasses import asdict

    from probes.models import catalog
    from probes.models.looking import on_this_machine
    from probes.models.memory import readable
    from probes.models.source import resolve

    context = shared.context()
    found = [(entry, on_this_machine(resolve(entry.name))) for entry in catalog.entries()]
    if as_json:
        _write_json([{**asdict(e), "folder": str(path) if path else None} for e, path in found])
        return
    rows = [["builtin", context.say("here"), "", "Apache-2.0", "zh, en"]]
    for entry, path in found:
        place = context.say("here") if path else entry.repo
        rows.append([entry.name, place, readable(entry.bytes), entry.licence, entry.spoken(4)])
    _show(
        rows,
        [context.say(f"col_{name}") for name in ("name", "repo", "size", "licence", "languages")],
    )


def _fetch(name: str) -> None:
    """Fetch once; prints the folder and nothing else on standard output."""
    from probes.models.fetch import fetch

    context = shared.context()
    progress = shared.Progress(context, quiet=False)
    try:
        folder = fetch(name, progress.stage)
    finally:
        progress.clear()
    click.echo(str(folder))


def _unfinished(discard: bool, as_json: bool) -> None:
    from probes.models import unfinished
    from probes.models.memory import readable

    context = shared.context()
    left = [(one, one.size) for one in unfinished.unfinished()]
    freed = sum(unfinished.discard(one) for one, _ in left) if discard else None
    if as_json:
        _write_json(
            {"unfinished": [{"model": one.repo, "bytes": size} for one, size in left], "freed": freed}
        )
        return
    if not left:
        click.echo(context.say("nothing_unfinished"))
        return
    _show(
        [[one.repo, readable(size)] for one, size in left], [context.say("col_name"), context.say("col_size")]
    )
    if freed is not None:
        click.echo(context.say("freed", size=readable(freed)))


def _check(model: str, card: bool, passages: int, as_json: bool, **values: Any) -> None:
    """Load, check, report: what the model is, what was tried on it, what it cannot do and why."""
    from probes.models.local import LocalModel

    context = shared.context()
    if card:
        check_card(model, passages, as_json, context)
        return
    loaded = shared.load({"model": model, "engine": "auto", **values}, context, quiet=as_json)
    if isinstance(loaded, LocalModel):
        loaded.examine_anew()  # who asks for a check wants one
    about = loaded.describe()
    if as_json:
        _write_json(about)
        return
    if not isinstance(loaded, LocalModel):
        click.echo(context.say("check_elsewhere", model=about["model"]))
        return
    facts = ("model", "architecture", "parameters", "window", "device", "dtype", "fingerprint")
    _show([[context.say(f"fact_{name}"), str(about[name])] for name in facts], ["", ""])
    click.echo()
    marks = {True: context.say("check_ok"), False: context.say("check_bad")}
    tried = about["anatomy"]["findings"]
    what = {f["name"]: say(f"checks.{f['name']}", context.lang) for f in tried}
    _show([[marks[bool(f["ok"])], what[f["name"]], figure(f["value"])] for f in tried], ["", "", ""])
    for can in about["anatomy"]["capabilities"].values():
        if can["reason"]:
            reason = dict(can["reason"])
            click.echo(say(f"errors.{reason.pop('key')}", context.lang, **reason))


def _presets(name: str | None, as_json: bool) -> None:
    from probes.asking.question import preset
    from probes.asking.question import presets as names

    context = shared.context()
    if name:
        _preset(name, context, as_json)
        return
    found = [preset(each) for each in names()]
    if as_json:
        _write_json(
            [{"id": p.id, "language": p.language, "question": p.ask, "right": p.right} for p in found]
        )
        return
    rows = [[p.id, p.title[context.lang], p.ask, p.right or "—"] for p in found]
    _show(rows, [context.say(f"col_{each}") for each in ("name", "title", "question", "right")])


def _preset(name: str, context: Context, as_json: bool) -> None:
    from probes.asking.question import preset

    one = preset(name)
    question = one.question()
    if as_json:
        _write_json(
            {
                "id": one.id,
                "language": one.language,
                "passage": one.text,
                "question": one.ask,
                "right": one.right,
                "answers": {a.label: list(a.strings) for a in one.answers.answers},
                "answer_prefix": one.answer_prefix,
                "words": [w.text for w in question.passage.words],
                "roles": {role: [one.text[a:b] for a, b in spans] for role, spans in question.roles.items()},
            }
        )
        return
    click.echo(f"{one.title[context.lang]}\n\n{one.text}\n\n{one.ask}")
    for role, spans in question.roles.items():
        click.echo(f"{say(f'roles.{role}', context.lang)}: {' · '.join(one.text[a:b] for a, b in spans)}")


def app() -> Path:
    """The dashboard's script: the one that lies beside this package, and no other folder of that name.

    Raises:
        ModelError: there is none, or Streamlit is not installed.
    """
    found = Path(probes.__file__).resolve().parents[1] / "dashboard" / "app.py"
    if not found.exists():
        raise ModelError("dashboard_missing")
    if importlib.util.find_spec("streamlit") is None:
        raise ModelError("page_missing")
    return found


def _page(record: str | None, port: int, host: str) -> None:
    """Become Streamlit, serving the dashboard, which lies beside this package.

    The same process where the system can do that: what ends this command then ends the server.

    Only this machine may connect unless another address is named: a local page opens any folder it is told.
    """
    if record == "-":
        raise click.UsageError(say("cli.page_no_pipe", shared.context().lang))
    if record is not None:
        from probes.report import NAMED_FILE, read

        read(record)  # what cannot be opened is said here, not in the browser
        os.environ[NAMED_FILE] = str(Path(record).resolve())
        click.echo(say("cli.page_record", shared.context().lang, port=port), err=True)
    script = app()
    where = ["--server.port", str(port), "--server.address", host]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *where]
    os.chdir(script.parents[1])
    if os.name == "posix":
        os.execv(sys.executable, command)  # noqa: S606 - a list, no shell
    sys.exit(subprocess.call(command))  # noqa: S603
