"""Which few words are enough for the answer, and which deletions change it?

The words are struck until no one can go and the answer still stands, in several orders, for such sets are not
unique (Feng et al. 2018, arXiv 1804.07781): the words that all of them share are the *core*, the others are
filler. How sets are searched, and what may be called smallest, is in `probes.studies.subsets`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.asking.question import Question
from probes.errors import InputError
from probes.locale import say
from probes.numbers import percent, shortened
from probes.studies.base import (
    FILLER,
    MODE,
    NATS,
    POINTS,
    SEED,
    TARGET,
    UNIT,
    Asking,
    Extent,
    Option,
    Record,
    Steps,
    Study,
)
from probes.studies.chance import enough_by_chance
from probes.studies.columns import Table, columns, effect_cells, flip_cell, note
from probes.studies.effects import answer_fields, run_fields
from probes.studies.keeping import LEAD, ahead_by, rival, stand
from probes.studies.minimal_search import EXACT, Search, allowed
from probes.studies.over_telling import Over
from probes.studies.subsets import Set
from probes.studies.telling import joined, measured_on, quoted_text, says

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

SETS = Option("sets", "integer", 5, low=1, high=50)
ORDERS = Option("orders", "integer", 4, low=1, high=50)
BUDGET = Option("budget", "integer", None, low=10, high=100_000)
CONTROL = Option("control", "integer", 20, low=0, high=1000)
LONGEST = 90
"""Characters of a set's words in a sentence and a table."""


def steps(asking: Asking) -> Steps:
    """Yield sets of units left in the passage until no smaller ones are found; return the record's body."""
    model, question, settings = asking.model, asking.question, asking.settings
    units = model.units(question, settings["unit"])
    if not units:
        raise InputError("no_units", unit=settings["unit"])
    search = Search(asking, units)
    _refuse_open(asking, search.lead)
    yield from search.run()
    chance = None
    if search.keeping and settings["control"] and not search.survives:
        ranked = sorted(search.keeping, key=search.rank)[: settings["sets"] if search.exact else None]
        rng = random.Random(settings["seed"])
        chance, shares = yield from enough_by_chance(search.runs, ranked, settings["control"], rng)
        search.judge(shares)
    return {
        "mode": settings["mode"],
        "unit": settings["unit"],
        "lead": search.lead,
        "units": _units(search, question),
        "rows": _rows(search),
        "nothing": _left(search, frozenset()),
        "survives": search.survives,
        "core": None if search.core is None else sorted(search.core),
        "exact": search.exact,
        "spent": search.spent,
        "tried": search.tried,
        "found": {
            "keeps": len(search.keeping),
            "flips": len(search.flipping),
            "steady": len(search.steady),
        },
        "steps": [_left(search, kept) for kept in search.strikes],
        "chance": chance,
    }


def _refuse_open(asking: Asking, lead: float) -> None:
    """Refuse an answer that does not stand as the passage is: there is nothing to keep.

    Raises:
        InputError: with how far it leads, and how far it must.
    """
    answers, target = asking.clean.answers, asking.target
    if stand(answers, target, lead) == "keeps":
        return
    other = rival(answers, target)
    by = ahead_by(answers, target.answer, other)
    names = [answer.name for answer in answers.answers.answers]
    told = {"answer": names[target.answer], "other": names[other], "by": f"{by:.2f}", "lead": f"{lead:.2f}"}
    raise InputError("minimal.not_standing", **told)


def _units(search: Search, question: Question) -> list[dict[str, Any]]:
    sets = search.steady
    return [
        {
            "index": unit.index,
            "text": unit.text,
            "start": unit.start,
            "end": unit.end,
            "occurrence": unit.occurrence,
            "occurrences": unit.occurrences,
            "role": question.role_of(unit.span),
            "core": search.core is not None and unit.index in search.core,
            "in_sets": sum(unit.index in one for one in sets) / len(sets) if sets else None,
            "alone": search.alone(unit),
        }
        for unit in search.units
    ]


