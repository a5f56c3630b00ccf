"""The page of a report: a section a record, each text in both languages, the records themselves inside.

A page is made from records alone, opens without a network and sends nothing anywhere. What it quotes is
escaped by the template; what scripts read is JSON; what may run is named by its hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from probes.errors import CruxError, InputError, LimitError, ModelError
from probes.locale import LANGUAGES, say
from probes.numbers import percent
from probes.record.results import ProbeResult
from probes.report import embedding, facts, marks
from probes.running.headline import headline, pictured, tabled
from probes.studies import STUDIES
from probes.text.characters import visible

if TYPE_CHECKING:
    from jinja2 import Environment

LARGEST = 5_000_000
"""Bytes of a report: what still goes into a mail and opens at once."""
FIRST, MOST = 20, 500
"""Rows of a table that are shown, and how many more are folded away; the record has them all."""
Both = Mapping[str, str]
"""A text in each language."""


@dataclass(frozen=True)
class Given:
    """A record, and the name of the file that it came in; "" where it came in none."""

    result: ProbeResult
    name: str = ""


def report(given: Sequence[Given], lang: str) -> str:
    """The page, in HTML.

    Args:
        lang: the language that it opens in.

    Raises:
        InputError: a record lacks what its study tells it from.
        LimitError: it would have more than `LARGEST` bytes.
        ModelError: the libraries that draw charts are not installed.
    """
    try:
        scripts = (embedding.bundle(), embedding.own("page.js"))
    except ImportError as fault:
        raise ModelError("page_missing") from fault
    sections = [section(one, number) for number, one in enumerate(given, 1)]
    text = rendered("page.html", lang, scripts, embedding.own("page.css"), sections=sections)
    if (size := len(text.encode("utf-8"))) > LARGEST:
        raise _too_large(size, sections)
    return text


def rendered(
    template: str, lang: str, scripts: Sequence[str], style: str, *, nonce: str = "", **told: Any
) -> str:
    """A page of a template that is `page.html` or extends it; `scripts` and `style` are this package's own.

    Args:
        nonce: what the elements of script files bear, see `embedding.policy`.
        told: what the template says besides; texts in it are escaped.
    """
    page = _templates().get_template(template)
    return page.render(
        lang=lang,
        policy=embedding.policy(scripts, style, nonce),
        nonce=nonce,
        style=Markup(style),  # noqa: S704 - files of this package, and the bundle, all known by their hashes
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        t=said,
        **told,
    )


def _too_large(size: int, sections: Sequence[Mapping[str, Any]]) -> LimitError:
    """Which record takes most of it: the one to leave out."""
    of_each = [len(one["record"].encode()) + len(one["chart"].encode()) for one in sections]
    number = of_each.index(max(of_each))
    largest = sections[number]
    told = {
        "name": largest["file"] or largest["study"],
        "number": number + 1,
        "its": f"{of_each[number] / 1e6:.1f} MB",
    }
    return LimitError("report.large", size=f"{size / 1e6:.1f} MB", most=f"{LARGEST / 1e6:.0f} MB", **told)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    here = Path(__file__).parent
    loader = FileSystemLoader([here, here.parent / "site"])
    return Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def both(make: Callable[[str], str]) -> Both:
    """What is made in each language, fit to stand in a page."""
    return {lang: visible(make(lang)) for lang in LANGUAGES}


def said(key: str, **values: object) -> Both:
    """A text of the page's own; a key with a dot is the whole name of a text."""
    whole = key if "." in key else f"report.{key}"
    return both(lambda lang: say(whole, lang, **values))


def section(given: Given, number: int) -> dict[str, Any]:
    """What the template is told of one record.

    Raises:
        InputError: the record lacks what its study tells it from.
    """
    try:
        return _told(given, number)
    except (CruxError, ImportError):
        raise
    except Exception as fault:  # a stranger's file may be wrong in any way
        reason = f"{type(fault).__name__}: {fault}"[:200]
        raise InputError("report.broken", name=given.name or given.result.study, reason=reason) from fault


