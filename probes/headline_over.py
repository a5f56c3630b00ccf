"""The sentences of a study over a set of passages, made from its record alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from probes.locale import say
from probes.numbers import percent, shared, signed

KEYS: Mapping[str, tuple[str, ...]] = {
    "heads": ("layer", "head"),
    "attention": ("layer", "head"),
    "layers": ("layer", "part"),
    "lens": ("layer",),
    "links": ("from", "to"),
    "patch": ("layer", "head", "words"),
}
"""By study, what tells its rows apart in every passage; of links it is the roles of both words, of patching
whether the words are those that were changed, stand before or after them, or are the answer's place."""


def over_headline(data: Mapping[str, Any], lang: str) -> str:
    """How many passages, how many of them answered right, and what matters most on average."""
    size = data["over"]["size"]
    told = [p for p in data["over"]["passages"] if p["right"] is not None]
    right = sum(p["top"] == p["right"] for p in told)
    parts = [
        say("headline.over_right" if told else "headline.over", lang, size=size, right=right, told=len(told))
    ]
    parts += _measured_on(data, lang)
    if left_out := data["over"]["left_out"]:
        parts.append(say("headline.over_left_out", lang, count=left_out))
    if strongest := data.get("strongest"):
        parts.append(_strongest(strongest, data, lang))
    if data["agreement"]:
        mean = data["agreement"]
        told_within = within(mean["low"], mean["high"], signed, lang)
        parts.append(say("headline.over_agreement", lang, rho=signed(mean["mean"]), within=told_within))
    return (" " if lang == "en" else "").join(parts)


def _measured_on(data: Mapping[str, Any], lang: str) -> list[str]:
    """What effects are measured on, where it is not each passage's own answer on top."""
    target = data.get("target") or {"name": "top"}
    name = target["name"]
    if name == "top":
        return []
    if name in ("right", "right:tempting"):
        of = say(f"headline.of_{name.replace(':', '_')}", lang)
    elif target["text"] is None or target["kind"] is None:
        of = say("headline.of_answer", lang, text=name)
    else:
        pair = {"text": target["text"], "against": target["against_text"]}
        of = say(f"headline.of_{target['kind']}", lang, **pair)
    return [say("headline.measured_on", lang, of=of)]


def within(low: float | None, high: float | None, text: Callable[[float], str], lang: str) -> str:
    """An interval in brackets, nothing where there is none."""
    if low is None or high is None:
        return ""
    return say("headline.within", lang, low=text(low), high=text(high))


def flip_share(row: Mapping[str, Any]) -> float | None:
    """The share of passages in which a row changes the answer clearly; None where it is no removal."""
    share: float | None = row.get("flips_clearly", row.get("flips"))
    return share


SKEWED = 1.0
"""From this skewness on a mean is not where most values lie, and the sentence says so."""


def _strongest(row: Mapping[str, Any], data: Mapping[str, Any], lang: str) -> str:
    """The part that does most on one half of the passages, told on the other half."""
    patched = data["study"] == "patch"
    measure, text = ("recovered", shared) if patched else ("effect_log_prob", signed)
    kind = data["direction"] if patched else "link" if data["study"] == "links" else "removal"
    return say(
        f"headline.over_strongest_{kind}",
        lang,
        chosen=row["chosen_on"],
        what=row_name(row, lang),
        told=row["passages"],
        mean=text(row[measure]),
        within=within(row[f"{measure}_low"], row[f"{measure}_high"], text, lang),
        flips=percent(flip_share(row) or 0.0),
    ) + _skewed(row, text, lang)


def _skewed(row: Mapping[str, Any], text: Callable[[float], str], lang: str) -> str:
    """That a few passages make the mean, where they do."""
    if row["passages"] < 3 or abs(row["skew"] or 0.0) < SKEWED:
        return ""
    numbers = {"carried": row["carried_by"], "of": row["passages"], "median": text(row["median"])}
    return (" " if lang == "en" else "") + say("headline.over_skewed", lang, **numbers)


_MEASURES = {"lens": "agrees", "attention": "rho", "patch": "recovered"}


def measure_of(study: str) -> str:
    """The field of a set's rows that is shown first."""
    return _MEASURES.get(study, "effect_log_prob")


def row_name(row: Mapping[str, Any], lang: str, texts: str = "headline") -> str:
    """A row's part of the model, or its words, as a sentence names them; with `texts` "charts" links and
    states in few words, for a picture.
    """
    if "from" in row:
        reader, read = (say(f"{texts}.role_{row[name]}", lang) for name in ("from", "to"))
        return say(f"{texts}.link_roles", lang, reader=reader, to=read)
    if "words" in row:
        place = f"{row['layer']}" if row["head"] is None else f"{row['layer']}.{row['head']}"
        words = say(f"{texts}.words_{row['words']}", lang)
        return say(f"{texts}.state_{row['site']}", lang, words=words, place=place)
    if "head" in row:
        return say("headline.head_name", lang, head=f"{row['layer']}.{row['head']}")
    if "part" in row:
        return say(f"headline.part_{row['part']}", lang, layer=row["layer"])
    return read_after(row["layer"], lang)


def read_after(blocks: int, lang: str) -> str:
    """Where a lens reads the answer off: behind so many blocks, the last of which is named as everywhere."""
    return say("charts.after_layer", lang, layer=blocks - 1) if blocks else say("charts.embeddings", lang)
