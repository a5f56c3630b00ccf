"""What the sentences of all studies share: what a run answers, what effects are measured on, names of parts.

A sentence is made from a record and from nothing else. Of a tie, of a small coverage, of a change that stays
under the margin it says so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from probes.locale import say
from probes.numbers import head_label, percent, shortened, signed, strength, which
from probes.record.leads import flips_clearly, margin_of, tied

FEW = 0.5
"""Under this coverage a sentence speaks "of the listed answers"."""
NAMED = 4
"""Words of a set that are named one by one."""

Record = Mapping[str, Any]


def joined(sentences: Sequence[str], lang: str) -> str:
    """Sentences one after the other, a space between them where the language has one."""
    return (" " if lang == "en" else "").join(sentences)


def opening(data: Record, lang: str) -> list[str]:
    """How every sentence about effects begins: what the model says, and what effects are measured on."""
    return [says(data, data["clean"], lang, "headline.says"), *measured_on(data, lang)]


# ---- what a run answers


def top_of(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer that a run's `top` names."""
    return next(answer for answer in run["answers"] if answer["answer"] == run["top"])


def says(data: Record, run: Mapping[str, Any], lang: str, key: str, **values: object) -> str:
    """What a run of a record answers; where answers are too close to tell apart, that they are.

    Args:
        key: the text that says so; `<key>_of_listed` where all listed answers together get little.
    """
    top, close, few = top_of(run), tied(run, *margin_of(data)), run["coverage"] < FEW
    coverage = percent(run["coverage"])
    measure = "share" if few else "probability"
    if close and key == "headline.says":
        tie = "headline.tie_of_listed" if few else "headline.tie"
        return say(tie, lang, answers=_listed(close, measure, lang), coverage=coverage)
    if few:
        numbers = {"share": percent(top["share"]), "coverage": coverage}
        said = say(f"{key}_of_listed", lang, answer=top["name"], **numbers, **values)
    else:
        said = say(key, lang, answer=top["name"], probability=percent(top["probability"]), **values)
    if not close:
        return said
    return joined([said, say("headline.tie_with", lang, answers=_listed(close[1:], measure, lang))], lang)


def _listed(answers: Sequence[Mapping[str, Any]], measure: str, lang: str) -> str:
    """Answers with their numbers, the last one behind an "and"."""
    named = [say("headline.answer", lang, answer=a["name"], probability=percent(a[measure])) for a in answers]
    if len(named) == 1:
        return named[0]
    first = say("headline.comma", lang).join(named[:-1])
    return say("headline.and", lang, first=first, last=named[-1])


# ---- what effects are measured on


def aimed(data: Record, lang: str, how: Literal["of", "in"] = "of") -> str:
    """The target as a part of a sentence, as what is moved or as where nothing moves; the clean top answer
    is not named again.
    """
    kind, target = kind_of(data), data.get("target") or {}
    return say(f"headline.{how}_{kind}", lang, text=target.get("text"), against=target.get("against_text"))


def measured_on(data: Record, lang: str) -> list[str]:
    """What effects are measured on, where it is not the clean top answer."""
    if kind_of(data) == "top":
        return []
    return [say("headline.measured_on", lang, of=aimed(data, lang))]


def kind_of(data: Record) -> str:
    """ "top" where effects are measured on the clean top answer, else "answer" or "contrast"; records of
    earlier releases that name no target measure the top answer.
    """
    target = data.get("target") or {}
    if target.get("kind") == "contrast":
        return "contrast"
    return "top" if target.get("label", data["clean"]["top"]) == data["clean"]["top"] else "answer"


def margin_text(data: Record, lang: str) -> str:
    """From where on a lead or an effect counts, as a sentence has it."""
    points, nats = margin_of(data)
    return say("headline.margin", lang, points=f"{points:.3g}", nats=f"{nats:.3g}")


def swaps(rows: Sequence[Mapping[str, Any]], data: Record, lang: str) -> list[str]:
    """How many changes of the first answer stay under the margin, where there are any."""
    count = sum(bool(row["flips"]) and not flips_clearly(row, data) for row in rows)
    if not count:
        return []
    key = "headline.swap" if count == 1 else "headline.swaps"
    return [say(key, lang, count=count, margin=margin_text(data, lang))]


def lead_moved(
    rows: Sequence[Mapping[str, Any]], data: Record, lang: str, name: Callable[[Mapping[str, Any]], str]
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


def _clean_lead(data: Record) -> float | None:
    """By how many nats the clean top answer leads the likeliest other one; None where that is nothing."""
    chances = sorted((a["probability"] for a in data["clean"]["answers"]), reverse=True)
    return math.log(chances[0] / chances[1]) if len(chances) > 1 and chances[1] > 0 else None


def strongest_of(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The row that moves the answer most, whichever way."""
    return max(rows, key=strength)


def lowest_of(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The row that lowers the target most; one that makes it vanish before all others."""
    return min(rows, key=lambda row: -math.inf if row["effect_log_prob"] is None else row["effect_log_prob"])


# ---- names


def quoted(units: Sequence[Mapping[str, Any]], lang: str) -> str:
    """Words as a sentence names them: the first few, then how many more.

    Args:
        units: each with its text, and which of how many equal ones it is (occurrence, occurrences).
    """
    named = say("headline.comma", lang).join(quoted_unit(unit, lang) for unit in units[:NAMED])
    rest = len(units) - NAMED
    return named if rest <= 0 else say("headline.and_more", lang, named=named, count=rest)


def quoted_unit(unit: Mapping[str, Any], lang: str) -> str:
    """A unit in quotation marks, with which of several equal ones it is."""
    return quoted_text(shortened(unit["text"]) + which(unit["occurrence"], unit["occurrences"]), lang)


def quoted_text(text: str, lang: str) -> str:
    """A text in the language's quotation marks."""
    return say("headline.quote", lang, text=text)


def quoted_units(data: Record, lang: str) -> dict[int, str]:
    """The record's units in quotation marks, by their index."""
    return {unit["index"]: quoted_unit(unit, lang) for unit in data["units"]}


def head_name(row: Mapping[str, Any], lang: str) -> str:
    """A head by layer and number."""
    return say("headline.head_name", lang, head=head_label(row["layer"], row["head"]))


def part_name(row: Mapping[str, Any], lang: str) -> str:
    """A layer's attention or feed-forward, or the embedding."""
    return say(f"headline.part_{row['part']}", lang, layer=row["layer"])
