"""Which two words are needed together, and which stand in for each other?

The interaction of two deletions is what both together do beyond the sum of what each does alone:
I(a, b) = effect(a, b) - effect(a) - effect(b), effects being ablated minus clean (the second-order difference
of a Shapley interaction, Grabisch & Roubens 1999, with nothing else taken away). It is positive where both
are needed together, for then the second deletion finds nothing left to destroy, and negative where either is
enough. Pairs of a long passage are found coarse to fine, see `probes.studies.pair_search`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.asking.distribution import RESOLUTION, Distribution
from probes.asking.question import Question
from probes.errors import InputError
from probes.locale import say
from probes.models.base import Outcome
from probes.numbers import signed, signed_if_known
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
from probes.studies.chance import confirmed
from probes.studies.columns import Table, columns, effect_cells, flip_cell, note, word_label
from probes.studies.effects import run_fields
from probes.studies.over_telling import Over
from probes.studies.pair_search import Pair, PairSearch
from probes.studies.telling import joined, opening, quoted_unit

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

BUDGET = Option("budget", "integer", 2000, low=1, high=100_000)
CONTROL = Option("control", "integer", 8, low=0, high=100)
CONFIRMED = 4
"""Pairs, the strongest, that are looked at again with other words gone."""


def steps(asking: Asking) -> Steps:
    """Yield every unit alone, then pairs; return the record's body."""
    question, settings = asking.question, asking.settings
    units = asking.model.units(question, settings["unit"])
    if len(units) < 2:
        raise InputError("pairs.few", count=len(units))
    search = PairSearch(asking, units)
    yield from search.run()
    floor = asking.effect(search.gone(range(len(units))))["effect_log_prob"]
    rows = [_row(asking, search, pair, floor) for pair in search.pairs()]
    rows.sort(key=_strength, reverse=True)
    rng, least = random.Random(settings["seed"]), settings["margin"]["nats"]
    for row in rows[: CONFIRMED if settings["control"] else 0]:
        if row["kind"] != "apart":
            pair = (row["from"]["index"], row["to"]["index"])
            row["again"] = yield from confirmed(asking, units, pair, settings["control"], rng, least)
    return {
        "mode": settings["mode"],
        "unit": settings["unit"],
        "units": [_unit(asking, search, question, index) for index in range(len(units))],
        "rows": rows,
        "floor": floor,
        "left_out": len(units) * (len(units) - 1) // 2 - len(rows),
        "ended": search.ended,
    }


def _row(asking: Asking, search: PairSearch, pair: Pair, floor: float | None) -> dict[str, Any]:
    both = search.gone(pair)
    found = interaction(asking, search, pair)
    effects = [asking.effect(search.gone([index])) for index in pair]
    return {
        "from": _named(search, pair[1]),
        "to": _named(search, pair[0]),
        **found,
        "kind": _kind(found, asking.settings["margin"]["nats"]),
        "floored": _under_floor(effects, floor, asking.settings["margin"]["nats"]),
        **run_fields(both),
        **asking.effect(both),
        "again": None,
    }


def interaction(asking: Asking, search: PairSearch, pair: Pair) -> dict[str, float | None]:
    """What both do beyond the sum of each: of the target's log-probability, and of its log-odds."""
    runs = [asking.clean, *(search.gone([index]) for index in pair), search.gone(pair)]
    target = asking.target

    def beyond(of: Sequence[float]) -> float | None:
        clean, one, other, both = of
        found = both - one - other + clean
        return found if math.isfinite(found) else None

    return {
        "interaction": beyond([target.log(run.answers) for run in runs]),
        "interaction_odds": beyond([log_odds(asking, run) for run in runs]),
    }


def log_odds(asking: Asking, run: Outcome) -> float:
    """Of the target against everything else; of a contrast against its other answer."""
    target, answers = asking.target, run.answers
    log = target.log(answers)
    if target.against is not None or log == -math.inf:
        return log
    return log - math.log(max(-math.expm1(log), _least_rest(answers)))


def _least_rest(answers: Distribution) -> float:
    """What "everything else" has at least: that much fp32, or the samples, can tell from nothing."""
    return 0.5 / (answers.samples + 1) if answers.samples else RESOLUTION


def _kind(found: Mapping[str, float | None], least: float) -> str:
    """By nats and log-odds both: one that only one of them shows is bent by the scale."""
    nats, odds = found["interaction"], found["interaction_odds"]
    if nats is None or odds is None:
        return "apart"
    if nats >= least and odds >= least:
        return "together"
    return "instead" if nats <= -least and odds <= -least else "apart"


def _under_floor(effects: Sequence[Mapping[str, Any]], floor: float | None, least: float) -> bool:
    """Whether the sum of both would leave the answer less likely than a passage with nothing in it does: then
    the second deletion had nothing left to take, whatever else the two have to do with each other.
    """
    sizes = [effect["effect_log_prob"] for effect in effects]
    if None in sizes:
        return True
    return floor is not None and math.fsum(sizes) < min(floor, 0.0) - least


