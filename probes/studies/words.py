"""Which words does the answer hang on? Each is taken away alone, then all equal ones together.

Leave-one-out by deleting, hiding (attention knockout) or replacing; see `probes.trials.Mode`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from probes.errors import InputError
from probes.models.base import Outcome
from probes.passage import Unit, equal_groups
from probes.studies.base import FILLER, MODE, NATS, POINTS, SEED, TARGET, UNIT, Asking, Option, Steps, Study
from probes.studies.control import band, random_sets, ranked
from probes.studies.effects import run_fields
from probes.studies.shared_tokens import shared_tokens
from probes.trials import Mode, Trial

GROUPS = Option("groups", "flag", True)
CONTROL = Option("control", "integer", 0, low=0, high=1000)


def steps(asking: Asking) -> Steps:
    """Yield every unit's (and group's) trial; return the record's body."""
    model, question, settings = asking.model, asking.question, asking.settings
    units = model.units(question, settings["unit"])
    if not units:
        raise InputError("no_units", unit=settings["unit"])
    groups = equal_groups(units) if settings["groups"] else ()
    mode, filler = Mode(settings["mode"]), settings["filler"]
    sets: list[Sequence[Unit]] = [[unit] for unit in units] + list(groups)
    outcomes = yield [Trial(tuple(u.span for u in chosen), mode, filler) for chosen in sets]

    def row(outcome: Outcome) -> dict[str, Any]:
        return {**run_fields(outcome), **asking.effect(outcome)}

    hiding = mode is Mode.HIDE  # characters are deleted, tokens are hidden
    shares, notes = shared_tokens(model, question, units) if hiding else ([[]] * len(units), [])
    rows = [
        {
            **_unit_fields(unit),
            "shares_tokens": others,
            "role": question.role_of(unit.span),
            **row(outcome),
        }
        for unit, others, outcome in zip(units, shares, outcomes, strict=False)
    ]
    ranked(rows)
    together = [
        {
            "text": group[0].text,
            "occurrence": None,
            "occurrences": len(group),
            "members": [unit.index for unit in group],
            **row(outcome),
        }
        for group, outcome in zip(groups, outcomes[len(units) :], strict=True)
    ]
    if settings["control"] and together:
        yield from _control(together, rows, units, asking)
    return {
        "mode": settings["mode"],
        "unit": settings["unit"],
        "rows": rows,
        "groups": together,
        "notes": notes,
        "control": {"kind": "rank_by_length", "random_sets": settings["control"], "seed": settings["seed"]},
    }


def _unit_fields(unit: Unit) -> dict[str, Any]:
    return {
        "index": unit.index,
        "text": unit.text,
        "occurrence": unit.occurrence,
        "occurrences": unit.occurrences,
        "start": unit.start,
        "end": unit.end,
    }


def _control(
    groups: list[dict[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    units: Sequence[Unit],
    asking: Asking,
) -> Steps:
    """Read each group against random sets of units of equal total length."""
    settings = asking.settings
    lengths = [row["tokens"] for row in rows]
    rng = random.Random(settings["seed"])
    draws = [
        random_sets(lengths, group["members"], group["tokens"], settings["control"], rng) for group in groups
    ]
    mode, filler = Mode(settings["mode"]), settings["filler"]
    trials = [Trial(tuple(units[i].span for i in chosen), mode, filler) for sets in draws for chosen in sets]
    outcomes = iter((yield trials))
    for group, sets in zip(groups, draws, strict=True):
        effects = [asking.effect(next(outcomes)) for _ in sets]
        group["control"] = band(group, effects, group["tokens"])
    return {}


STUDY = Study("words", (MODE, UNIT, TARGET, FILLER, GROUPS, CONTROL, POINTS, NATS, SEED), steps)
