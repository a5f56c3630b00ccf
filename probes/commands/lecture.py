"""`crux lecture`: the lecture's claims put to one model or several."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import click

from probes.commands import shared
from probes.commands.shared import Context
from probes.commands.study import check_writable, put_out
from probes.commands.tables import put, table
from probes.locale import say
from probes.running.headline import tabled


def lecture(lang: str) -> click.Command:
    """`crux lecture`: a row a claim; with several models, a column a model."""
    optional_file = {"is_flag": False, "flag_value": "-", "metavar": "[FILE]"}
    repeated: dict[str, Any] = {"multiple": True, "default": ["builtin"], "show_default": True}
    seed: dict[str, Any] = {"type": click.IntRange(0), "default": 0, "show_default": True}
    models = [o for o in shared.model_options(lang) if o.name != "model"]
    return click.Command(
        "lecture",
        callback=_lecture,
        help=say("cli.lecture", lang),
        params=[
            shared.option("model", lang, names=["--model", "models"], **repeated),
            shared.option("claims", lang, metavar="LIST"),
            shared.option("variants", lang, type=click.INT),
            *shared.question_options(lang),
            shared.option("told_in", lang, names=["--passages", "told_in"], type=click.Choice(["zh", "en"])),
            shared.option("seed_of_passages", lang, names=["--seed", "seed_of_passages"], **seed),
            *models,
            shared.option("json", lang, **optional_file),
            shared.option("cache", lang, names=["--cache/--no-cache"], default=True),
            shared.option("quiet", lang, names=["--quiet", "-q"], is_flag=True),
            shared.language_option(lang),
        ],
    )


def _lecture(**values: Any) -> None:
    from probes.record.store import Store
    from probes.running.lecture import claims_named, lecture

    context = shared.context()
    claims_named(values["claims"])  # before models are loaded
    check_writable(values["json"], context)
    chosen = shared.question(values, context) if shared.asks(values) else None
    told_in = context.lang if chosen is None else "zh" if chosen.language == "zh" else "en"
    store = Store.default() if values["cache"] else None
    progress = shared.Stepwise(
        context,
        values["quiet"],
        lambda claim, done, total: context.say("progress_claim", claim=claim, done=done),
    )
    found = []

    def telling(claim: str, judged: int, of: int) -> None:
        progress.step = say("lecture.judging", context.lang, claim=claim, done=judged, all=of)

    with progress.stoppable(store):
        for name in dict.fromkeys(values["models"]):
            model = shared.load(values | {"model": name}, context, values["quiet"])
            found.append(
                lecture(
                    model,
                    language=values["told_in"] or told_in,
                    question=chosen,
                    claims=values["claims"],
                    variants=values["variants"],
                    seed=values["seed_of_passages"],
                    store=store,
                    lang=context.lang,
                    on_progress=progress,
                    on_claim=telling,
                )
            )
    records = [one.data for one in found]
    whole = records[0] if len(records) == 1 else records
    if not put_out({"json": partial(json.dumps, whole, ensure_ascii=False, indent=1)}, values, context):
        _show(records, list(dict.fromkeys(values["models"])), context)


def _show(records: Sequence[Mapping[str, Any]], models: Sequence[str], context: Context) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, soft_wrap=False)
    lang = context.lang
    for model, record in zip(models, records, strict=True):
        line = record["headline"] if len(records) == 1 else f"{model}: {record['headline']}"
        console.print(Text(line, style="bold"))
    console.print()
    if len(records) == 1:
        told = tabled(records[0], lang)
        grid = table(*told.columns)
        for cells in told.rows:
            grid.add_row(*map(Text, cells))
        put(console, grid)
        return
    heads = [say("lecture.col_claim", lang), say("lecture.col_says", lang), *models]
    grid = table(*((head, "left") for head in heads))
    for rows in zip(*(record["rows"] for record in records), strict=True):
        verdicts = [say(f"lecture.verdict_{row['verdict']}", lang) for row in rows]
        grid.add_row(*map(Text, [rows[0]["id"], say(f"lecture.{rows[0]['id']}_says", lang), *verdicts]))
    put(console, grid)