def _rows(search: Search) -> list[dict[str, Any]]:
    """The sets that keep the answer, then the deletions that change it: the smallest first."""
    most = search.asking.settings["sets"]
    keeping = sorted(search.keeping, key=search.rank)[:most]
    flipping = sorted(search.flipping, key=lambda gone: (len(gone), sorted(gone)))[:most]
    everything = search.runs.everything
    return [_row(search, "keeps", one, one, search.keeping[one]) for one in keeping] + [
        _row(search, "flips", one, everything - one, search.flipping[one]) for one in flipping
    ]


def _row(search: Search, kind: str, members: Set, kept: Set, irreducible: bool) -> dict[str, Any]:
    outcome = search.runs.outcomes[kept]
    named = [search.units[i] for i in sorted(members)]
    return {
        "kind": kind,
        "text": " ".join(" ".join(unit.text.split()) for unit in named),
        "members": sorted(members),
        "size": len(members),
        "of": len(search.units),
        "irreducible": irreducible,
        "smallest": search.smallest(kind, len(members)),
        "beside": search.shares.get(members) if kind == "keeps" else None,
        **run_fields(outcome),
        **search.asking.effect(outcome),
    }


def _left(search: Search, kept: Set) -> dict[str, Any] | None:
    """A run with only these units left, which was made or not, for lack of runs."""
    if kept not in search.runs.outcomes:
        return None
    answers = search.runs.outcomes[kept].answers
    by = ahead_by(answers, search.asking.target.answer, rival(answers, search.asking.target))
    return {
        "kept": sorted(kept),
        "top": answers.answers.answers[answers.top].label,
        "leads_by": by if math.isfinite(by) else None,
        "stands": search.runs.stand(kept),
        **answer_fields(answers),
    }


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """The smallest set that was found, its core, the smallest deletion that changes the answer; what chance
    would find.
    """
    parts = [says(data, data["clean"], lang, "headline.says"), *measured_on(data, lang)]
    keeping = [row for row in data["rows"] if row["kind"] == "keeps"]
    flipping = [row for row in data["rows"] if row["kind"] == "flips"]
    if data["survives"]:
        parts.append(say("minimal.survives", lang, probability=_target_share(data["nothing"], data)))
    elif keeping and _by_chance(data):
        parts.append(say("minimal.by_chance", lang, size=keeping[0]["size"], of=keeping[0]["of"]))
    else:
        parts += (
            _of_sets(keeping, data, lang)
            if keeping
            else [say("minimal.none_found", lang, tried=data["tried"])]
        )
        parts += _of_flips(flipping, data, lang)
        if keeping and data["chance"] and data["chance"]["above"] is None:
            parts.append(say("minimal.too_few", lang, of=keeping[0]["of"]))
    if data["spent"]:
        parts.append(say("minimal.spent", lang, tried=data["tried"]))
    return joined(parts, lang)


def _of_sets(keeping: Sequence[Record], data: Record, lang: str) -> list[str]:
    best, unit = keeping[0], data["unit"]
    numbers = {"size": best["size"], "of": best["of"], "what": _told(best, data, lang)}
    parts = [
        say(f"minimal.keeps_{_sure(best)}_{unit}", lang, **numbers, probability=_target_share(best, data))
    ]
    if data["found"]["steady"] > 1:
        core, sets = data["core"], data["found"]["steady"]
        key = "minimal.core" if core else "minimal.no_core"
        parts.append(say(key, lang, sets=sets, what=_phrases(core, data, lang)))
    return parts


def _of_flips(flipping: Sequence[Record], data: Record, lang: str) -> list[str]:
    if not flipping:
        return [say(f"minimal.no_flip_{data['unit']}", lang)]
    key = "minimal.flips_one" if flipping[0]["size"] == 1 else "minimal.flips"
    return [says(data, flipping[0], lang, key, what=_told(flipping[0], data, lang))]


