"""Which words matter when something else is asked? The same words are taken away under two questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from probes.asking.question import Question, answer_set
from probes.asking.trials import Trial, Wording
from probes.errors import InputError
from probes.locale import say
from probes.numbers import signed_if_known, strength
from probes.ranks import spearman
from probes.studies.attention import units_of
from probes.studies.base import (
    FILLER,
    MODE,
    NATS,
    POINTS,
    TARGET,
    UNIT,
    Asking,
    Extent,
    Option,
    Record,
    Steps,
    Study,
)
from probes.studies.columns import Table, columns, effect_cells, flip_cell, note, word_label
from probes.studies.effects import Target, answer_fields, effect_of, run_fields
from probes.studies.telling import joined, measured_on, quoted, quoted_text, says

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

OTHER = Option("other", "text", None)
OTHER_ANSWERS = Option("other_answers", "text", None)
OTHER_TARGET = Option("other_target", "text", "top")


def steps(asking: Asking) -> Steps:
    """Yield the other question about the passage as it stands, then every unit away under both questions."""
    question, settings = asking.question, asking.settings
    other = other_question(question, settings)
    wording = Wording(question=other.question, answers=other.answers, answer_prefix="")
    units = asking.model.units(question, settings["unit"])
    if not units:
        raise InputError("no_units", unit=settings["unit"])
    trials = [asking.without([unit]) for unit in units]
    first, *outcomes = yield [
        Trial(wording=wording),
        *trials,
        *(replace(one, wording=wording) for one in trials),
    ]
    target = Target.of(settings["other_target"], other, first.answers)
    rows = [
        {
            **named,
            "role": question.role_of(unit.span),
            **run_fields(here),
            **asking.effect(here),
            "second": {**run_fields(there), **effect_of(first, there, target, settings)},
        }
        for unit, named, here, there in zip(
            units, units_of(units), outcomes[: len(units)], outcomes[len(units) :], strict=True
        )
    ]
    return {
        "mode": settings["mode"],
        "unit": settings["unit"],
        "rows": rows,
        "second": {
            "question": other.question,
            "right": other.right,
            "prompt": first.prepared.prompt,
            "prompt_ids": list(first.prepared.prompt_ids),
            **answer_fields(first.answers),
            "top": first.answers.answers.answers[first.answers.top].label,
            "target": target.as_dict(other),
        },
        "rho": _alike(rows),
    }


def other_question(question: Question, settings: Mapping[str, Any]) -> Question:
    """The other question about the same passage: as told, else as suggested.

    Raises:
        InputError: none is told and none suggested, or one without its answers.
    """
    if settings["other"]:
        if not settings["other_answers"]:
            raise InputError("questions.no_answers", question=settings["other"])
        answers, right = answer_set(settings["other_answers"], question.language), None
        asked = settings["other"]
    elif question.suggested.other:
        asked, answers, right = question.suggested.other
    else:
        raise InputError("questions.none")
    return replace(question, question=asked, answers=answers, right=right, tempting=None, preset=None)


def _alike(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """How much alike the two questions rank the words (Spearman); None where one of them ranks none."""
    return spearman([strength(row) for row in rows], [strength(row["second"]) for row in rows])


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """What each question is answered, which words matter to one of them alone, which to both."""
    parts = [says(data, data["clean"], lang, "headline.says"), *measured_on(data, lang)]
    asked = quoted_text(data["second"]["question"], lang)
    parts.append(says(data, data["second"], lang, "questions.then_asked", what=asked))
    here = {row["index"] for row in data["rows"] if row["no_change"] is False}
    there = {row["index"] for row in data["rows"] if row["second"]["no_change"] is False}
    for key, numbers in (("became", there - here), ("stopped", here - there), ("both", here & there)):
        rows = [row for row in data["rows"] if row["index"] in numbers]
        rows.sort(key=lambda row: -max(strength(row), strength(row["second"])))
        if rows:
            parts.append(say(f"questions.{key}", lang, what=quoted(rows, lang)))
    if not here and not there:
        parts.append(say("questions.neither", lang))
    return joined(parts, lang)


def table(data: Record, lang: str) -> Table:
    """Every unit with what it does under each question, those that move either answer most first."""
    cells, quiet = [], []
    other = {"clean": data["second"]}
    for row in sorted(data["rows"], key=lambda r: -max(strength(r), strength(r["second"]))):
        here, there = effect_cells(row)[0], effect_cells(row["second"])[0]
        cells.append([word_label(row), here, flip_cell(row, data), there, flip_cell(row["second"], other)])
        quiet.append(bool(row["no_change"] and row["second"]["no_change"]))
    rho = signed_if_known(data["rho"])
    told = note("questions.note", data, lang, other=data["second"]["target"]["text"], rho=rho)
    names = ("word", "nats", "flips", "nats_other", "flips_other")
    return Table(columns("questions", lang, *names), cells, [told], quiet)


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Each word with what it does under each question."""
    from probes import charts

    return charts.two_questions(result, lang)


def runs(extent: Extent, _settings: Mapping[str, Any]) -> int:
    """Every unit under two questions."""
    return 2 * extent.units + 1


STUDY = Study(
    "questions",
    (OTHER, OTHER_ANSWERS, OTHER_TARGET, MODE, UNIT, TARGET, FILLER, POINTS, NATS),
    steps,
    sentence=sentence,
    table=table,
    picture=picture,
    runs=runs,
    part=0.5,
)
