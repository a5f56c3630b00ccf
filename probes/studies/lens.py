"""Where along the layers does the answer appear, and who puts it there?

Logit lens (nostalgebraist 2020): the states after each block read off as if they were the last. Beside it the
direct contribution to the logit difference of the target against its strongest rival: of the embedding (what
enters the first layer), of each layer's attention and of its feed-forward. Under an RMS norm they add up to
that difference; a layer norm's and an output embedding's bias come on top.
"""

from __future__ import annotations

from typing import Any

from probes.interventions import REFERENCE, Ablation
from probes.studies.base import NATS, POINTS, TARGET, Asking, Steps, Study
from probes.studies.effects import answer_fields
from probes.studies.inside import block_places, opened, top_label


def steps(asking: Asking) -> Steps:
    """Nothing but the clean run: all is read off it."""
    question, clean, target = asking.question, asking.clean, asking.target
    inside = opened(asking.model)
    yield []
    geometry = inside.geometry()
    rows = [
        {"layer": layer, "after_layer": _behind(layer), **answer_fields(answers), "top": top_label(answers)}
        for layer, answers in enumerate(inside.lens(question))
    ]
    places = block_places(geometry)
    parts = [None, *(Ablation(part, layer) for layer, part in places)]
    direct, contrast = inside.direct(question, clean.answers, target.answer, target.against, parts, REFERENCE)
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


STUDY = Study("lens", (TARGET, POINTS, NATS), steps, needs=("inside",))
