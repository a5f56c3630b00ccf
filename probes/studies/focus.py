"""Does what the model goes on with hang on a few words of the passage, or on each a little?

Units are taken away one by one, as in `words`; what is measured is a whole text after the prompt, the model's
own continuation or one that the reader gives, and how concentrated the effects on it are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.asking.readings import Continuation
from probes.asking.trials import Trial, Wording
from probes.errors import CapabilityError, InputError
from probes.locale import say
from probes.numbers import nats, percent, ranked_among, shortened, signed, strength
from probes.record.leads import margin_of
from probes.studies.base import FILLER, MODE, UNIT, Asking, Option, Record, Steps, Study, inside_of
from probes.studies.columns import Table, columns, note, strongest_first, word_label
from probes.studies.concentration import MEASURES, TOPS, concentration
from probes.studies.effects import Target, effect_of
from probes.studies.over_telling import Over
from probes.studies.telling import joined, quoted_text, quoted_unit, strongest_of
from probes.studies.unit_rows import unit_rows

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

TEXT = Option("text", "text", None)
TOKENS = Option("tokens", "integer", 24, low=1, high=200)
TOLD = 80
"""Characters of the text that a sentence or a note has room for."""
NAMED = 40
"""Characters of it by which an axis names it."""


def steps(asking: Asking) -> Steps:
    """Yield the text after the passage as it stands, then with every unit away; return the record's body."""
    question, settings = asking.question, asking.settings
    units = asking.model.units(question, settings["unit"])
    if not units:
        raise InputError("no_units", unit=settings["unit"])
    given = (settings["text"] or "").strip()
    text = settings["text"] if given else (yield from _own(asking))
    answers = AnswerSet.of_text(text)
    wording = Wording(answers=answers)
    trials = [replace(asking.without([unit]), wording=wording) for unit in units]
    first, *outcomes = yield [Trial(wording=wording), *trials]
    target, whole = Target("text", 0), first.answers.as_records()[0]
    log_prob = whole["log_prob"]
    if log_prob is None and first.answers.how == "exact":
        raise InputError("focus.impossible", text=shortened(text, TOLD))
    tokens = len(whole["scored"][0]["ids"]) if whole["scored"] else 0
    rows, notes = unit_rows(
        asking, units, outcomes, lambda outcome: effect_of(first, outcome, target, settings)
    )
    return {
        "mode": settings["mode"],
        "unit": settings["unit"],
        "text": text,
        "whose": "given" if given else "own",
        "tokens": tokens or None,
        "log_prob": log_prob,
        "per_token": log_prob / tokens if tokens and log_prob is not None else None,
        "scored": whole["scored"],
        "target": {**target.as_dict(replace(question, answers=answers)), "text": shortened(text, NAMED)},
        "rows": rows,
        "concentration": concentration([_known(row) for row in rows], asking.noise),
        "notes": notes,
    }


def _own(asking: Asking) -> Any:
    """What the model goes on with by itself, to the end of its first line.

    Raises:
        CapabilityError: it only answers, and cannot be asked to go on.
        InputError: it ends, or says nothing that can be read.
    """
    if inside_of(asking.model) is None:
        raise CapabilityError("focus.only_answers")
    (text,) = yield [Continuation(asking.settings["tokens"])]
    found = first_line(text)
    if not found.strip():
        raise InputError("focus.nothing")
    return found


def first_line(text: str) -> str:
    """The first line of a text that has something on it, with all that stands before it."""
    body = text.lstrip()
    return text[: len(text) - len(body)] + (body.splitlines() or [""])[0].rstrip()


def _known(row: Mapping[str, Any]) -> float | None:
    """A row's effect (nats); nothing where samples or first tokens leave open which way it goes."""
    effect: float | None = row["effect_log_prob"]
    if effect is None or "effect_log_prob_interval" not in row:
        return effect
    low, high = row["effect_log_prob_interval"]
    return effect if (low is not None and low > 0) or (high is not None and high < 0) else 0.0


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """Whose text it is, and how much of what moves it the strongest units carry."""
    parts, found, unit = [_opening(data, lang)], data["concentration"], data["unit"]
    if not found["moving"]:
        parts.append(say(f"focus.nothing_moves_{unit}", lang))
        return joined(parts, lang)
    count = _told_of(found["n"])
    numbers = {
        "count": count,
        "all": found["n"],
        "share": percent(found[f"top_{count}"]),
        "even": percent(count / found["n"]),
        "gini": f"{found['gini']:.2f}",
    }
    if found["n"] > 1:
        parts.append(say(f"focus.carried_{unit}", lang, **numbers))
    strongest = strongest_of(data["rows"])
    told = {"what": quoted_unit(strongest, lang), "nats": nats(strongest)}
    parts.append(say("focus.strongest", lang, **told))
    least = margin_of(data)[1]
    if strength(strongest) < least:
        parts.append(say(f"focus.faint_{unit}", lang, nats=f"{least:.3g}"))
    return joined(parts, lang)


