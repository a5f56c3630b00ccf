"""The sentences of what was found inside a model; each made from its record alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from probes.headline_target import aimed, lead_moved, measured_on
from probes.leads import faint, flips_clearly, margin_of, turns
from probes.locale import say
from probes.numbers import nats, percent, shortened, signed, strength, which
from probes.ranks import LEVEL

Says = Callable[..., str]


def inside_headline(data: Mapping[str, Any], lang: str, says: Says) -> str:
    """What a study of a model's inside says. `says` tells what a run answers."""
    parts = [says(data["clean"], lang, "says"), *measured_on(data, lang)]
    return (" " if lang == "en" else "").join([*parts, *_OF[data["study"]](data, lang, says)])


def margin_text(data: Mapping[str, Any], lang: str) -> str:
    """From where on a lead or an effect counts, as a sentence has it."""
    points, nats_ = margin_of(data)
    return say("headline.margin", lang, points=f"{points:.3g}", nats=f"{nats_:.3g}")


def swaps(rows: Sequence[Mapping[str, Any]], data: Mapping[str, Any], lang: str) -> list[str]:
    """How many changes of the first answer stay under the margin, where there are any."""
    count = sum(bool(row["flips"]) and not flips_clearly(row, data) for row in rows)
    if not count:
        return []
    key = "headline.swap" if count == 1 else "headline.swaps"
    return [say(key, lang, count=count, margin=margin_text(data, lang))]


def _heads(data: Mapping[str, Any], lang: str, says: Says) -> list[str]:
    rows, margin = data["rows"], margin_of(data)
    strongest = min(rows, key=lambda r: _value(r))
    name = f"{strongest['layer']}.{strongest['head']}"
    of = aimed(data, lang)
    if strongest["estimate"]:
        if all(faint(row, *margin) for row in rows):
            return [say("headline.heads_faint_estimate", lang, of=of, margin=margin_text(data, lang))]
        moved = signed(strongest["effect_log_prob"])
        return [say("headline.head_estimate", lang, head=name, of=of, nats=moved)]
    flipping = [row for row in rows if flips_clearly(row, data)]
    parts = []
    if flipping:
        first = max(flipping, key=strength)
        parts.append(says(first, lang, "then_head", what=_head_name(first, lang)))
        parts.append(say("headline.heads_flip", lang, flips=len(flipping), all=len(rows)))
    elif faint(strongest, *margin):
        parts.append(
            say("headline.no_head_moves", lang, all=len(rows), of=of, margin=margin_text(data, lang))
        )
        parts += lead_moved(rows, data, lang, lambda row: _head_name(row, lang))
    else:
        numbers = {"all": len(rows), "nats": nats(strongest)}
        parts.append(say("headline.no_head_flips", lang, head=name, of=of, **numbers))
    parts += swaps(rows, data, lang)
    if data["cumulative"]:
        flips, holds = turns(data["cumulative"], data)
        key = "heads_needed" if flips else "heads_never"
        parts.append(say(f"headline.{key}", lang, k=flips, all=len(rows)))
        if holds:
            parts.append(say("headline.heads_suffice", lang, k=holds))
    return parts


def _value(row: Mapping[str, Any]) -> float:
    return float("-inf") if row["effect_log_prob"] is None else float(row["effect_log_prob"])


def _links(data: Mapping[str, Any], lang: str, says: Says) -> list[str]:
    rows = data["rows"]
    flipping = [row for row in rows if flips_clearly(row, data)]
    strongest = max(flipping or rows, key=strength)
    units = _quoted_units(data, lang)
    where = _link_name(strongest, units, lang)
    if flipping:
        parts = [
            says(strongest, lang, "then_link", what=where),
            say("headline.links_flip", lang, flips=len(flipping), all=len(rows)),
        ]
    elif all(faint(row, *margin_of(data)) for row in rows):
        of, margin = aimed(data, lang), margin_text(data, lang)
        parts = [say("headline.no_link_moves", lang, all=len(rows), of=of, margin=margin)]
        parts += lead_moved(rows, data, lang, lambda row: _link_name(row, units, lang))
    else:
        of, moved = aimed(data, lang), nats(strongest)
        parts = [say("headline.no_link_flips", lang, all=len(rows), what=where, of=of, nats=moved)]
    parts += swaps(rows, data, lang)
    if data["left_out"]:
        parts.append(say("headline.links_left_out", lang, left=data["left_out"]))
    return parts


def _attention(data: Mapping[str, Any], lang: str, says: Says) -> list[str]:
    return [attention_found(data, lang)]


def attention_found(data: Mapping[str, Any], lang: str) -> str:
    """Whether what is read is what the answer hangs on: how strongly, against chance, which of the words, and
    the best head.
    """
    agreement = data["agreement"]
    if agreement is None or agreement["mean"]["rho"] is None:
        return say("headline.attention_untold", lang)
    reader = data["reader"]
    who = say("headline.reads_answer", lang) if reader == "answer" else _quoted_units(data, lang)[reader]
    mean = agreement["mean"]
    values = {"reader": who, "how": _how_strongly(mean["rho"], lang), "rho": signed(mean["rho"])}
    parts = [
        say("headline.attention_rho", lang, **values, words=agreement["words"]),
        _by_chance(mean["p"], agreement["words"], lang),
    ]
    if count := agreement["changing"]:
        chance = f"{count * count / agreement['words']:.2g}"
        found = {"count": count, "found": f"{mean['found']:.2g}", "chance": chance}
        parts.append(say("headline.attention_found", lang, **found))
    return (" " if lang == "en" else "").join([*parts, *_best_head(agreement, lang)])


_STRENGTHS = ((0.2, "hardly"), (0.4, "weakly"), (0.6, "moderately"), (0.8, "strongly"))


