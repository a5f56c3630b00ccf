"""Tables of what was found inside a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probes.headline_over import flip_share, measure_of
from probes.intervals import CARRIERS, FEWEST
from probes.leads import flips_clearly
from probes.locale import say
from probes.numbers import nats, shared, shortened, signed, strength

if TYPE_CHECKING:
    from probes.commands.shared import Context

Column = tuple[str, str]
Cells = tuple[list[Column], list[list[str]], list[str]]
"""Columns (text, side), rows, notes."""


def inside(data: Mapping[str, Any], context: Context) -> Cells:
    """The rows of a study of a model's inside, strongest first where they have an effect."""
    return _over(data, context) if "over" in data else _OF[data["study"]](data, context)


def _columns(context: Context, *names: str) -> list[Column]:
    left = {"head", "layer", "part", "from", "to", "link", "state", "flips", "reads", "leads"}
    return [(context.say(f"col_{name}"), "left" if name in left else "right") for name in names]


def _effects(row: Mapping[str, Any]) -> list[str]:
    share, kl = row["effect_probability"], row["kl"]
    return [nats(row, 3), "" if share is None else signed(share * 100, 1), "" if kl is None else f"{kl:.3f}"]


def _flip(row: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    names = {a["answer"]: a["name"] for a in data["clean"]["answers"]}
    return names[row["top"]] if flips_clearly(row, data) else ""


def _direct(row: Mapping[str, Any]) -> str:
    return "n/a" if row["direct_effect"] is None else signed(row["direct_effect"], 3)


def _note(name: str, data: Mapping[str, Any], context: Context) -> str:
    noise = "?" if data["noise_floor"] is None else f"{data['noise_floor']:.1e}"
    return context.say(name, noise=noise, target=data["target"]["text"]) + known_to(data, context)


def known_to(data: Mapping[str, Any], context: Context) -> str:
    """How far effects may be off for the number type, where that is more than the noise floor says."""
    precision = data.get("precision")
    if not precision:
        return ""
    told = {"dtype": precision["dtype"], "measured": int(precision["measured"])}
    return " " + context.say("precision_note", nats=f"{precision['nats']:.2g}", **told)


def _sorted(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: -strength(row))


def _heads(data: Mapping[str, Any], context: Context) -> Cells:
    rows = [
        [f"{row['layer']}.{row['head']}", *_effects(row), _direct(row), _flip(row, data)]
        for row in _sorted(data["rows"])
    ]
    notes = [_note("heads_note", data, context)]
    if data["rows"] and data["rows"][0]["estimate"]:
        notes.append(context.say("estimate_note"))
    return _columns(context, "head", "nats", "points", "kl", "direct", "flips"), rows, notes


def _layers(data: Mapping[str, Any], context: Context) -> Cells:
    rows = [
        [
            str(row["layer"]),
            context.say(f"part_{row['part']}"),
            *_effects(row),
            _direct(row),
            _flip(row, data),
        ]
        for row in data["rows"]
    ]
    columns = _columns(context, "layer", "part", "nats", "points", "kl", "direct", "flips")
    return columns, rows, [_note("heads_note", data, context)]


def _links(data: Mapping[str, Any], context: Context) -> Cells:
    rows = []
    for row in _sorted(data["rows"]):
        reader = row["from"]
        start = context.say("answer_position") if reader == "answer" else _word(reader, data)
        looked = "" if row["attention"] is None else f"{row['attention'] * 100:.1f} %"
        rows.append([start, _word(row["to"], data), *_effects(row), looked, _flip(row, data)])
    columns = _columns(context, "from", "to", "nats", "points", "kl", "attention", "flips")
    return columns, rows, [_note("inside_note", data, context)]


def _word(entry: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    return word_label(data["units"][entry["index"]])


def word_label(unit: Mapping[str, Any]) -> str:
    """A unit as a table names it: `shop#2` is the second of several, as `--drop` counts them."""
    text = shortened(unit["text"])
    return text if unit["occurrences"] == 1 else f"{text}#{unit['occurrence']}"


def _attention(data: Mapping[str, Any], context: Context) -> Cells:
    agreement = data["agreement"] or {"rows": []}
    rhos = {(r["layer"], r["head"]): r["rho"] for r in agreement["rows"]}
    among = {(r["layer"], r["head"]): r["found"] for r in agreement["rows"]}
    rows = []
    for row in sorted(data["rows"], key=lambda r: -(rhos.get((r["layer"], r["head"])) or -2)):
        rho = rhos.get((row["layer"], row["head"]))
        known = [i for i, share in enumerate(row["weights"]) if share is not None]
        best = sorted(known, key=lambda i: -row["weights"][i])[:3]
        words = "  ".join(f"{_word({'index': i}, data)} {row['weights'][i] * 100:.0f} %" for i in best)
        rows.append(
            [
                f"{row['layer']}.{row['head']}",
                words,
                f"{row['sink'] * 100:.0f} %",
                f"{row['entropy']:.2f}",
                "" if rho is None else signed(rho),
                f"{among[row['layer'], row['head']]:.2g} / {agreement['changing']}" if among else "",
            ]
        )
    reader = data["reader"]
    name = context.say("answer_position") if reader == "answer" else _word({"index": reader}, data)
    columns = _columns(context, "head", "reads", "sink", "entropy", "rho", "among")
    return columns, rows, [context.say("attention_note", reader=name)]


def _lens(data: Mapping[str, Any], context: Context) -> Cells:
    names = [(a["answer"], a["name"]) for a in data["clean"]["answers"]]
    written = {(c["layer"], c["part"]): c["contribution"] for c in data["contributions"]}
    columns_of = ("embedding", "attention", "mlp")
    rows = []
    for row in data["rows"]:
        each = {a["answer"]: a["probability"] for a in row["answers"]}
        layer = row["layer"] - 1 if row["layer"] else None
        parts = [written.get((layer, part)) for part in columns_of]
        rows.append(
            [
                _read_after(row["layer"]),
                dict(names)[row["top"]],
                *(f"{each[label] * 100:.1f} %" for label, _ in names),
                *("" if value is None else signed(value) for value in parts),
            ]
        )
    columns = _columns(context, "layer", "leads") + [(name, "right") for _, name in names]
    columns += [(context.say(f"part_{part}"), "right") for part in columns_of]
    return columns, rows, [context.say("lens_note")]


def _patch(data: Mapping[str, Any], context: Context) -> Cells:
    rows = []
    for row in sorted(data["rows"], key=lambda r: -abs(r["recovered"] or 0)):
        where = (
            context.say("answer_position") if row["unit"] == "answer" else _word({"index": row["unit"]}, data)
        )
        part = str(row["layer"]) if row["head"] is None else f"{row['layer']}.{row['head']}"
        share = "" if row["recovered"] is None else shared(row["recovered"])
        rows.append([part, where, share, *_effects(row), _flip(row, data)])
    columns = _columns(context, "layer", "state", "recovered", "nats", "points", "kl", "flips")
    return columns, rows, [_note("inside_note", data, context)]


def _over(data: Mapping[str, Any], context: Context) -> Cells:
    name = measure_of(data["study"])

    def shown(value: float | None) -> str:
        if value is None:
            return ""
        return shared(value) if name in ("agrees", "recovered") else signed(value, 3)

    rows = []
    ranked = data["rows"] if name == "agrees" else sorted(data["rows"], key=lambda r: -abs(r.get(name) or 0))
    for row in ranked:
        low, high = shown(row.get(f"{name}_low")), shown(row.get(f"{name}_high"))
        flips = flip_share(row)
        cells = [shown(row.get(name)), f"{low} … {high}" if low and high else ""]
        median, carried = shown(row.get("median")), row.get("carried_by")
        cells += [median, "" if carried is None else f"{carried} / {row['passages']}"]
        rows.append([_part_of(row, context), *cells, "" if flips is None else f"{flips * 100:.0f} %"])
    first = {"agrees": "leads", "rho": "rho", "recovered": "recovered"}.get(name, "nats")
    kind = next(kind for kind in ("words", "head", "from", "layer") if kind in data["rows"][0])
    named = {"words": "state", "from": "link"}.get(kind, kind)
    notes = [] if name == "agrees" else [context.say("over_note", fewest=FEWEST, carriers=CARRIERS)]
    columns = _columns(context, named, first, "interval", "median", "carried", "flip_share")
    return columns, rows, notes


def _part_of(row: Mapping[str, Any], context: Context) -> str:
    if "from" in row:
        return " ← ".join(say(f"headline.role_{row[name]}", context.lang) for name in ("from", "to"))
    place = f"{row['layer']}.{row['head']}" if row.get("head") is not None else str(row["layer"])
    if "words" in row:
        return f"{place} {say('headline.words_' + row['words'], context.lang)}"
    if "head" in row:
        return place
    return f"{place} {context.say('part_' + row['part'])}" if "part" in row else _read_after(row["layer"])


def _read_after(blocks: int) -> str:
    """The layer behind which a lens reads, by its number; `in` is the input of the first."""
    return str(blocks - 1) if blocks else "in"


_OF: Mapping[str, Callable[[Mapping[str, Any], Context], Cells]] = {
    "heads": _heads,
    "links": _links,
    "attention": _attention,
    "layers": _layers,
    "lens": _lens,
    "patch": _patch,
}
