"""How far an effect is known, where answers were drawn in samples or told by their first tokens alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.asking.distribution import Distribution

if TYPE_CHECKING:
    from probes.studies.effects import Target

Known = tuple[float, float, float]
"""The least, the estimate, the most."""


def intervals(before: Distribution, after: Distribution, target: Target) -> dict[str, list[float | None]]:
    """Where the effect lies, in probability and in nats: 95 % intervals of samples, bounds of first tokens;
    {} where both are told exactly. None where a side has no end.
    """
    if before.how == after.how == "exact":
        return {}
    drawn = "samples" in (before.how, after.how)
    one, two = _known(before, target), _known(after, target)
    return {
        "effect_probability_interval": _difference(one, two, drawn),
        "effect_log_prob_interval": _difference(
            _logs(one, target.log(before), target), _logs(two, target.log(after), target), drawn
        ),
    }


def settled(found: Mapping[str, Any], small: bool, clearly: bool, settings: Mapping[str, Any]) -> bool | None:
    """Whether an effect is none; None where that cannot be told from so much.

    Args:
        found: `intervals`.
        small: what the estimate itself says.
        clearly: whether the answer flips beyond doubt.
    """
    if not found:
        return small
    pairs = [
        (found["effect_probability_interval"], settings["points"] / 100),
        (found["effect_log_prob_interval"], settings["nats"]),
    ]
    if clearly or any(_apart(interval, limit) for interval, limit in pairs):
        return False
    return True if small and all(_within(interval, limit) for interval, limit in pairs) else None


def _known(answers: Distribution, target: Target) -> Known:
    middle = target.probability(answers)
    low, high = answers.interval(target.answer, target.against) or (middle, middle)
    return low, middle, high


def _logs(known: Known, middle: float, target: Target) -> Known:
    """The same as logs, or log-odds; `middle` is finite, or there is no telling."""
    low, _, high = known
    if target.against is None:
        return _log(low), middle, _log(high)
    return _log(low) - _log(1 - low), middle, _log(high) - _log(1 - high)


def _log(share: float) -> float:
    return math.log(share) if share > 0 else -math.inf


def _difference(one: Known, two: Known, drawn: bool) -> list[float | None]:
    """Of two that were drawn apart: from each one's own interval (Newcombe 1998, method 10; Zou & Donner
    2008, MOVER). Of bounds: all that is possible.
    """
    (low, middle, high), (low2, middle2, high2) = one, two
    change = middle2 - middle
    if not drawn:
        ends = low2 - high, high2 - low
    else:
        ends = (
            change - math.hypot(middle2 - low2, high - middle),
            change + math.hypot(high2 - middle2, middle - low),
        )
    return [end if math.isfinite(end) else None for end in ends]


def _apart(interval: list[float | None], limit: float) -> bool:
    low, high = interval
    return (low is not None and low > limit) or (high is not None and high < -limit)


def _within(interval: list[float | None], limit: float) -> bool:
    low, high = interval
    return low is not None and high is not None and -limit < low and high < limit