def _how_strongly(rho: float, lang: str) -> str:
    """A correlation's size in words (Evans 1996), and where it is the other way round."""
    size = next((name for limit, name in _STRENGTHS if abs(rho) < limit), "very_strongly")
    how = say(f"headline.correlates_{size}", lang)
    return say("headline.other_way", lang, how=how) if rho < 0 and size != "hardly" else how


def _by_chance(p: float, words: int, lang: str) -> str:
    """Whether a correlation is more than the words' neighbours make it."""
    if LEVEL * words < 1:
        return say("headline.chance_untold", lang)
    key = "chance_beyond" if p <= LEVEL else "chance_within"
    return say(f"headline.{key}", lang, p=f"{p:.2g}")


def _best_head(agreement: Mapping[str, Any], lang: str) -> list[str]:
    """The head that comes closest, against the best of as many that have nothing to do with it."""
    known = [row for row in agreement["rows"] if row["rho"] is not None]
    best = max(known, key=lambda row: row["rho"], default=None)
    if best is None:
        return []
    limit = agreement["best_by_chance"]
    values = {"head": f"{best['layer']}.{best['head']}", "rho": signed(best["rho"]), "all": len(known)}
    if limit is None:
        return [say("headline.attention_best", lang, **values)]
    key = "attention_best_beyond" if best["rho"] > limit else "attention_best_within"
    return [say(f"headline.{key}", lang, **values, limit=signed(limit))]


def _layers(data: Mapping[str, Any], lang: str, says: Says) -> list[str]:
    rows = data["rows"]
    strongest = min(rows, key=_value)
    what = _part_name(strongest, lang)
    flips = sum(flips_clearly(row, data) for row in rows)
    if flips_clearly(strongest, data):
        parts = [says(strongest, lang, "then_head", what=what)]
    elif faint(strongest, *margin_of(data)):
        of = aimed(data, lang)
        parts = [say("headline.no_part_lowers", lang, of=of, margin=margin_text(data, lang))]
        parts += lead_moved(rows, data, lang, lambda row: _part_name(row, lang))
    else:
        of = aimed(data, lang)
        parts = [say("headline.part_lowers", lang, what=what, of=of, nats=nats(strongest))]
    parts.append(say("headline.parts_flip", lang, flips=flips, all=len(rows)))
    return [*parts, *swaps(rows, data, lang)]


def _lens(data: Mapping[str, Any], lang: str, says: Says) -> list[str]:
    at, last = data["settled_at"], data["geometry"]["layers"]
    key = "headline.lens_settled" if at else "headline.lens_from_start"
    parts = [say(key, lang, after=at - 1, last=last - 1)]
    known = [c for c in data["contributions"] if c["contribution"] is not None]
    if known:
        most = max(known, key=lambda c: c["contribution"])
        what = _part_name(most, lang)
        pair = {"one": data["contrast"]["string"].strip(), "other": data["contrast"]["against"].strip()}
        parts.append(say("headline.lens_most", lang, what=what, nats=signed(most["contribution"]), **pair))
    return parts


def _patch(data: Mapping[str, Any], lang: str, says: Says) -> list[str]:
    """Behind the last block the answer's place carries all of the difference, so of blocks the words are
    asked.
    """
    known = [
        row
        for row in data["rows"]
        if row["recovered"] is not None and (row["unit"] != "answer" or row["site"] != "block")
    ]
    other = data["base"] if data["direction"] == "denoising" else data["source"]
    to = _quoted(data["counterfactual"]["to"], lang)
    parts = [says(other, lang, "then_changed", what=to)]
    if known:
        best = max(known, key=lambda row: row["recovered"])
        share = percent(max(0.0, best["recovered"]))
        what = _state_name(best, _quoted_units(data, lang), lang)
        parts.append(say(f"headline.patch_{data['direction']}", lang, what=what, share=share))
    return parts


def _head_name(row: Mapping[str, Any], lang: str) -> str:
    return say("headline.head_name", lang, head=f"{row['layer']}.{row['head']}")


def _part_name(row: Mapping[str, Any], lang: str) -> str:
    return say(f"headline.part_{row['part']}", lang, layer=row["layer"])


def _state_name(row: Mapping[str, Any], units: Mapping[int, str], lang: str) -> str:
    """Whose state, of which site and which layer or head."""
    answer = row["unit"] == "answer"
    words = say("headline.words_answer", lang) if answer else units[row["unit"]]
    place = f"{row['layer']}" if row["head"] is None else f"{row['layer']}.{row['head']}"
    return say(f"headline.state_{row['site']}", lang, words=words, place=place)


def _link_name(row: Mapping[str, Any], units: Mapping[int, str], lang: str) -> str:
    to = units[row["to"]["index"]]
    if row["from"] == "answer":
        return say("headline.link_answer", lang, to=to)
    return say("headline.link_words", lang, reader=units[row["from"]["index"]], to=to)


def quoted_unit(unit: Mapping[str, Any], lang: str) -> str:
    """A unit in quotation marks, with which of several equal ones it is."""
    name = shortened(unit["text"]) + which(unit["occurrence"], unit["occurrences"])
    return say("headline.quote", lang, text=name)


def _quoted_units(data: Mapping[str, Any], lang: str) -> dict[int, str]:
    return {unit["index"]: quoted_unit(unit, lang) for unit in data["units"]}


def _quoted(text: str, lang: str) -> str:
    return say("headline.quote", lang, text=shortened(text))


_OF: Mapping[str, Callable[[Mapping[str, Any], str, Says], Sequence[str]]] = {
    "heads": _heads,
    "links": _links,
    "attention": _attention,
    "layers": _layers,
    "lens": _lens,
    "patch": _patch,
}