def _told(given: Given, number: int) -> dict[str, Any]:
    result, data = given.result, given.result.data
    clean, study = data.get("clean", data), STUDIES.get(result.study)
    found = marks.pieces(data)
    return {
        "number": number,
        "file": visible(given.name),
        "study": visible(result.study),
        "about": both(study.about) if study else None,
        "headline": both(lambda lang: headline(data, lang)),
        "set": said("set", size=data["over"]["size"]) if "over" in data else None,
        "question": visible(str(clean.get("question") or "")),
        "model": visible(facts.model_of(data)),
        "pieces": [(visible(piece.text), piece) for piece in found],
        "kinds": dict.fromkeys(piece.kind for piece in found if piece.kind),
        "flips": any(piece.flips for piece in found),
        "answers": _answers(data),
        "taken": "taken" in data and "clean" in data,
        "chart": embedding.as_json({lang: _chart(result, lang) for lang in LANGUAGES}),
        "table": _table(data),
        "facts": _facts(data),
        "command": visible(str(data["provenance"].get("command_line") or "")),
        "prompt": visible(str(clean.get("prompt") or "")),
        "record": embedding.record(data),
    }


def _answers(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each answer's probability, clean and now where something was taken away; everything else comes last."""
    clean = data.get("clean", data)
    if "answers" not in clean:
        return []
    runs = [clean, data] if "answers" in data and "clean" in data else [clean]
    found = []
    for i, answer in enumerate(clean["answers"]):
        shares = [run["answers"][i]["probability"] for run in runs]
        right, first = answer["answer"] == clean.get("right"), answer["answer"] == runs[-1].get("top")
        found.append(_answer(beside([str(answer["name"])] * len(LANGUAGES)), shares, right, first))
    others = [run.get("other", 0.0) for run in runs]
    return [*found, _answer(both(lambda lang: say("cli.other", lang)), others)]


def _answer(name: Both, shares: Sequence[float], right: bool = False, top: bool = False) -> dict[str, Any]:
    """One line; `bar` is a share of 100."""
    cells = [percent(share) for share in shares]
    return {"name": name, "cells": cells, "bar": f"{100 * shares[-1]:.2f}", "right": right, "top": top}


def _chart(result: ProbeResult, lang: str) -> dict[str, Any]:
    """The study's picture as a specification whose ink is the page's and whose width is the reader's."""
    from probes.charts import specification

    spec = specification(pictured(result, lang), ink="currentColor")
    return {**spec, "width": "container", "padding": {"left": 3, "right": 6, "top": 4, "bottom": 10}}


def _table(data: Mapping[str, Any]) -> dict[str, Any]:
    """The study's table: heads with their side, rows with whether they are set back, notes; each in both
    languages.
    """
    tables = [tabled(data, lang) for lang in LANGUAGES]
    heads = zip(*(table.columns for table in tables), strict=True)
    rows = zip(*(table.rows for table in tables), strict=True)
    lines = [[beside(cells) for cells in zip(*row, strict=True)] for row in rows]
    quiet = list(tables[0].quiet) or [False] * len(lines)
    told = list(zip(lines, quiet, strict=True))
    return {
        "heads": [(beside([title for title, _ in head]), head[0][1]) for head in heads],
        "first": told[:FIRST],
        "more": told[FIRST : FIRST + MOST],
        "left": max(0, len(told) - FIRST - MOST),
        "notes": [beside(note) for note in zip(*(table.notes for table in tables), strict=True)],
    }


def _facts(data: Mapping[str, Any]) -> list[tuple[Both, Both]]:
    """What a fact is called, and what it is."""
    found = zip(*(facts.facts(data, lang) for lang in LANGUAGES), strict=True)
    return [(beside([name for name, _ in fact]), beside([value for _, value in fact])) for fact in found]


def beside(texts: Sequence[str]) -> Both:
    """A text given in each language, in the order of `LANGUAGES`."""
    return {lang: visible(text) for lang, text in zip(LANGUAGES, texts, strict=True)}
