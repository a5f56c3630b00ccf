"""Which attention heads does the answer hang on? Each is taken away alone, then the strongest together.

Per head: its total effect (everything behind it reacts), its direct effect (only its own write reaches the
answer), and first, at once, an estimate. A head is a query head; those of a group share keys and values.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from probes.asking.interventions import Ablation
from probes.asking.readings import Direct, Estimates
from probes.locale import say
from probes.numbers import head_label, nats, signed
from probes.record.leads import faint, flips_clearly, margin_of, turns
from probes.studies import columns as telling
from probes.studies.base import NATS, POINTS, SEED, TARGET, Asking, Extent, Option, Record, Steps, Study
from probes.studies.columns import Table, columns, direct_cell, effect_cells, flip_cell, note
from probes.studies.control import band
from probes.studies.over_telling import Over
from probes.studies.parts import (
    ABLATE_MODE,
    POSITIONS,
    REFERENCES,
    Ablated,
    ablations,
    about,
    head_places,
    odds_of,
    reference_of,
    repeats,
    shifted,
    size_of,
    strongest_first,
)
from probes.studies.telling import (
    aimed,
    head_name,
    joined,
    lead_moved,
    lowest_of,
    margin_text,
    opening,
    says,
    strongest_of,
    swaps,
)

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult

ESTIMATE = Option("estimate", "flag", False)
CUMULATIVE = Option("cumulative", "flag", True)
CONTROL = Option("control", "integer", 20, low=0, high=1000)
_EVERY = 8
"""Sizes tried one by one; larger ones grow by a quarter."""


def steps(asking: Asking) -> Steps:
    """Yield every head's run, then growing sets of them."""
    question, settings = asking.question, asking.settings
    geometry = asking.geometry
    heads = head_places(geometry)
    places: list[tuple[Any, int, int | None]] = [("head", layer, head) for layer, head in heads]
    asking.refuse(places)
    parts = ablations(question, places, settings)
    clean, target = asking.clean, asking.target
    ((direct, contrast),) = yield [
        Direct(target.answer, target.against, tuple(parts), reference_of(settings))
    ]
    body = yield from about(asking, contrast)
    base = [
        {**_place(layer, head, geometry, settings), "direct_effect": value}
        for (layer, head), value in zip(heads, direct, strict=True)
    ]
    if settings["estimate"]:
        weights, odds = odds_of(target, clean.answers)
        answers = tuple(weights.items())
        (found,) = yield [Estimates(answers, tuple(parts), reference_of(settings))]
        rows = [row | _estimated(shifted(odds, value)) for row, value in zip(base, found, strict=True)]
        return {**body, "rows": rows, "cumulative": None, "control": None}
    runs = Ablated(asking)
    found = yield from runs.rows([[part] for part in parts])
    rows = [row | more for row, more in zip(base, found, strict=True)]
    cumulative = None
    if settings["cumulative"]:
        cumulative = yield from _cumulative(parts, rows, runs)
    control = None
    size = (cumulative or {}).get("flips_at")
    if settings["control"] and size and size > 1:  # of single heads the strongest is first by construction
        control = yield from _control(parts, rows, size, runs)
    return {**body, "rows": rows, "cumulative": cumulative, "control": control}


