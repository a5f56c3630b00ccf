"""The sentence on top, made from the record and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probes.headline_inside import inside_headline, quoted_unit
from probes.headline_over import over_headline
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
    if data["study"] == "words":
        return _words(data, lang)
    if data["study"] != "ask":
        return inside_headline(data, lang, _says)
    clean = data.get("clean", data)
    first = _says(clean, lang, "says")
    if "taken" not in data:
        return first + _right(data, lang)
    if "ablated" in data:
        then = _without_heads(data, lang)
    else:
        taken = quoted(_taken(data), lang)
        then = _says(data, lang, f"then_{data['taken']['mode']}", what=taken)
    return (
        " ".join([first, then, *_against_chance(data, lang)])
        if lang == "en"
        else first + then + "".join(_against_chance(data, lang))
    )


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


def _says(run: Mapping[str, Any], lang: str, how: str, **values: object) -> str:
    top = top_of(run)
    if run["coverage"] < FEW:
        numbers = {"share": percent(top["share"]), "coverage": percent(run["coverage"])}
        return say(f"headline.{how}_of_listed", lang, answer=top["name"], **numbers, **values)
    return say(f"headline.{how}", lang, answer=top["name"], probability=percent(top["probability"]), **values)


def _right(data: Mapping[str, Any], lang: str) -> str:
    right = next((a for a in data["answers"] if a["answer"] == data["right"]), None)
    if right is None or right["answer"] == data["top"]:
        return ""
    return (" " if lang == "en" else "") + say(
        "headline.right_is", lang, answer=right["name"], probability=percent(right["probability"])
    )


def _against_chance(data: Mapping[str, Any], lang: str) -> list[str]:
    control = data.get("control")
    if not control:
        return []
    return [say("headline.chance", lang, flips=control["flips"], n=control["n"])]


def _without_heads(data: Mapping[str, Any], lang: str) -> str:
    """Which heads, and which words with them, were taken away together."""
    heads = [f"{layer}.{head}" for layer, head in data["ablated"]["heads"]]
    what = say("headline.comma", lang).join(heads[:NAMED])
    if len(heads) > NAMED:
        what = say("headline.and_more", lang, named=what, count=len(heads) - NAMED)
    if data["taken"]["texts"]:
        out = _taken(data)
        numbers = {"heads": len(heads), "out": len(out), "words": quoted(out, lang)}
        return _says(data, lang, f"then_heads_and_{data['taken']['mode']}", what=what, **numbers)
    if len(heads) == 1:
        return _says(data, lang, "then_head", what=say("headline.head_name", lang, head=what))
    return _says(data, lang, "then_heads", what=what)


def _words(data: Mapping[str, Any], lang: str) -> str:
    rows = data["rows"]
    parts = [_says(data["clean"], lang, "says")]
    flipping = [row for row in rows if row["flips"]]
    strongest = max(flipping or rows, key=strength)
    what = quoted_unit(strongest, lang)
    if flipping:
        parts.append(_says(strongest, lang, f"then_{data['mode']}", what=what))
        if len(flipping) > 1:
            parts.append(say("headline.others_flip", lang, count=len(flipping) - 1))
    else:
        moved = nats(strongest)
        parts.append(say(f"headline.none_flips_{data['unit']}", lang, what=what, nats=moved))
    still = sum(row["no_change"] for row in rows)
    if len(rows) > 1:  # of the only one, what is above says all
        parts.append(say(f"headline.no_change_{data['unit']}", lang, still=still, all=len(rows)))
    return (" " if lang == "en" else "").join(parts)
