"""Whether an answer stands: by how much it must lead, beyond what samples or first tokens leave open."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from probes.asking.distribution import Distribution
from probes.record.leads import NATS
from probes.studies.base import Option
from probes.studies.effects import Target

LEAD = Option("lead", "number", NATS, low=0, high=100)
Stand = Literal["keeps", "flips", "open"]


def lead_of(settings: Mapping[str, Any]) -> float:
    """The lead that counts, nats: as told, but no less than what the model's number type can tell."""
    told, known = float(settings["lead"]), settings["margin"]["nats"]
    return max(told, known) if known > NATS else told


def stand(answers: Distribution, target: Target, lead: float) -> Stand:
    """ "keeps" where the target leads every other answer (or the one it is measured against) by `lead` nats,
    "flips" where one of them leads it by as much; "open" between the two, and where it cannot be told.
    """
    mine, other = target.answer, rival(answers, target)
    by = ahead_by(answers, mine, other)
    if by >= lead and answers.ahead(mine, other):
        return "keeps"
    return "flips" if -by >= lead and answers.ahead(other, mine) else "open"


def rival(answers: Distribution, target: Target) -> int:
    """The likeliest other answer, or the one that the target is measured against."""
    if target.against is not None:
        return target.against
    logs = answers.steady
    return max((i for i in range(len(logs)) if i != target.answer), key=logs.__getitem__)


def ahead_by(answers: Distribution, one: int, other: int) -> float:
    """By how many nats an answer leads another; infinite where one of them is gone altogether."""
    mine, theirs = answers.steady[one], answers.steady[other]
    if mine == theirs:
        return 0.0
    return (
        mine - theirs
        if math.isfinite(mine) and math.isfinite(theirs)
        else math.copysign(math.inf, mine - theirs)
    )
