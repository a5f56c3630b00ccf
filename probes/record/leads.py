"""How far the likeliest answer leads: near ties, changes of the answer that count, effects worth a sentence.

Which of two nearly equal answers comes first hangs on anything at all. So a lead says something from a margin
on: one answer leads another where it is ahead by at least so many percentage points or so many nats, and a
run *flips clearly* where its first answer so leads the one that was first before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from probes.intervals import wilson

POINTS, NATS = 5.0, 0.2
"""The margin: a lead under both is a near tie (53 % against 48.5 %, or 0.3 % against 0.26 %)."""


def margin_of(record: Mapping[str, Any]) -> tuple[float, float]:
    """The margin of a record's thresholds as (points, nats), never under its noise; records of earlier
    releases have ours.
    """
    margin = (record.get("thresholds") or {}).get("margin") or {}
    noise = record.get("noise_floor") or 0.0
    return float(margin.get("points", POINTS)), max(float(margin.get("nats", NATS)), noise)


def raised(settings: Mapping[str, Any], precision: Mapping[str, Any] | None) -> dict[str, Any]:
    """A study's settings, none of its limits under what the model's number type can tell.

    `points`, `nats` and `margin` are raised to the error bar of an effect; in points that is at most a
    quarter of it in nats, for a probability P moves by P (1 - P) a nat.
    """
    least = precision["nats"] if precision else 0.0
    points = 25 * least
    margin = {"points": max(POINTS, points), "nats": max(NATS, least)}
    limits = {"points": max(settings["points"], points), "nats": max(settings["nats"], least)}
    return {**settings, **limits, "margin": margin}


def leads(first: float, other: float, points: float = POINTS, nats: float = NATS) -> bool:
    """Whether a probability is ahead of another by the margin."""
    if first <= other:
        return False
    return other <= 0 or 100 * (first - other) >= points or math.log(first / other) >= nats


def tied(run: Mapping[str, Any], points: float = POINTS, nats: float = NATS) -> list[Mapping[str, Any]]:
    """The answers that a run cannot tell apart: its top and all that it does not lead; [] for a clear top."""
    top = _answer(run, run["top"])
    close = [a for a in run["answers"] if not _ahead(top, a, points, nats)]
    close.sort(key=lambda answer: (answer is not top, -answer["probability"]))
    return close if len(close) > 1 else []


def _ahead(one: Mapping[str, Any], other: Mapping[str, Any], points: float, nats: float) -> bool:
    """Whether an answer leads another by the margin, and beyond what samples or first tokens leave open."""
    if "count" in one and wilson(one["count"], one["count"] + other["count"])[0] <= 0.5:
        return False
    if "interval" in one and "count" not in one and one["interval"][0] <= other["interval"][1]:
        return False
    return leads(one["probability"], other["probability"], points, nats)


def flips_clearly(row: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether a row's first answer leads the one that was first before by the margin.

    Records of earlier releases do not say so: theirs is read off their rows.
    """
    if not row["flips"]:
        return False
    if "flips_clearly" in row:
        return bool(row["flips_clearly"])
    before = _answer(row, record["clean"]["top"])["probability"]
    return leads(_answer(row, row["top"])["probability"], before, *margin_of(record))


def faint(row: Mapping[str, Any], points: float = POINTS, nats: float = NATS) -> bool:
    """Whether a row's effect on the target stays under the margin, in points as in nats; one that may as well
    be none, in what was drawn, does.
    """
    if interval := row.get("effect_probability_interval"):
        low, high = interval
        if low <= 0 <= high:
            return True
    effect, moved = row["effect_log_prob"], row["effect_probability"] or 0.0
    if effect is None:
        return not moved
    found: bool = abs(effect) < nats and 100 * abs(moved) < points
    return found


def turns(cumulative: Mapping[str, Any], record: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Of heads taken away, and kept, strongest first: how many flip the answer clearly, and how few kept hold
    it, which is from where on none flips it clearly; None where there is no such number.
    """
    flips = [row["k"] for row in cumulative["remove"] if flips_clearly(row, record)]
    holds: int | None = None
    for row in reversed(cumulative["keep"]):
        if flips_clearly(row, record):
            break
        holds = row["k"]
    return min(flips, default=None), holds


def _answer(run: Mapping[str, Any], label: str) -> Mapping[str, Any]:
    answers: Sequence[Mapping[str, Any]] = run["answers"]
    return next(answer for answer in answers if answer["answer"] == label)
