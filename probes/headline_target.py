"""What a sentence says its numbers are of: the answer on top, or whatever else was chosen as the target."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from probes.leads import margin_of
from probes.locale import say
from probes.numbers import signed


def aimed(data: Mapping[str, Any], lang: str, how: Literal["of", "in"] = "of") -> str:
    """The target as a part of a sentence, as what is moved or as where nothing moves; the clean top answer
    is not named again.
    """
    kind, target = kind_of(data), data.get("target") or {}
    return say(f"headline.{how}_{kind}", lang, text=target.get("text"), against=target.get("against_text"))


def measured_on(data: Mapping[str, Any], lang: str) -> list[str]:
    """What effects are measured on, where it is not the clean top answer."""
    if kind_of(data) == "top":
        return []
    return [say("headline.measured_on", lang, of=aimed(data, lang))]


def kind_of(data: Mapping[str, Any]) -> str:
    """ "top" where effects are measured on the clean top answer, else "answer" or "contrast"; records of
    earlier releases that name no target measure the top answer.
    """
    target = data.get("target") or {}
    if target.get("kind") == "contrast":
        return "contrast"
    return "top" if target.get("label", data["clean"]["top"]) == data["clean"]["top"] else "answer"


def lead_moved(
    rows: Sequence[Mapping[str, Any]],
    data: Mapping[str, Any],
    lang: str,
    name: Callable[[Mapping[str, Any]], str],
) -> list[str]:
    """Of rows that leave the answer's probability alone, those that move its lead over the next one: near
    certainty the probability has no room to fall.

    Args:
        name: what a row takes away, as the sentence names it.
    """
    lead, (_, least) = _clean_lead(data), margin_of(data)
    moving = [row for row in rows if abs(row.get("effect_lead") or 0.0) >= least]
    if kind_of(data) != "top" or lead is None or not moving:
        return []
    most = max(moving, key=lambda row: abs(row["effect_lead"]))
    numbers = {"lead": f"{lead:.1f}", "nats": f"{least:.3g}", "moved": signed(most["effect_lead"], 1)}
    return [say("headline.lead_moves", lang, count=len(moving), what=name(most), **numbers)]


def _clean_lead(data: Mapping[str, Any]) -> float | None:
    """By how many nats the clean top answer leads the likeliest other one; None where that is nothing."""
    chances = sorted((a["probability"] for a in data["clean"]["answers"]), reverse=True)
    return math.log(chances[0] / chances[1]) if len(chances) > 1 and chances[1] > 0 else None
