"""In what an effect is drawn: nats of log-probability, or percentage points of probability."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from probes.charts.common import SMALLEST_SCALE, drawn, nats_text
from probes.numbers import nats
from probes.record.results import ProbeResult

Measure = Literal["nats", "points"]
SMALLEST_POINTS = 5.0
"""Percentage points: less than that never looks like much."""


def measured_in(result: ProbeResult, measure: Measure) -> Measure:
    """The measure asked for, where the target has it: of two answers against each other only the log-odds
    are known, not a probability.
    """
    return "nats" if result.data["target"]["kind"] == "contrast" else measure


def smallest(measure: Measure) -> float:
    """Where the scale ends at least."""
    return SMALLEST_SCALE if measure == "nats" else SMALLEST_POINTS


def effect_in(measure: Measure, row: Mapping[str, Any], reach: float) -> float:
    """A row's effect as it is drawn; in nats what is infinite goes to the end of the scale."""
    if measure == "nats":
        return drawn(row, reach)
    return 100 * float(row["effect_probability"] or 0.0)


def known_in(measure: Measure, row: Mapping[str, Any]) -> list[float]:
    """A row's effect and the ends of its interval, those that are known and finite."""
    name, factor = ("effect_log_prob", 1.0) if measure == "nats" else ("effect_probability", 100.0)
    found = [row.get(name), *(row.get(f"{name}_interval") or ())]
    return [factor * value for value in found if value is not None]


def interval_in(measure: Measure, row: Mapping[str, Any], reach: float) -> tuple[float, float] | None:
    """Where an effect may lie that is not known exactly; an open end is at the end of the scale."""
    name, factor = ("effect_log_prob", 1.0) if measure == "nats" else ("effect_probability", 100.0)
    if f"{name}_interval" not in row or row[name] is None:
        return None
    low, high = row[f"{name}_interval"]
    return (-reach if low is None else factor * low), (reach if high is None else factor * high)


def text_in(measure: Measure, row: Mapping[str, Any]) -> str:
    """A row's effect in words, signed, with a true minus: two digits of nats, one of a percentage point."""
    if measure == "nats":
        return nats(row)
    points = row["effect_probability"]
    return "n/a" if points is None else nats_text(100 * points, digits=1)


def points_of(moved: float | None, before: float) -> float:
    """A change of log-probability (nats; None: to nothing) as percentage points of the probability that was
    `before`.
    """
    return 100 * before * (-1.0 if moved is None else math.expm1(moved))


def still_in(measure: Measure, result: ProbeResult) -> tuple[float, float]:
    """What counts as no change, and the noise floor, on the measure's scale."""
    limits, noise = result.data["thresholds"], result.data["noise_floor"] or 0.0
    if measure == "nats":
        return limits["nats"], noise
    target = result.data["target"]["label"]
    before = next(a["probability"] for a in result.data["clean"]["answers"] if a["answer"] == target)
    return limits["points"], abs(points_of(noise, before))
