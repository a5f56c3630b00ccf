"""What if another word stood there? A word is replaced by others, and what they do to the answer is ranked.

The others are the reader's, the preset's, or proposed by the model itself and kept where they read fluently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.asking.question import Question
from probes.asking.readings import Proposals
from probes.asking.trials import Mode, Trial
from probes.errors import InputError
from probes.locale import say
from probes.numbers import nats, shortened, signed
from probes.record.leads import flips_clearly
from probes.studies.base import NATS, POINTS, TARGET, Asking, Extent, Option, Record, Steps, Study, opened
from probes.studies.columns import Table, columns, effect_cells, flip_cell, note, strongest_first
from probes.studies.effects import run_fields
from probes.studies.places import CHANGE, TO, listed, place_of, there
from probes.studies.telling import joined, opening, quoted_text, says, strongest_of, swaps
from probes.text.segment import Span

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

PROPOSE = Option("propose", "integer", 0, low=0, high=30)
FLUENCY = Option("fluency", "number", 6.0, low=0, high=1000)
SUGGESTED, A_PROPOSAL = 20, 25
"""Replacements that a passage suggests at most; runs that a proposal takes."""
Replacement = tuple[tuple[Span, ...], str, str, float | None]
"""Where, what, who says so, and how fluent it is beside the passage's own words (nats)."""


def steps(asking: Asking) -> Steps:
    """Yield the passage with each other word in place; return the record's body."""
    settings = asking.settings
    chosen, unfit = yield from _replacements(asking)
    if not chosen:
        raise InputError("counterfactual.none", count=unfit)
    outcomes = yield [Trial(spans, Mode.REPLACE, text) for spans, text, *_ in chosen]
    passage = asking.question.passage.text
    rows = [
        {
            "text": text,
            "own": passage[slice(*spans[0])],
            "places": len(spans),
            "from": source,
            "fluency": fluency,
            **run_fields(outcome),
            **asking.effect(outcome),
        }
        for (spans, text, source, fluency), outcome in zip(chosen, outcomes, strict=True)
    ]
    return {"rows": rows, "unfit": unfit, "fluency": settings["fluency"]}


def _replacements(asking: Asking) -> Any:
    """What is put where: as told, as suggested, as proposed; and how many proposals read too badly."""
    question, settings = asking.question, asking.settings
    found: list[Replacement] = []
    if settings["to"]:
        _, spans = place_of(question, settings["change"])
        found += [(spans, text, "reader", None) for text in listed(settings["to"])]
    else:
        found += _suggested(question, settings["change"])
    unfit = 0
    if settings["propose"]:
        opened(asking.model)
        _, spans = place_of(question, settings["change"])
        (proposed,) = yield [Proposals(spans[0], settings["propose"])]
        fit = [one for one in proposed if one[1] >= -settings["fluency"]]
        unfit = len(proposed) - len(fit)
        found += [(spans[:1], text, "model", fluency) for text, fluency in fit]
    known: dict[tuple[tuple[Span, ...], str], Replacement] = {}
    for one in found:
        known.setdefault((one[0], one[1].casefold()), one)
    own = question.passage.text
    return [one for one in known.values() if own[slice(*one[0][0])].casefold() != one[1].casefold()], unfit


def _suggested(question: Question, change: str | None) -> list[Replacement]:
    """All that the question suggests, or what it suggests for the words that are named."""
    pairs = [(words, to) for words, texts in question.suggested.rewordings for to in texts]
    pairs += [pair for pair in question.swaps if pair not in pairs]
    places = [(spans, to) for words, to in pairs if (spans := there(question, words))]
    if change:
        wanted = place_of(question, change)[1]
        places = [(spans, to) for spans, to in places if spans == wanted]
    return [(spans, to, "preset", None) for spans, to in places]


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """The replacement that changes the answer most surely, and how many do."""
    rows, parts = data["rows"], opening(data, lang)
    flipping = [row for row in rows if flips_clearly(row, data)]
    strongest = strongest_of(flipping or rows)
    pair = {
        "what": quoted_text(shortened(strongest["text"]), lang),
        "own": quoted_text(strongest["own"], lang),
    }
    if flipping:
        parts.append(says(data, strongest, lang, "counterfactual.then", **pair))
        parts.append(say("counterfactual.flips", lang, flips=len(flipping), all=len(rows)))
    else:
        parts.append(say("counterfactual.none_flips", lang, all=len(rows), nats=nats(strongest), **pair))
    parts += swaps(rows, data, lang)
    if data["unfit"]:
        parts.append(say("counterfactual.unfit", lang, count=data["unfit"]))
    return joined(parts, lang)


def table(data: Record, lang: str) -> Table:
    """Every replacement, those that move the answer most first."""
    cells, quiet = [], []
    for row in strongest_first(data["rows"]):
        fluency = "" if row["fluency"] is None else signed(row["fluency"], 1)
        source = say(f"counterfactual.from_{row['from']}", lang)
        cells.append(
            [
                shortened(row["own"]),
                shortened(row["text"]),
                *effect_cells(row),
                flip_cell(row, data),
                source,
                fluency,
            ]
        )
        quiet.append(bool(row["no_change"]))
    names = ("word", "to", "nats", "points", "kl", "flips", "source", "fluency")
    return Table(
        columns("counterfactual", lang, *names), cells, [note("counterfactual.note", data, lang)], quiet
    )


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Each replacement a dot, in the row of the words that it replaces."""
    from probes import charts

    runs_ = [(shortened(row["own"], 24), row["text"], row) for row in result.data["rows"]]
    return charts.dots(result, runs_, lang, named=True)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """One for each replacement; a passage suggests no more than a few. A word that the model proposes takes
    some runs to be found.
    """
    given = len(listed(settings["to"] or "")) or SUGGESTED + extent.swaps
    return given + A_PROPOSAL * int(settings["propose"])


STUDY = Study(
    "counterfactual",
    (CHANGE, TO, PROPOSE, FLUENCY, TARGET, POINTS, NATS),
    steps,
    sentence=sentence,
    table=table,
    picture=picture,
    runs=runs,
)
