"""Rows of many passages as one: means, intervals, what each mean rests on, and the strongest told apart from
the passages that it was chosen on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from probes.intervals import carriers, mean_interval, skewness, wilson

if TYPE_CHECKING:
    from probes.studies.over_telling import Over

SMALLEST_DIFFERENCE = math.log(2)
"""nats that a counterfactual must move the target by: what states bring back is told as a share of it."""
_MEANS = (
    "attention",
    "effect_log_prob",
    "effect_probability",
    "kl",
    "direct_effect",
    "sink",
    "entropy",
    "distance",
    "rho",
    "recovered",
    "core",
    "interaction",
    "expected",
    "concentration",
)
_SHARES = ("flips", "flips_clearly", "agrees", "correct")
_COUNTED = ("correct",)
"""Shares of passages, yes or no in each, that have an interval."""
_KEPT = ("kv_head", "mode", "positions", "estimate", "reader", "site", "after_layer")

Passages = Mapping[int, dict[str, Any]]
"""What a row is in each passage that has it, by the passage's number from 0."""


def averaged(
    over: Over, records: Sequence[Mapping[str, Any]], seed: int
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Rows by what they stand for, within each passage first, then over passages; and the strongest.

    Beside its means a row has, of the measure that is shown first: `values`, one a passage (None where a
    passage has no such row), their `median` and `skew`, and `carried_by`, how many of them are more than no
    change.
    """
    found = _by_place(over, records)
    measure, nothing = over.measure, _nothing(records[0])
    rows = []
    for key, passages in found.items():
        values = [passages.get(n, {}).get(measure) for n in range(len(records))]
        row = _named(over, key) | _mean(list(passages.values()), seed, nothing)
        rows.append(row | {"values": values} | _shape(values, nothing.get(measure, 0.0)))
    return rows, _strongest(over, found, records, seed, nothing)


def agreements(records: Sequence[Mapping[str, Any]], seed: int) -> dict[str, Any] | None:
    """The mean over passages of how well attention and effects agree; None where none tells."""
    found = [r["agreement"]["mean"]["rho"] for r in records if r.get("agreement")]
    known = [rho for rho in found if rho is not None]
    return mean_interval(known, seed=seed) if known else None


def _nothing(record: Mapping[str, Any]) -> dict[str, float]:
    """By measure, the size under which a value is no change; the others have no such size."""
    nats, points = record["thresholds"]["nats"], record["thresholds"]["points"]
    in_nats = dict.fromkeys(("effect_log_prob", "direct_effect", "kl"), float(nats))
    return {**in_nats, "effect_probability": points / 100, "recovered": nats / SMALLEST_DIFFERENCE}


def _by_place(over: Over, records: Sequence[Mapping[str, Any]]) -> dict[tuple[Any, ...], dict[int, Any]]:
    found: dict[tuple[Any, ...], dict[int, Any]] = {}
    for number, record in enumerate(records):
        rhos = {(r["layer"], r["head"]): r["rho"] for r in (record.get("agreement") or {}).get("rows", [])}
        within: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
        for row in record["rows"]:
            key = tuple(row[name] for name in over.keys)
            full = {**row, "rho": rhos.get(key), "agrees": row.get("top") == record["clean"]["top"]}
            within.setdefault(key, []).append(full)
        for key, members in within.items():
            found.setdefault(key, {})[number] = _within(members)
    return found


def _named(over: Over, key: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(over.keys, key, strict=True))


def _within(members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The rows of one passage that stand for the same, as one: means, and shares of what is yes or no."""
    one: dict[str, Any] = {name: members[0][name] for name in _KEPT if name in members[0]}
    for name in (*_MEANS, *_SHARES):
        values = [float(m[name]) for m in members if m.get(name) is not None]
        if values:
            one[name] = sum(values) / len(values)
    return one


def _mean(passages: Sequence[Mapping[str, Any]], seed: int, nothing: Mapping[str, float]) -> dict[str, Any]:
    row: dict[str, Any] = {name: passages[0][name] for name in _KEPT if name in passages[0]}
    for name in _MEANS:
        values = [one[name] for one in passages if name in one]
        if values:
            found = mean_interval(values, seed=seed, nothing=nothing.get(name, 0.0))
            row |= {name: found["mean"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
    for name in _SHARES:
        shares = [one[name] for one in passages if name in one]
        if shares:
            row[name] = sum(shares) / len(shares)
            if name in _COUNTED:
                row[f"{name}_low"], row[f"{name}_high"] = wilson(round(sum(shares)), len(shares))
    return row | {"passages": len(passages)}


def _shape(values: Sequence[float | None], nothing: float) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    if not known:
        return {}
    median, skew = float(np.median(known)), skewness(known)
    return {"median": median, "skew": skew, "carried_by": carriers(known, nothing)}


def _strongest(
    over: Over,
    found: Mapping[tuple[Any, ...], Passages],
    records: Sequence[Mapping[str, Any]],
    seed: int,
    nothing: Mapping[str, float],
) -> dict[str, Any] | None:
    """The strongest row, chosen on every second passage from the first on and told on the others.

    Of many rows the first is first by luck too: on the passages that made it so, its mean is too large. None
    for a study whose rows are no removals, and of one passage.
    """
    measure = over.measure
    if over.strongest is None:
        return None
    best: tuple[float, dict[str, Any]] | None = None
    for key, passages in found.items():
        known = {n: one for n, one in passages.items() if measure in one}
        chosen_on = [one for n, one in known.items() if n % 2 == 0]
        told_on = [one for n, one in known.items() if n % 2]
        name = _named(over, key)
        if not chosen_on or not told_on or over.whole(name, records[0]):
            continue
        mean = sum(one[measure] for one in chosen_on) / len(chosen_on)
        size = mean if measure == "recovered" else -mean
        if best is None or size > best[0]:
            values = [one[measure] for one in told_on]
            row = name | _mean(told_on, seed, nothing) | _shape(values, nothing[measure])
            best = size, row | {"chosen_on": len(chosen_on)}
    return best[1] if best else None
