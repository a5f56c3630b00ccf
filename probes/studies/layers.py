"""Which kind of block puts the answer there? Each layer's attention and feed-forward taken away apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.asking.readings import Direct
from probes.locale import say
from probes.numbers import nats
from probes.record.leads import faint, flips_clearly, margin_of
from probes.studies.base import NATS, POINTS, SEED, TARGET, Asking, Extent, Record, Steps, Study
from probes.studies.columns import Table, columns, direct_cell, effect_cells, flip_cell, note
from probes.studies.over_telling import Over
from probes.studies.parts import (
    LAYER_MODE,
    POSITIONS,
    REFERENCES,
    Ablated,
    ablations,
    about,
    block_places,
    reference_of,
    repeats,
    size_of,
)
from probes.studies.telling import (
    aimed,
    joined,
    lead_moved,
    lowest_of,
    margin_text,
    opening,
    part_name,
    says,
    swaps,
)

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult


def steps(asking: Asking) -> Steps:
    """Yield every block's run; layers without heads have no rows."""
    question, settings = asking.question, asking.settings
    geometry = asking.geometry
    places = block_places(geometry)
    asking.refuse([(part, layer, None) for layer, part in places])
    parts = ablations(question, [(part, layer, None) for layer, part in places], settings)
    target = asking.target
    ((direct, contrast),) = yield [
        Direct(target.answer, target.against, tuple(parts), reference_of(settings))
    ]
    body = yield from about(asking, contrast)
    found = yield from Ablated(asking).rows([[part] for part in parts])
    rows = [
        {
            "layer": layer,
            "part": part,
            "mode": settings["ablate_mode"],
            "positions": settings["positions"],
            "direct_effect": own,
            **more,
        }
        for (layer, part), own, more in zip(places, direct, found, strict=True)
    ]
    return {**body, "rows": rows}


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """The part without which the answer falls most, and how many parts flip it."""
    rows, of, parts = data["rows"], aimed(data, lang), opening(data, lang)
    lowest = lowest_of(rows)
    what = part_name(lowest, lang)
    if flips_clearly(lowest, data):
        parts.append(says(data, lowest, lang, "headline.then_head", what=what))
    elif faint(lowest, *margin_of(data)):
        parts.append(say("layers.no_part_lowers", lang, of=of, margin=margin_text(data, lang)))
        parts += lead_moved(rows, data, lang, lambda row: part_name(row, lang))
    else:
        parts.append(say("layers.part_lowers", lang, what=what, of=of, nats=nats(lowest)))
    flips = sum(flips_clearly(row, data) for row in rows)
    parts.append(say("layers.parts_flip", lang, flips=flips, all=len(rows)))
    return joined([*parts, *swaps(rows, data, lang)], lang)


def table(data: Record, lang: str) -> Table:
    """Every part in the order of the layers."""
    cells = [
        [
            str(row["layer"]),
            say(f"cli.part_{row['part']}", lang),
            *effect_cells(row),
            direct_cell(row),
            flip_cell(row, data),
        ]
        for row in data["rows"]
    ]
    names = ("layer", "part", "nats", "points", "kl", "direct", "flips")
    return Table(columns("layers", lang, *names), cells, [note("cli.heads_note", data, lang)])


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """Two bars a layer."""
    from probes import charts

    return charts.layer_parts(result, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """Every part, and the reference passages."""
    return size_of(settings) + len(block_places(extent.geometry)) * repeats(settings)


OVER = Over(
    keys=("layer", "part"),
    name=part_name,
    short=part_name,
    cell=lambda row, lang: f"{row['layer']} {say('cli.part_' + row['part'], lang)}",
    column="layer",
)
STUDY = Study(
    "layers",
    (LAYER_MODE, POSITIONS, TARGET, *REFERENCES, POINTS, NATS, SEED),
    steps,
    needs=("inside",),
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    runs=runs,
    part=0.5,
)
