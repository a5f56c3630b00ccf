"""The sentence on top, made from the record and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from probes.headline_inside import Says, inside_headline, margin_text, quoted_unit, swaps
from probes.headline_over import over_headline
from probes.headline_target import aimed, lead_moved, measured_on
from probes.leads import faint, flips_clearly, margin_of, tied
from probes.locale import say
from probes.numbers import nats, percent, strength

FEW = 0.5
"""Under this coverage a headline speaks "of the listed answers"."""
NAMED = 4
"""Words of a set that are named one by one."""


def headline(data: Mapping[str, Any], lang: str) -> str:
    """What a record says, in a sentence or three."""
    if "over" in data:
        return over_headline(data, lang)
    says = partial(_says, margin_of(data))
    if data["study"] == "words":
        return _words(data, lang, says)
    if data["study"] != "ask":
        return inside_headline(data, lang, says)
    first = says(data.get("clean", data), lang, "says")
    if "taken" not in data:
        return first + _right(data, lang)
    if "ablated" in data:
        then = _without_heads(data, lang, says)
    else:
        taken = quoted(_taken(data), lang)
        if data.get("flips", False) is None:
            return _joined([first, say("headline.not_carried", lang, what=taken)], lang)
        then = says(data, lang, f"then_{data['taken']['mode']}", what=taken)
    return _joined([first, then, *_against_chance(data, lang)], lang)


def _joined(sentences: Sequence[str], lang: str) -> str:
    return (" " if lang == "en" else "").join(sentences)


def top_of(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer that a run's `top` names."""
    return next(answer for answer in run["answers"] if answer["answer"] == run["top"])


def quoted(units: Sequence[Mapping[str, Any]], lang: str) -> str:
    """Words as a sentence names them: the first few, then how many more.

    Args:
        units: each with its text, and which of how many equal ones it is (occurrence, occurrences).
    """
    named = say("headline.comma", lang).join(quoted_unit(unit, lang) for unit in units[:NAMED])
    rest = len(units) - NAMED
    return named if rest <= 0 else say("headline.and_more", lang, named=named, count=rest)


def _taken(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a set took away; records of earlier releases do not say which of several equal words it was."""
    texts = data["taken"]["texts"]
    numbers = data["taken"].get("occurrences", [(1, 1)] * len(texts))
    return [
        {"text": text, "occurrence": one, "occurrences": of}
        for text, (one, of) in zip(texts, numbers, strict=True)
    ]


def _says(margin: tuple[float, float], run: Mapping[str, Any], lang: str, how: str, **values: object) -> str:
    """What a run answers; where answers are too close to tell apart, that they are."""
    top, close, few = top_of(run), tied(run, *margin), run["coverage"] < FEW
    coverage = percent(run["coverage"])
    measure = "share" if few else "probability"
    if close and how == "says":
        key = "headline.tie_of_listed" if few else "headline.tie"
        return say(key, lang, answers=_listed(close, measure, lang), coverage=coverage)
    if few:
        numbers = {"share": percent(top["share"]), "coverage": coverage}
        said = say(f"headline.{how}_of_listed", lang, answer=top["name"], **numbers, **values)
    else:
        chance = percent(top["probability"])
        said = say(f"headline.{how}", lang, answer=top["name"], probability=chance, **values)
    if not close:
        return said
    return _joined([said, say("headline.tie_with", lang, answers=_listed(close[1:], measure, lang))], lang)


def _listed(answers: Sequence[Mapping[str, Any]], measure: str, lang: str) -> str:
    """Answers with their numbers, the last one behind an "and"."""
    named = [say("headline.answer", lang, answer=a["name"], probability=percent(a[measure])) for a in answers]
    if len(named) == 1:
        return named[0]
    first = say("headline.comma", lang).join(named[:-1])
    return say("headline.and", lang, first=first, last=named[-1])


def _right(data: Mapping[str, Any], lang: str) -> str:
    right = next((a for a in data["answers"] if a["answer"] == data["right"]), None)
    if right is None or right["answer"] == data["top"] or right in tied(data, *margin_of(data)):
        return ""
    said = say("headline.right_is", lang, answer=right["name"], probability=percent(right["probability"]))
    return _joined(["", said], lang)


def _against_chance(data: Mapping[str, Any], lang: str) -> list[str]:
    control = data.get("control")
    if not control:
        return []
    flips = control.get("flips_clearly", control["flips"])
    return [say("headline.chance", lang, flips=flips, n=control["n"])]


def _without_heads(data: Mapping[str, Any], lang: str, says: Says) -> str:
    """Which heads, and which words with them, were taken away together."""
    heads = [f"{layer}.{head}" for layer, head in data["ablated"]["heads"]]
    what = say("headline.comma", lang).join(heads[:NAMED])
    if len(heads) > NAMED:
        what = say("headline.and_more", lang, named=what, count=len(heads) - NAMED)
    if data["taken"]["texts"]:
        out = _taken(data)
        numbers = {"heads": len(heads), "out": len(out), "words": quoted(out, lang)}
        return says(data, lang, f"then_heads_and_{data['taken']['mode']}", what=what, **numbers)
    if len(heads) == 1:
        return says(data, lang, "then_head", what=say("headline.head_name", lang, head=what))
    return says(data, lang, "then_heads", what=what)


def _words(data: Mapping[str, Any], lang: str, says: Says) -> str:
    rows = data["rows"]
    parts = [says(data["clean"], lang, "says"), *measured_on(data, lang)]
    flipping = [row for row in rows if flips_clearly(row, data)]
    strongest = max(flipping or rows, key=strength)
    what = quoted_unit(strongest, lang)
    if flipping:
        parts.append(says(strongest, lang, f"then_{data['mode']}", what=what))
        if len(flipping) > 1:
            parts.append(say("headline.others_flip", lang, count=len(flipping) - 1))
    elif all(faint(row, *margin_of(data)) for row in rows):
        parts.append(
            say(
                f"headline.none_moves_{data['unit']}",
                lang,
                of=aimed(data, lang),
                margin=margin_text(data, lang),
            )
        )
    else:
        moved = nats(strongest)
        parts.append(
            say(f"headline.none_flips_{data['unit']}", lang, what=what, of=aimed(data, lang), nats=moved)
        )
    parts += swaps(rows, data, lang)
    still = sum(bool(row["no_change"]) for row in rows)
    known = sum(row["no_change"] is not None for row in rows)
    if len(rows) > 1:  # of the only one, what is above says all
        where = aimed(data, lang, "in")
        parts.append(say(f"headline.no_change_{data['unit']}", lang, still=still, all=known, where=where))
        quiet = [row for row in rows if row["no_change"]]
        parts += lead_moved(quiet, data, lang, lambda row: quoted_unit(row, lang))
    return _joined(parts, lang)
