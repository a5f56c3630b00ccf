"""Where along the layers does the answer appear, and who puts it there?

Logit lens (nostalgebraist 2020): the states after each block read off as if they were the last. Beside it the
direct contribution to the logit difference of the target against its strongest rival: of the embedding (what
enters the first layer), of each layer's attention and of its feed-forward. Under an RMS norm they add up to
that difference; a layer norm's and an output embedding's bias come on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.asking.interventions import Ablation
from probes.asking.readings import Direct, Lens
from probes.locale import say
from probes.numbers import read_after, signed
from probes.studies.base import NATS, POINTS, TARGET, Asking, Extent, Record, Steps, Study
from probes.studies.columns import Side, Table, columns
from probes.studies.effects import answer_fields
from probes.studies.over_telling import Over
from probes.studies.parts import block_places, top_label
from probes.studies.telling import joined, opening, part_name

if TYPE_CHECKING:
    import altair as alt

    from probes.record.results import ProbeResult


def steps(asking: Asking) -> Steps:
    """Nothing but the clean run: all is read off it."""
    geometry = asking.geometry
    (read,) = yield [Lens()]
    rows = [
        {"layer": layer, "after_layer": _behind(layer), **answer_fields(answers), "top": top_label(answers)}
        for layer, answers in enumerate(read)
    ]
    places = block_places(geometry)
    parts = [None, *(Ablation(part, layer) for layer, part in places)]
    target = asking.target
    ((direct, contrast),) = yield [Direct(target.answer, target.against, tuple(parts))]
    return {
        "geometry": geometry,
        "rows": rows,
        "contrast": contrast,
        "contributions": [
            {"layer": layer, "part": part, "contribution": None if value is None else -value}
            for (layer, part), value in zip([(None, "embedding"), *places], direct, strict=True)
        ],
        "settled_at": _settled(rows),
        "settled_after": _behind(_settled(rows)),
    }


def _behind(blocks: int | None) -> int | None:
    """The number, as everywhere from 0, of the last of so many layers; None for the input of the first.

    A row's `layer` counts the layers it is read behind, so row 1 is read after layer 0.
    """
    return blocks - 1 if blocks else None


def _settled(rows: list[dict[str, Any]]) -> int | None:
    """The first row from which on the lens says what the model says."""
    at = None
    for row in reversed(rows):
        if row["top"] != rows[-1]["top"]:
            break
        at = row["layer"]
    return at


# ---- what is said of a record


def sentence(data: Record, lang: str) -> str:
    """From which layer on the answer leads, and which part writes most of its lead."""
    at, last = data["settled_at"], data["geometry"]["layers"]
    key = "lens.lens_settled" if at else "lens.lens_from_start"
    parts = [*opening(data, lang), say(key, lang, after=at - 1, last=last - 1)]
    known = [c for c in data["contributions"] if c["contribution"] is not None]
    if known:
        most = max(known, key=lambda c: c["contribution"])
        pair = {"one": data["contrast"]["string"].strip(), "other": data["contrast"]["against"].strip()}
        written = {"what": part_name(most, lang), "nats": signed(most["contribution"])}
        parts.append(say("lens.lens_most", lang, **written, **pair))
    return joined(parts, lang)


def table(data: Record, lang: str) -> Table:
    """The answers after each layer, and what its parts write."""
    names = [(a["answer"], a["name"]) for a in data["clean"]["answers"]]
    written = {(c["layer"], c["part"]): c["contribution"] for c in data["contributions"]}
    parts = ("embedding", "attention", "mlp")
    cells = []
    for row in data["rows"]:
        each = {a["answer"]: a["probability"] for a in row["answers"]}
        values = [written.get((_behind(row["layer"]), part)) for part in parts]
        cells.append(
            [
                _after(row),
                dict(names)[row["top"]],
                *(f"{each[label] * 100:.1f} %" for label, _ in names),
                *("" if value is None else signed(value) for value in values),
            ]
        )
    numbers: list[tuple[str, Side]] = [(name, "right") for _, name in names]
    numbers += [(say(f"cli.part_{part}", lang), "right") for part in parts]
    return Table([*columns("lens", lang, "layer", "leads"), *numbers], cells, [say("lens.lens_note", lang)])


def _after(row: Record) -> str:
    """The layer behind which a row reads, by its number; `in` is the input of the first."""
    return str(row["layer"] - 1) if row["layer"] else "in"


def picture(result: ProbeResult, lang: str) -> alt.LayerChart:
    """The answers' probabilities along the layers."""
    from probes import charts

    return charts.lens(result, lang)


def runs(extent: Extent, settings: Mapping[str, Any]) -> int:
    """The clean run is all."""
    return 1


OVER = Over(
    keys=("layer",),
    name=lambda row, lang: read_after(row["layer"], lang),
    short=lambda row, lang: read_after(row["layer"], lang),
    cell=lambda row, _lang: _after(row),
    column="layer",
    measure="agrees",
    note=None,
    first="leads",
    share=True,
    strongest=None,
)
STUDY = Study(
    "lens",
    (TARGET, POINTS, NATS),
    steps,
    needs=("inside",),
    sentence=sentence,
    table=table,
    picture=picture,
    over=OVER,
    runs=runs,
)