def _named(search: PairSearch, index: int) -> dict[str, Any]:
    unit = search.units[index]
    return {"index": unit.index, "text": unit.text, "start": unit.start, "end": unit.end}


def _unit(asking: Asking, search: PairSearch, question: Question, index: int) -> dict[str, Any]:
    unit = search.units[index]
    effect = asking.effect(search.gone([index]))
    alone = {name: effect[name] for name in ("effect_log_prob", "effect_probability", "top", "flips_clearly")}
    return {
        **_named(search, index),
        "occurrence": unit.occurrence,
        "occurrences": unit.occurrences,
        "role": question.role_of(unit.span),
        "alone": alone,
    }


def _strength(row: Mapping[str, Any]) -> tuple[bool, float]:
    """What is a finding first, then by its size."""
    return row["kind"] != "apart", abs(row["interaction"] or 0.0)


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """The strongest pair of each kind, whether it holds with other words gone, and what was not tried."""
    parts = opening(data, lang)
    told = False
    for kind in ("together", "instead"):
        rows = [row for row in data["rows"] if row["kind"] == kind]
        if not rows:
            continue
        if unsure(rows[0]):
            parts.append(say(f"pairs.unsure_{kind}", lang, **_pair(rows[0], data, lang), **_again(rows[0])))
        else:
            told = True
            parts.append(say(f"pairs.{kind}", lang, **_pair(rows[0], data, lang)))
            if len(rows) > 1:
                parts.append(say(f"pairs.more_{kind}", lang, count=len(rows) - 1))
    if not told:
        parts.append(say("pairs.none", lang, all=len(data["rows"])))
    if data["left_out"]:
        key = "pairs.left_out_ended" if data["ended"] else "pairs.left_out"
        parts.append(say(key, lang, left=data["left_out"], tried=len(data["rows"])))
    return joined(parts, lang)


def unsure(row: Record) -> bool:
    """Whether a pair does not act the same with other words gone: then chance may have made it."""
    again = row["again"]
    return again is not None and not (again["above"] and again["sign"] * row["interaction"] > 0)


def _again(row: Record) -> dict[str, int]:
    return {"same": row["again"]["same"], "tries": row["again"]["n"]}


def _pair(row: Record, data: Record, lang: str) -> dict[str, str]:
    one, other = (quoted_unit(data["units"][row[end]["index"]], lang) for end in ("to", "from"))
    nats, odds = (f"{abs(row[name] or 0.0):.2f}" for name in ("interaction", "interaction_odds"))
    return {"one": one, "other": other, "nats": nats, "odds": odds}


def table(data: Record, lang: str) -> Table:
    """Every pair that was tried, the strongest first."""
    cells, quiet = [], []
    for row in data["rows"]:
        kind = "" if row["kind"] == "apart" else say(f"pairs.kind_{row['kind']}", lang)
        cells.append(
            [
                *(word_label(data["units"][row[end]["index"]]) for end in ("to", "from")),
                signed_if_known(row["interaction"], 3),
                signed_if_known(row["interaction_odds"], 3),
                kind + (" *" if kind and row["floored"] else ""),
                *(_alone(data["units"][row[end]["index"]]) for end in ("to", "from")),
                effect_cells(row)[0],
                flip_cell(row, data),
            ]
        )
        quiet.append(row["kind"] == "apart")
    names = ("word", "other", "interaction", "odds", "kind", "alone", "alone_other", "both", "flips")
    floor = "−∞" if data["floor"] is None else signed(data["floor"])
    notes = [note("pairs.note", data, lang, floor=floor)]
    return Table(columns("pairs", lang, *names), cells, notes, quiet)


def _alone(unit: Record) -> str:
    return signed_if_known(unit["alone"]["effect_log_prob"], 3)


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """The pairs as a map of words."""
    from probes import charts

    return charts.pairs_map(result, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """Every unit alone, pairs up to the budget, and the strongest again with other words gone."""
    pairs = extent.units * (extent.units - 1) // 2
    again = 4 * CONFIRMED * int(settings["control"])
    return extent.units + 1 + min(pairs, int(settings["budget"])) + again


def by_roles(record: dict[str, Any], _question: Question) -> dict[str, Any]:
    """Rows with their words' roles in the place of the words, which no other passage has."""
    roles = [unit["role"] or "other" for unit in record["units"]]
    rows = []
    for row in record["rows"]:
        one, other = sorted(roles[row[end]["index"]] for end in ("from", "to"))
        rows.append({**row, "from": one, "to": other})
    return record | {"rows": rows}


def _roles(row: Record, lang: str) -> str:
    one, other = (say(f"roles.{row[end]}", lang) for end in ("from", "to"))
    return say("pairs.roles", lang, one=one, other=other)


OVER = Over(
    keys=("from", "to"),
    name=_roles,
    short=_roles,
    cell=_roles,
    column="pair",
    measure="interaction",
    first="interaction",
    strongest=None,
    placed=by_roles,
)
STUDY = Study(
    "pairs",
    (MODE, UNIT, TARGET, FILLER, BUDGET, CONTROL, POINTS, NATS, SEED),
    steps,
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    runs=runs,
    part=0.5,
)
