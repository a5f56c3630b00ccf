"""`crux models check --card`: the built-in model's card, measured again."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from probes.commands import shared
from probes.commands.shared import Context
from probes.commands.tables import put, table
from probes.locale import say
from probes.models.source import resolve

TRUTHS = 0.075
"""Passages whose every word is left out, for each passage of the other rows."""
SECONDS, FIXED = 0.45, 30
"""About what a passage of each row takes on one core (both languages, all trials), and the rest."""


def check_card(model: str, passages: int, as_json: bool, context: Context) -> None:
    """Measure every row on new passages and print goals, figures and intervals.

    Raises:
        click.UsageError: `model` was not made by `probes.training`, so the questions are not put to it so.
    """
    folder = resolve(model).path
    if folder is None or not (folder / "origin.json").exists():
        raise click.UsageError(context.say("card_only"))
    from probes.training.card import rows
    from probes.training.cases import LANGUAGES
    from probes.training.measure import measure
    from probes.training.scoring import Scorer

    if not as_json:
        minutes = max(1, round((FIXED + passages * SECONDS) / 60))
        click.echo(context.say("card_time", passages=passages, minutes=minutes), err=True)
    progress = shared.Progress(context, quiet=as_json)
    try:
        found = rows(measure(Scorer(folder), passages, max(1, round(TRUTHS * passages)), progress=progress))
    finally:
        progress.clear()
    if as_json:
        click.echo(json.dumps([_entry(row, each) for row in found for each in LANGUAGES], indent=1))
        return
    _show(
        [[say(f"card.{r.key}", context.lang), r.wanted, *map(r.measured, LANGUAGES)] for r in found], context
    )


def _entry(row: Any, language: str) -> dict[str, Any]:
    """One figure of one row, with shares from 0 to 1; without an interval where there is none."""
    figure = row.figures[language]
    return {
        "row": row.key,
        "language": language,
        "goal": row.goal,
        "sign": row.sign,
        "measured": figure["share"],
        "interval": [figure["low"], figure["high"]] if "low" in figure else None,
        "of": figure.get("of"),
        "reached": row.reached(language),
    }


def _show(lines: list[list[str]], context: Context) -> None:
    from rich.console import Console
    from rich.text import Text

    heads = [context.say("col_row"), context.say("col_goal"), context.say("col_en"), context.say("col_zh")]
    grid = table(*((head, "left") for head in heads))
    for line in lines:
        grid.add_row(*map(Text, line))
    put(Console(file=sys.stdout, highlight=False), grid)
