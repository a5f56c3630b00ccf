"""Which words does the answer hang on? Each is taken away alone, then all equal ones together.

Of a long passage the strongest alone may be asked for, see `probes.studies.finding`.

Leave-one-out by deleting, hiding (attention knockout) or replacing; see `probes.asking.trials.Mode`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.errors import InputError
from probes.locale import say
from probes.numbers import nats, ranked_among, shortened, signed, signed_if_known
from probes.record.leads import faint, flips_clearly, margin_of
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
from probes.studies.columns import (
    Table,
    columns,
    effect_cells,
    effects_note,
    flip_cell,
    strongest_first,
    word_label,
)
from probes.studies.control import band, random_sets
from probes.studies.effects import run_fields
from probes.studies.finding import BUDGET, FIND, Finding, allowed
from probes.studies.telling import (
    aimed,
    joined,
    lead_moved,
    margin_text,
    opening,
    quoted_unit,
    says,
    strongest_of,
    swaps,
)
from probes.studies.unit_rows import unit_rows
from probes.text.passage import Unit, equal_groups

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

GROUPS = Option("groups", "flag", True)
CONTROL = Option("control", "integer", 0, low=0, high=1000)


def steps(asking: Asking) -> Steps:
    """Yield every unit's (and group's) trial; return the record's body."""
    model, question, settings = asking.model, asking.question, asking.settings
    units = model.units(question, settings["unit"])
    if not units:
        raise InputError("no_units", unit=settings["unit"])
    if settings["find"] is not None:
        return (yield from _found(asking, units))
    groups = equal_groups(units) if settings["groups"] else ()
    sets: list[Sequence[Unit]] = [[unit] for unit in units] + list(groups)
    outcomes = yield [asking.without(chosen) for chosen in sets]
    rows, notes = unit_rows(asking, units, outcomes[: len(units)], asking.effect)
    together = [
        {
            "text": group[0].text,
            "occurrence": None,
            "occurrences": len(group),
            "members": [unit.index for unit in group],
            **run_fields(outcome),
            **asking.effect(outcome),
        }
        for group, outcome in zip(groups, outcomes[len(units) :], strict=True)
    ]
    if settings["control"] and together:
        yield from _control(together, rows, units, asking)
    return _body(asking, rows, together, notes)


def _found(asking: Asking, units: Sequence[Unit]) -> Steps:
    """The strongest units alone, found coarse to fine."""
    finding = Finding(asking, units)
    yield from finding.run()
    found = finding.found()
    rows, notes = unit_rows(asking, found, [finding.alone[unit.index] for unit in found], asking.effect)
    return {**_body(asking, rows, [], notes), "find": finding.told()}


def _body(
    asking: Asking,
    rows: list[dict[str, Any]],
    groups: list[dict[str, Any]],
    notes: list[dict[str, Any]],
) -> dict[str, Any]:
    settings = asking.settings
    return {
        "mode": settings["mode"],
        "unit": settings["unit"],
        "rows": rows,
        "groups": groups,
        "notes": notes,
        "control": {"kind": "rank_by_length", "random_sets": settings["control"], "seed": settings["seed"]},
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
    trials = [asking.without(units[i] for i in chosen) for sets in draws for chosen in sets]
    outcomes = iter((yield trials))
    for group, sets in zip(groups, draws, strict=True):
        effects = [asking.effect(next(outcomes)) for _ in sets]
        group["control"] = band(group, effects, group["tokens"])
    return {}


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """Which unit the answer hangs on most, how many others, and how many change nothing."""
    rows, unit = data["rows"], data["unit"]
    parts, of = opening(data, lang), aimed(data, lang)
    flipping = [row for row in rows if flips_clearly(row, data)]
    strongest = strongest_of(flipping or rows)
    what = quoted_unit(strongest, lang)
    if flipping:
        parts.append(says(data, strongest, lang, f"headline.then_{data['mode']}", what=what))
        if len(flipping) > 1:
            parts.append(say("words.others_flip", lang, count=len(flipping) - 1))
    elif all(faint(row, *margin_of(data)) for row in rows):
        parts.append(say(f"words.none_moves_{unit}", lang, of=of, margin=margin_text(data, lang)))
    else:
        parts.append(say(f"words.none_flips_{unit}", lang, what=what, of=of, nats=nats(strongest)))
    parts += swaps(rows, data, lang)
    if "find" in data:
        return joined([*parts, *_looked_at(data["find"], unit, lang)], lang)
    still = sum(bool(row["no_change"]) for row in rows)
    known = sum(row["no_change"] is not None for row in rows)
    if len(rows) > 1:  # of the only one, what is above says all
        where = aimed(data, lang, "in")
        untold = sum("effect_probability_interval" in row and row["no_change"] is None for row in rows)
        if still or not untold:
            parts.append(say(f"words.no_change_{unit}", lang, still=still, all=known, where=where))
        if untold:
            parts.append(say(f"words.untold_{unit}", lang, untold=untold, all=len(rows), where=where))
        quiet = [row for row in rows if row["no_change"]]
        parts += lead_moved(quiet, data, lang, lambda row: quoted_unit(row, lang))
    return joined(parts, lang)


def _looked_at(find: Record, unit: str, lang: str) -> list[str]:
    """How many units were taken away alone, and how far what was not opened moves the answer at most."""
    numbers = {name: find[name] for name in ("alone", "units", "runs", "closed_units")}
    if not find["closed_units"]:
        return [say(f"words.found_all_{unit}", lang, **numbers)]
    most = find["closed_most"]
    moved = "∞" if most is None else signed(most)
    return [say(f"words.found_{'ended' if find['ended'] else 'spent'}_{unit}", lang, **numbers, moved=moved)]


def table(data: Record, lang: str) -> Table:
    """The effects, strongest first; groups of equal words stand among them."""
    rows = strongest_first([*data["rows"], *data["groups"]])
    roles = any(row.get("role") for row in data["rows"])
    names = ("word", "nats", "points", "lead", "kl", "top", "rank", *(("role",) if roles else ()))
    notes = [effects_note(data, lang), *([say("words.roles_note", lang)] if roles else [])]
    cells = [_cells(row, data, lang, roles) for row in rows]
    quiet = [bool(row["no_change"]) for row in rows]
    return Table(columns("words", lang, *names), cells, notes, quiet)


def _cells(row: Record, data: Record, lang: str, roles: bool) -> list[str]:
    moved, share, kl = (cell or "n/a" for cell in effect_cells(row))
    lead = signed_if_known(row.get("effect_lead"))
    rank = ranked_among(row) if "rank" in row else ""
    cells = [_label(row, lang), moved, share, lead, kl, flip_cell(row, data), rank]
    if roles:
        cells.append(say(f"roles.{role}", lang) if (role := row.get("role")) else "")
    return cells


def _label(row: Record, lang: str) -> str:
    if "members" in row:
        return say("words.group_mark", lang, text=shortened(row["text"]), count=len(row["members"]))
    return word_label(row)


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """The effects as bars."""
    from probes import charts

    return charts.effects(result, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """Every unit, and random sets for what may be a group of equal ones."""
    if settings["find"] is not None:
        return min(extent.units, allowed(extent.units, settings))
    return extent.units * (1 + int(settings["control"]))


STUDY = Study(
    "words",
    (MODE, UNIT, TARGET, FILLER, GROUPS, CONTROL, FIND, BUDGET, POINTS, NATS, SEED),
    steps,
    sentence=sentence,
    table=table,
    picture=picture,
    runs=runs,
    part=0.5,
)