def _opening(data: Record, lang: str) -> str:
    text = quoted_text(shortened(data["text"], TOLD), lang)
    if data["whose"] == "own":
        return say("focus.goes_on", lang, text=text)
    if data["log_prob"] is None:
        return say("focus.given", lang, text=text)
    return say("focus.given_with", lang, text=text, log_prob=signed(data["log_prob"]))


def _told_of(n: int) -> int:
    """Of how many of the strongest the sentence speaks: few beside all there are."""
    return next((k for k in reversed(TOPS) if 2 * k <= n), TOPS[0])


def table(data: Record, lang: str) -> Table:
    """Every unit, those that move the text most first, each with its share of all that moves it."""
    noise, total = data["concentration"]["noise"], data["concentration"]["total"]
    cells, quiet = [], []
    for row in strongest_first(data["rows"]):
        known = _known(row)
        size = 0.0 if known is None or abs(known) <= noise else abs(known)
        part = "n/a" if known is None or not total else f"{100 * size / total:.1f} %"
        moved = row["effect_log_prob"]
        each = signed(moved / data["tokens"], 3) if moved is not None and data["tokens"] else "n/a"
        cells.append([word_label(row), nats(row, 3), each, part, ranked_among(row)])
        quiet.append(bool(row["no_change"]))
    return Table(
        columns("focus", lang, "word", "nats", "per_token", "share", "rank"),
        cells,
        _notes(data, lang),
        quiet,
    )


def _notes(data: Record, lang: str) -> list[str]:
    """How likely the text is, and how concentrated the effects on it are."""
    found, parts = data["concentration"], []
    if data["log_prob"] is not None and data["tokens"]:
        told = {"tokens": data["tokens"], "log_prob": signed(data["log_prob"])}
        parts.append(say("focus.likely", lang, per_token=signed(data["per_token"]), **told))
    if found["moving"]:
        tops = {name: percent(found[name]) for name in MEASURES if name.startswith("top_")}
        entropy = "n/a" if found["entropy"] is None else f"{found['entropy']:.2f}"
        spread = {"entropy": entropy, "gini": f"{found['gini']:.2f}", "most": f"{1 - 1 / found['n']:.2f}"}
        parts.append(say("focus.spread", lang, n=found["n"], moving=found["moving"], **spread, **tops))
    return [*parts, note("focus.note", data, lang)]


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """The effects on the text as bars."""
    from probes import charts

    return charts.effects(result, lang, alone=True)


# ---- over a set of passages


def _by_measure(record: dict[str, Any], _question: Question) -> dict[str, Any]:
    """The record with a row for each measure of concentration in the place of its units; a text of its own is
    measured in each passage, as the answer on top is elsewhere.
    """
    found, target = record["concentration"], record["target"]
    rows = [{"measure": name, "concentration": found[name]} for name in MEASURES if found[name] is not None]
    name = "top" if record["whose"] == "own" else target["name"]
    return {**record, "rows": rows, "target": {**target, "name": name}}


def _measure(row: Record, lang: str) -> str:
    return say(f"focus.measure_{row['measure']}", lang)


OVER = Over(
    keys=("measure",),
    name=_measure,
    short=_measure,
    cell=_measure,
    column="measure",
    measure="concentration",
    first="concentration",
    share=True,
    strongest=None,
    placed=_by_measure,
    left_out=("focus.nothing",),
    usable=lambda record: record["concentration"]["moving"] > 0,
)
STUDY = Study(
    "focus",
    (TEXT, TOKENS, MODE, UNIT, FILLER),
    steps,
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    part=0.5,
)
