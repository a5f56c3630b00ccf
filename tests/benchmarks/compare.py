"""What a way cost and whether it found the same, from what its process printed."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

from tests.benchmarks.environments import pinned
from tests.benchmarks.processes import Way

TOLERANCE = 1e-4  # nats, fp32
CLEAN = "clean"
Numbers = dict[str, list[float]]


def compared(way: Way, raw: dict[str, Any], reference: dict[str, Any] | None) -> dict[str, Any]:
    """The record of one way: scaled up where only a sample ran, agreement instead of the numbers.

    Args:
        reference: what the plain loop found ("log_probs"), None where it did not run.
    """
    row: dict[str, Any] = {"key": way.key, "gives": way.gives}
    row |= {"environment": way.env or None, "version": pinned(way.env)}
    if raw["status"] != "ok":
        return row | raw
    found = raw.pop("found")
    done, of = raw.pop("done"), raw.pop("of")
    with_clean = 1 if way.unit in ("words", "heads") else 0
    factor = (of + with_clean) / (done + with_clean)
    row |= raw
    row["scaled_from"] = None if done == of else {"unit": way.unit, "done": done, "of": of}
    row["cpu_seconds_total"] = statistics.median(raw["cpu_seconds"]) * factor
    row["wall_seconds_total"] = statistics.median(raw["wall_seconds"]) * factor
    row["forwards_total"] = round(raw["forwards"] * factor)
    row["tokens_total"] = round(raw["tokens"] * factor)
    if reference is None:
        return row
    if "scores" in found:
        return row | correlation(way, found["scores"], effects_of(reference), raw.get("answers_run"))
    kind = way.gives
    return row | difference(found[kind], reference if kind == "log_probs" else effects_of(reference))


def difference(found: Numbers, reference: Numbers) -> dict[str, Any]:
    """The same quantity: how many numbers both have, and the largest difference in nats."""
    pairs = [
        (a, b)
        for unit, row in found.items()
        if unit in reference
        for a, b in zip(row, reference[unit], strict=True)
    ]
    return {"compared": len(pairs), "max_difference": max(abs(a - b) for a, b in pairs)}


def correlation(way: Way, scores: Numbers, effects: Numbers, answers: Sequence[int] | None) -> dict[str, Any]:
    """Another quantity: rank correlation with the effects, for each answer, of sizes where signs are lost."""
    units = [unit for unit in scores if unit in effects]
    chosen = answers or range(len(scores[units[0]]))
    size = abs if way.gives == "unsigned" else float
    rhos = [
        spearman([size(scores[u][column]) for u in units], [size(effects[u][answer]) for u in units])
        for column, answer in enumerate(chosen)
    ]
    return {"compared": len(chosen) * len(units), "rank_correlation": rhos}


def effects_of(log_probs: Numbers) -> Numbers:
    """Ablated minus clean."""
    clean = log_probs[CLEAN]
    return {
        unit: [a - b for a, b in zip(row, clean, strict=True)]
        for unit, row in log_probs.items()
        if unit != CLEAN
    }


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Rank correlation, ties sharing their mean rank; 0 where one of them does not vary."""
    a, b = ranks(one), ranks(other)
    middle = (len(a) + 1) / 2
    top = sum((x - middle) * (y - middle) for x, y in zip(a, b, strict=True))
    bottom = math.sqrt(sum((x - middle) ** 2 for x in a) * sum((y - middle) ** 2 for y in b))
    return top / bottom if bottom else 0.0


def ranks(values: Sequence[float]) -> list[float]:
    """From 1, ties sharing their mean."""
    order = sorted(range(len(values)), key=lambda at: values[at])
    found = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end + 1 < len(order) and values[order[end + 1]] == values[order[at]]:
            end += 1
        for place in order[at : end + 1]:
            found[place] = (at + end) / 2 + 1
        at = end + 1
    return found
