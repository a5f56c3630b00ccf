"""Which kind of block puts the answer there? Each layer's attention and feed-forward taken away apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.models.base import AnswerModel
from probes.question import Question
from probes.studies.base import NATS, POINTS, SEED, TARGET, Steps, Study
from probes.studies.effects import Target
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
from probes.trials import CLEAN


def steps(model: AnswerModel, question: Question, settings: Mapping[str, Any]) -> Steps:
    """Yield the clean run and every block's; layers without heads have no rows."""
    inside = opened(model)
    geometry = inside.geometry()
    places = block_places(geometry)
    inside.refuse([(part, layer, None) for layer, part in places])
    parts = ablations(question, [(part, layer, None) for layer, part in places], settings)
    (clean,) = yield [CLEAN]
    target = Target.of(settings["target"], question, clean.answers)
    direct, contrast = inside.direct(
        question, clean.answers, target.answer, target.against, parts, reference_of(settings)
    )
    body = yield from about(model, question, clean, target, contrast, settings)
    found = yield from Ablated(model, question, clean, target, settings).rows([[part] for part in parts])
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


STUDY = Study("layers", (LAYER_MODE, POSITIONS, TARGET, *REFERENCES, POINTS, NATS, SEED), steps)