def _place(layer: int, head: int, geometry: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    shared = geometry["kv_heads"][layer]
    return {
        "layer": layer,
        "head": head,
        "kv_head": head * shared // geometry["heads"][layer] if shared else None,
        "mode": settings["ablate_mode"],
        "positions": settings["positions"],
    }


def _estimated(value: float) -> dict[str, Any]:
    unknown = ("effect_probability", "effect_lead", "kl", "top", "flips", "no_change", "coverage", "other")
    return {"answers": [], "effect_log_prob": value, **dict.fromkeys(unknown), "estimate": True}


# ---- several at once


def _cumulative(parts: Sequence[Ablation], rows: Sequence[Mapping[str, Any]], runs: Ablated) -> Any:
    """Strongest first: how many until the answer flips; and how few, kept alone, hold it."""
    order = strongest_first(rows)
    sizes = sizes_tried(len(parts))
    removed = yield from _run(parts, [order[:k] for k in sizes], runs)
    kept = yield from _run(parts, [order[k:] for k in sizes], runs)
    flips = [k for k, row in zip(sizes, removed, strict=True) if row["flips"]]
    holds_from = _last_change(sizes, kept)
    first = flips[0] if flips else None
    if first is not None:
        before = max((k for k in sizes if k < first), default=0)
        between = list(range(before + 1, first))
        more = yield from _run(parts, [order[:k] for k in between], runs)
        removed, sizes_removed = _merged(removed, sizes, more, between)
        first = next(k for k, row in zip(sizes_removed, removed, strict=True) if row["flips"])
    else:
        sizes_removed = sizes
    places = [[parts[i].layer, parts[i].head] for i in order]
    return {
        "order": places,
        "remove": [
            {"k": k, "layer": places[k - 1][0], "head": places[k - 1][1], **row}
            for k, row in zip(sizes_removed, removed, strict=True)
        ],
        "keep": [{"k": k, **row} for k, row in zip(sizes, kept, strict=True)],
        "flips_at": first,
        "holds_from": holds_from,
    }


def sizes_tried(count: int) -> list[int]:
    """Of the growing sets of `count` heads, the sizes that are run."""
    sizes = list(range(1, min(_EVERY, count) + 1))
    while sizes[-1] < count:
        sizes.append(min(count, max(sizes[-1] + 1, sizes[-1] * 5 // 4)))
    return sizes


def _last_change(sizes: Sequence[int], kept: Sequence[Mapping[str, Any]]) -> int | None:
    """The fewest heads kept from which on the answer stays the clean one."""
    holds = None
    for size, row in reversed(list(zip(sizes, kept, strict=True))):
        if row["flips"]:
            break
        holds = size
    return holds


def _merged(
    rows: Sequence[Any], sizes: Sequence[int], more: Sequence[Any], between: Sequence[int]
) -> tuple[list[Any], list[int]]:
    both = sorted(zip([*sizes, *between], [*rows, *more], strict=True), key=lambda pair: pair[0])
    return [row for _, row in both], [size for size, _ in both]


def _run(parts: Sequence[Ablation], sets: Sequence[Sequence[int]], runs: Ablated) -> Any:
    return runs.rows([[parts[i] for i in chosen] for chosen in sets])


def _control(parts: Sequence[Ablation], rows: Sequence[Mapping[str, Any]], size: int, runs: Ablated) -> Any:
    """Random heads, as many as it took to flip the answer, each drawn without the strongest."""
    order = strongest_first(rows)
    others = order[size:]
    if len(others) < size:
        return None
    rng, times = random.Random(runs.settings["seed"]), runs.settings["control"]
    drawn = list(dict.fromkeys(tuple(sorted(rng.sample(others, size))) for _ in range(times)))
    strongest, *found = yield from _run(parts, [order[:size], *drawn], runs)
    return {**(band(strongest, found, size) or {}), "kind": "random_heads", "size": size}


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """The head the answer hangs on most, how many flip it, and how many it takes together."""
    rows, margin, of = data["rows"], margin_of(data), aimed(data, lang)
    parts, lowest = opening(data, lang), lowest_of(rows)
    name = head_label(lowest["layer"], lowest["head"])
    if lowest["estimate"]:
        if all(faint(row, *margin) for row in rows):
            said = say("heads.heads_faint_estimate", lang, of=of, margin=margin_text(data, lang))
        else:
            moved = signed(lowest["effect_log_prob"])
            said = say("heads.head_estimate", lang, head=name, of=of, nats=moved)
        return joined([*parts, said], lang)
    flipping = [row for row in rows if flips_clearly(row, data)]
    if flipping:
        first = strongest_of(flipping)
        parts.append(says(data, first, lang, "headline.then_head", what=head_name(first, lang)))
        parts.append(say("heads.heads_flip", lang, flips=len(flipping), all=len(rows)))
    elif faint(lowest, *margin):
        parts.append(say("heads.no_head_moves", lang, all=len(rows), of=of, margin=margin_text(data, lang)))
        parts += lead_moved(rows, data, lang, lambda row: head_name(row, lang))
    else:
        numbers = {"all": len(rows), "nats": nats(lowest)}
        parts.append(say("heads.no_head_flips", lang, head=name, of=of, **numbers))
    return joined([*parts, *swaps(rows, data, lang), *_together(data, lang)], lang)


def _together(data: Record, lang: str) -> list[str]:
    """How many heads taken away flip the answer, and how few kept hold it."""
    if not data["cumulative"]:
        return []
    flips, holds = turns(data["cumulative"], data)
    key = "heads.heads_needed" if flips else "heads.heads_never"
    parts = [say(key, lang, k=flips, all=len(data["rows"]))]
    return [*parts, *([say("heads.heads_suffice", lang, k=holds)] if holds else [])]


def table(data: Record, lang: str) -> Table:
    """Every head, strongest first."""
    cells = [
        [head_label(row["layer"], row["head"]), *effect_cells(row), direct_cell(row), flip_cell(row, data)]
        for row in telling.strongest_first(data["rows"])
    ]
    notes = [note("cli.heads_note", data, lang)]
    if data["rows"] and data["rows"][0]["estimate"]:
        notes.append(say("heads.estimate_note", lang))
    return Table(columns("heads", lang, "head", "nats", "points", "kl", "direct", "flips"), cells, notes)


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Heads taken away together where that was tried, else each as a cell."""
    from probes import charts

    return (charts.cumulative if result.data["cumulative"] else charts.heads_map)(result, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """Every head, the growing sets, the random ones, and the reference passages."""
    heads = len(head_places(extent.geometry))
    if settings["estimate"]:
        return size_of(settings) + 1
    each = heads
    if settings["cumulative"] and heads:
        sizes = sizes_tried(heads)
        between = max((b - a for a, b in pairwise(sizes)), default=1) - 1
        each += 2 * len(sizes) + between
    each += int(settings["control"]) + 1 if settings["control"] and heads > 1 else 0
    return size_of(settings) + each * repeats(settings)


OVER = Over(
    keys=("layer", "head"),
    name=head_name,
    short=head_name,
    cell=lambda row, _lang: head_label(row["layer"], row["head"]),
    column="head",
)
OPTIONS = (ABLATE_MODE, POSITIONS, TARGET, *REFERENCES, ESTIMATE, CUMULATIVE, CONTROL, POINTS, NATS, SEED)
STUDY = Study(
    "heads",
    OPTIONS,
    steps,
    needs=("inside",),
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    runs=runs,
    part=0.5,
)
