"""The sentences of a study over a set of passages, made from its record alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.locale import say
from probes.numbers import percent, signed


def over_headline(data: Mapping[str, Any], lang: str) -> str:
    """How many passages, how many of them answered right, and what matters most on average."""
    size = data["over"]["size"]
    told = [p for p in data["over"]["passages"] if p["right"] is not None]
    right = sum(p["top"] == p["right"] for p in told)
    parts = [
        say("headline.over_right" if told else "headline.over", lang, size=size, right=right, told=len(told))
    ]
    if left_out := data["over"]["left_out"]:
        parts.append(say("headline.over_left_out", lang, count=left_out))
    strongest = _patched(data, lang) if data["study"] == "patch" else _removed(data, lang)
    parts += [strongest] if strongest else []
    if data["agreement"]:
        mean = data["agreement"]
        numbers = {
            "rho": signed(mean["mean"]),
            "low": signed(mean["low"] or 0),
            "high": signed(mean["high"] or 0),
        }
        parts.append(say("headline.over_agreement", lang, **numbers))
    return (" " if lang == "en" else "").join(parts)


def _removed(data: Mapping[str, Any], lang: str) -> str | None:
    known = [row for row in data["rows"] if row.get("effect_log_prob") is not None]
    if not known:
        return None
    least = min(known, key=lambda row: row["effect_log_prob"])
    low, high = (signed(least[f"effect_log_prob_{end}"] or 0.0) for end in ("low", "high"))
    numbers = {"nats": signed(least["effect_log_prob"]), "low": low, "high": high}
    flips = percent(least.get("flips") or 0.0)
    return say("headline.over_strongest", lang, what=row_name(least, lang), flips=flips, **numbers)


def _patched(data: Mapping[str, Any], lang: str) -> str | None:
    """The state behind some block that carries most of the difference; of the answer's place it is all of it
    in the end, so the words are asked.
    """
    known = [row for row in data["rows"] if row.get("recovered") is not None and row["words"] != "answer"]
    if not known:
        return None
    most = max(known, key=lambda row: row["recovered"])
    low, high = (percent(most[f"recovered_{end}"] or 0.0) for end in ("low", "high"))
    where = {"layer": most["layer"], "words": say(f"headline.words_{most['words']}", lang)}
    return say(
        f"headline.over_{data['direction']}",
        lang,
        share=percent(most["recovered"]),
        low=low,
        high=high,
        **where,
    )


_MEASURES = {"lens": "agrees", "attention": "rho", "patch": "recovered"}


def measure_of(study: str) -> str:
    """The field of a set's rows that is shown first."""
    return _MEASURES.get(study, "effect_log_prob")


def row_name(row: Mapping[str, Any], lang: str) -> str:
    """A row's part of the model, or its words, as a sentence names them."""
    if "from" in row:
        reader, read = (say(f"headline.role_{row[name]}", lang) for name in ("from", "to"))
        return say("headline.link_roles", lang, reader=reader, to=read)
    if "words" in row:
        place = f"{row['layer']}" if row["head"] is None else f"{row['layer']}.{row['head']}"
        return say("headline.state_of", lang, words=say(f"headline.words_{row['words']}", lang), place=place)
    if "head" in row:
        return say("headline.head_name", lang, head=f"{row['layer']}.{row['head']}")
    part = row.get("part", "block")
    return say(f"headline.part_{part}", lang, layer=row["layer"])