def _sure(row: Record) -> str:
    return "smallest" if row["smallest"] else "irreducible" if row["irreducible"] else "left"


def _by_chance(data: Record) -> bool:
    """Whether sets drawn at random keep the answer as often as the words that were found do beside others."""
    return data["chance"] is not None and data["chance"]["above"] is False


def _told(row: Record, data: Record, lang: str) -> str:
    return _phrases(row["members"], data, lang) if row["members"] else say("minimal.nothing", lang)


def _phrases(members: Sequence[int], data: Record, lang: str) -> str:
    """Units as they stand in the passage, those side by side in one piece."""
    text, units = data["clean"]["passage"], data["units"]
    pieces: list[list[int]] = []
    for index in members:
        start, end = units[index]["start"], units[index]["end"]
        if pieces and not text[pieces[-1][1] : start].strip():
            pieces[-1][1] = end
        else:
            pieces.append([start, end])
    return quoted_text(shortened(" … ".join(text[start:end] for start, end in pieces), LONGEST), lang)


def _target_share(run: Mapping[str, Any], data: Record) -> str:
    label = data["target"]["label"]
    return percent(next(a["probability"] for a in run["answers"] if a["answer"] == label))


def table(data: Record, lang: str) -> Table:
    """Sets that keep the answer, then deletions that change it."""
    cells = [
        [
            say(f"minimal.kind_{row['kind']}", lang),
            _told(row, data, lang),
            f"{row['size']} / {row['of']}",
            say(f"minimal.sure_{_sure(row)}", lang),
            _target_share(row, data),
            "" if row["beside"] is None else percent(row["beside"]),
            *effect_cells(row)[:1],
            flip_cell(row, data),
        ]
        for row in data["rows"]
    ]
    names = ("kind", "word", "size", "sure", "probability", "beside", "nats", "flips")
    return Table(columns("minimal", lang, *names), cells, _notes(data, lang))


def _notes(data: Record, lang: str) -> list[str]:
    notes = [note("minimal.lead_note", data, lang, lead=f"{data['lead']:.2g}", tried=data["tried"])]
    if data["exact"]:
        notes.append(say("minimal.exact_note", lang, units=len(data["units"])))
    if chance := data["chance"]:
        numbers = {name: chance[name] for name in ("n_alone", "alone", "n_beside", "beside")}
        notes.append(say("minimal.chance_note", lang, **numbers))
    return notes


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Which units each set has."""
    from probes import charts

    return charts.sets_of_units(result, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """As many as are allowed, or as there are sets; then those drawn at random."""
    most = allowed(extent.units, settings)
    there = min(most, 2**extent.units) if extent.units <= EXACT else most
    return there + int(settings["control"]) * (1 + max(int(settings["orders"]), int(settings["sets"])))


OTHER = "other"
"""The role of a word that nobody gave one."""


def by_roles(record: dict[str, Any], _question: Question) -> dict[str, Any]:
    """A row for each unit, named by its role, in the place of the sets, whose words no other passage has."""
    rows = [{"role": unit["role"] or OTHER, "core": float(unit["core"])} for unit in record["units"]]
    return record | {"rows": rows}


def _role(row: Record, lang: str) -> str:
    return say(f"roles.{row['role']}", lang)


OVER = Over(
    keys=("role",),
    name=_role,
    short=_role,
    cell=_role,
    column="role",
    measure="core",
    first="core",
    share=True,
    strongest=None,
    placed=by_roles,
    left_out=("minimal.not_standing",),
    usable=lambda record: not record["survives"] and record["core"] is not None,
)
STUDY = Study(
    "minimal",
    (MODE, UNIT, TARGET, FILLER, LEAD, SETS, ORDERS, BUDGET, CONTROL, POINTS, NATS, SEED),
    steps,
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    runs=runs,
    part=0.5,
)
