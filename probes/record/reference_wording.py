"""Which passages a record's means and resampled values come from, in words, from the record alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.locale import say

_MOST = 0.5
"""The share of one answer above which reference passages are no longer mixed."""


def reference_of(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a record says of its reference passages; None where it has none, or comes from a release that only
    listed them.
    """
    found: Mapping[str, Any] | None = data.get("reference") or data.get("ablated", {}).get("reference")
    return found if found and "place" in found else None


def reference_text(data: Mapping[str, Any], lang: str) -> str:
    """How many, about what, and how many of them the model gives which answer; "" without any."""
    reference = reference_of(data)
    if not reference:
        return ""
    place, mode = reference["place"], data.get("mode") or data["ablated"]["mode"]
    names = {answer["answer"]: answer["name"] for answer in data["clean"]["answers"]}
    about = say(f"references.about_{'place' if place else 'others'}", lang, place=place)
    positions = say(f"references.{reference['positions']}", lang)
    told = {"size": reference["size"], "seed": reference["seed"], "about": about, "positions": positions}
    parts = [say(f"references.{mode}", lang, **told)]
    if passed_over := reference["passed_over"]:
        parts.append(say("references.passed_over", lang, count=passed_over))
    answers, right = reference["answers"], reference["right"]
    parts.append(say("references.answers", lang, answers=_counted(answers, names, lang)))
    if right and right != answers:
        parts.append(say("references.right", lang, answers=_counted(right, names, lang)))
    if mode == "resample":
        in_turn = _listed([names[label] for label in reference["tops"]], lang)
        parts.append(say("references.in_turn", lang, answers=in_turn))
    most = max(answers, key=answers.__getitem__)
    if answers[most] > _MOST * reference["size"]:
        parts.append(say("references.one_answer", lang, answer=names[most]))
    return (" " if lang == "en" else "").join(parts)


def _counted(counts: Mapping[str, int], names: Mapping[str, str], lang: str) -> str:
    """`never 3, once 2`: answers that occur, with how often."""
    return _listed([f"{names[label]} {count}" for label, count in counts.items() if count], lang)


def _listed(texts: list[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(texts)
