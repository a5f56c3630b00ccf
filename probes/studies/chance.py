"""Whether a set of words keeps the answer more often than chance does: a model that answers at random keeps
its answer on some set of any size, and where many are tried one is found.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Any

from probes.intervals import wilson
from probes.studies.base import Asking
from probes.studies.subsets import Kept, Set
from probes.text.passage import Unit

TRIES = 20


def enough_by_chance(runs: Kept, found: Sequence[Set], count: int, rng: random.Random) -> Any:
    """Yield sets as large as the first of those found, drawn at random, and each of those found beside other
    words drawn at random.

    The words that are found say something where the answer stands on them whatever else is left, and on other
    sets of as many words it does not. A set on which it stands by itself alone is a fluke: where many are
    tried, some hold it for no reason.

    Returns:
        of the first: `alone` of `n_alone` random sets keep the answer, it does so in `beside` of `n_beside`
        runs beside others; `above`: the intervals of these shares (95 %, Wilson) do not meet, None where
        there are too few sets for them ever to part. And of each set found in which share of runs beside
        others it keeps the answer, None where there is nothing beside it.
    """
    best = found[0]
    alone = _drawn(sorted(runs.everything), len(best), count, rng, best)
    beside = {
        one: [one | more for more in _some_of(sorted(runs.everything - one), count, rng)] for one in found
    }
    asked = [*alone, *(kept for sets in beside.values() for kept in sets)]
    runs.budget += len(asked)
    stands = iter((yield from runs.run(asked)))
    theirs = sum(next(stands) == "keeps" for _ in alone)
    held = {one: sum(next(stands) == "keeps" for _ in sets) for one, sets in beside.items()}
    mine, n_beside = held[best], len(beside[best])
    above = _apart(mine, n_beside, theirs, len(alone)) if _apart(n_beside, n_beside, 0, len(alone)) else None
    shares = {one: held[one] / len(sets) if sets else None for one, sets in beside.items()}
    chance = {"alone": theirs, "n_alone": len(alone), "beside": mine, "n_beside": n_beside, "above": above}
    return chance, shares


def _apart(mine: int, n_mine: int, theirs: int, n_theirs: int) -> bool:
    """Whether one share is above another, both known from so many runs; nothing is where there were none."""
    return bool(n_mine and n_theirs) and wilson(mine, n_mine)[0] > wilson(theirs, n_theirs)[1]


GONE = 0.2
"""Share of the other units that are gone when a pair is looked at again."""


def confirmed(
    asking: Asking, units: Sequence[Unit], pair: tuple[int, int], count: int, rng: random.Random, least: float
) -> Any:
    """Yield the four runs of a pair again, a fifth of the other units gone, other ones each time.

    Returns:
        in how many of `n` backgrounds the interaction has the `same` sign, of at least the size that counts;
        `above`: that share's interval (95 %, Wilson) lies over a half, which is what chance gives a sign.
    """
    others = [unit.index for unit in units if unit.index not in pair]
    size = max(1, round(GONE * len(others)))
    backgrounds = [sorted(rng.sample(others, min(size, len(others)))) for _ in range(count)]
    sets = [sorted({*gone, *more}) for gone in backgrounds for more in ((), pair[:1], pair[1:], pair)]
    outcomes = yield [asking.without(units[i] for i in one) for one in sets]
    logs = [asking.target.log(outcome.answers) for outcome in outcomes]
    found = [logs[n] - logs[n + 1] - logs[n + 2] + logs[n + 3] for n in range(0, len(logs), 4)]
    up, down = sum(one >= least for one in found), sum(one <= -least for one in found)
    same = max(up, down)
    return {"n": count, "same": same, "sign": 1 if up >= down else -1, "above": wilson(same, count)[0] > 0.5}


def _drawn(units: list[int], size: int, count: int, rng: random.Random, but: Set) -> list[Set]:
    """Sets of `size` units, all different, none of them `but`; all there are where there are no more."""
    if comb(len(units), size) <= count + 1:
        return [one for one in map(frozenset, combinations(units, size)) if one != but]
    found: dict[Set, None] = {}
    while len(found) < count:
        one = frozenset(rng.sample(units, size))
        if one != but:
            found[one] = None
    return list(found)


def _some_of(units: list[int], count: int, rng: random.Random) -> list[Set]:
    """Sets of units, each in it or not by a coin; all different, none empty and none the whole."""
    found: dict[Set, None] = {}
    for _ in range(count * TRIES):
        one = frozenset(unit for unit in units if rng.random() < 0.5)
        if 0 < len(one) < len(units):
            found[one] = None
        if len(found) == count:
            break
    return list(found)
