"""How concentrated effects are: does a handful of words carry all, or does each carry a little?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

TOPS = (1, 3, 5)
MEASURES = ("entropy", "gini", *(f"top_{k}" for k in TOPS))


def concentration(effects: Sequence[float | None], noise: float = 0.0) -> dict[str, Any]:
    """How unevenly the sizes of effects are spread over the words or sentences that have them.

    Each has a share: the size of its effect by the sum of all sizes. One that is no larger than `noise`
    counts, and has nothing.

    Args:
        effects: one each, of either sign, in nats or any measure; None, which is unknown, is left out.
        noise: up to this size an effect is nothing.

    Returns:
        `n`, how many effects are known, and `moving`, how many of them exceed the noise; `left_out`, how many
        are unknown; `noise`; `total`, the sum of sizes. Then, None where all are nothing:

        `entropy`: Shannon's entropy of the shares by its greatest, log n (Shannon 1948,
        doi 10.1002/j.1538-7305.1948.tb01338.x; so divided it is Pielou's evenness, 1966): 1 where all are
        equal, 0 where one has all; None of one alone.
        `gini`: Gini's coefficient (Gini 1912): half the mean difference of two shares by their mean; 0 where
        all are equal, 1 - 1/n where one has all.
        `top_1`, `top_3`, `top_5`: what so many of the largest have together.
    """
    known = [abs(effect) for effect in effects if effect is not None]
    sizes = sorted((size if size > noise else 0.0 for size in known), reverse=True)
    n, total = len(sizes), math.fsum(sizes)
    counted = {
        "n": n,
        "moving": sum(size > 0 for size in sizes),
        "left_out": len(effects) - n,
        "noise": noise,
        "total": total,
    }
    if not total:
        return {**counted, **dict.fromkeys(MEASURES)}
    shares = [size / total for size in sizes]
    entropy = -math.fsum(share * math.log(share) for share in shares if share)
    # of sorted numbers the sum over all pairs of |a - b| is a weighted sum: each by how many it exceeds
    spread = math.fsum((n - 1 - 2 * place) * share for place, share in enumerate(shares))
    return {
        **counted,
        "entropy": entropy / math.log(n) if n > 1 else None,
        "gini": spread / n,
        **{f"top_{k}": math.fsum(shares[:k]) for k in TOPS},
    }
