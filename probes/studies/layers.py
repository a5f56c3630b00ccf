"""Which kind of block puts the answer there? Each layer's attention and feed-forward taken away apart."""

from __future__ import annotations

from probes.studies.base import NATS, POINTS, SEED, TARGET, Asking, Steps, Study
from probes.studies.inside import (
    LAYER_MODE,
    POSITIONS,
    REFERENCES,
    Ablated,
    ablations,
    about,
    block_places,
    opened,
    reference_of,
)


def steps(asking: Asking) -> Steps:
    """Yield every block's run; layers without heads have no rows."""
    question, settings = asking.question, asking.settings
    clean, target = asking.clean, asking.target
    inside = opened(asking.model)
    geometry = inside.geometry()
    places = block_places(geometry)
    inside.refuse([(part, layer, None) for layer, part in places])
    parts = ablations(question, [(part, layer, None) for layer, part in places], settings)
    direct, contrast = inside.direct(
        question, clean.answers, target.answer, target.against, parts, reference_of(settings)
    )
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


STUDY = Study(
    "layers", (LAYER_MODE, POSITIONS, TARGET, *REFERENCES, POINTS, NATS, SEED), steps, needs=("inside",)
)
