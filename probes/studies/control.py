"""Reading an effect against chance: ranks among units of similar length, bands of random sets."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from probes.numbers import strength

PEERS = 10
"""A unit is ranked among those of its own length in tokens; where these are fewer, the next lengths join."""
TRIES = 200


def ranked(rows: Sequence[dict[str, Any]]) -> None:
    """Add to each row `rank` (1 = strongest) and `rank_of` among units of similar length in tokens, and
    `rank_tokens`: the lengths of the shortest and of the longest of these.
    """
    for row in rows:
        by_length = sorted(rows, key=lambda other: abs(other["tokens"] - row["tokens"]))
        reach = abs(by_length[min(PEERS, len(rows)) - 1]["tokens"] - row["tokens"])
        peers = [other for other in rows if abs(other["tokens"] - row["tokens"]) <= reach]
        row["rank"] = 1 + sum(strength(other) > strength(row) for other in peers)
        row["rank_of"] = len(peers)
        lengths = [peer["tokens"] for peer in peers]
        row["rank_tokens"] = [min(lengths), max(lengths)]


def random_sets(
    lengths: Sequence[int], chosen: Collection[int], wanted: int, count: int, rng: random.Random
) -> list[tuple[int, ...]]:
    """Sets of other units whose lengths in tokens add up to `wanted`; fewer where there are fewer.

    Args:
        lengths: tokens of every unit.
        chosen: indices of the set that is read against chance; its units are drawn by no random set.
        wanted: that set's length in tokens.
    """
    others = [i for i in range(len(lengths)) if i not in set(chosen) and 0 < lengths[i] <= wanted]
    found: dict[tuple[int, ...], None] = {}
    idle = 0  # draws in a row that brought nothing new
    while len(found) < count and idle < TRIES and sum(lengths[i] for i in others) >= wanted:
        drawn = _drawn(lengths, others, wanted, rng)
        idle = 0 if drawn and drawn not in found else idle + 1
        if drawn:
            found[drawn] = None
    return list(found)


def _drawn(
    lengths: Sequence[int], others: Sequence[int], wanted: int, rng: random.Random
) -> tuple[int, ...] | None:
    for _ in range(TRIES):
        left, taken = wanted, []
        for i in rng.sample(others, len(others)):
            if lengths[i] <= left:
                taken.append(i)
                left -= lengths[i]
            if not left:
                return tuple(sorted(taken))
    return None


def band(row: Mapping[str, Any], effects: Sequence[Mapping[str, Any]], tokens: int) -> dict[str, Any] | None:
    """The middle 90 % of random sets' effects (nats), and where the chosen set's effect stands among them.

    `rank` 1 means that no random set moved the answer as far; None where there is no random set.
    """
    values = sorted(e["effect_log_prob"] for e in effects if e["effect_log_prob"] is not None)
    if not values:
        return None
    last = len(values) - 1
    return {
        "kind": "random_sets",
        "n": len(effects),
        "tokens": tokens,
        "effects": values,
        "low": values[round(0.05 * last)],
        "high": values[round(0.95 * last)],
        "flips": sum(bool(e["flips"]) for e in effects),
        "flips_clearly": sum(bool(e.get("flips_clearly", e["flips"])) for e in effects),
        "rank": 1 + sum(strength(e) >= strength(row) for e in effects),
    }
