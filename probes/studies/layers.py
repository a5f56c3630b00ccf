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
    ablations,
    about,
    block_places,
    moved,
    opened,
    reference_of,
    trial_of,
)
from probes.trials import CLEAN


def steps(model: AnswerModel, question: Question, settings: Mapping[str, Any]) -> Steps:
    """Yield the clean run and every block's; layers without heads have no rows."""
    inside = opened(model)
    geometry = inside.geometry()
    places = block_places(geometry)
    inside.refuse([(part, layer, None) for layer, part in places])
    parts = ablations(question, [(part, layer, None) for layer, part in places], settings)
    clean, *outcomes = yield [CLEAN, *(trial_of([part], settings) for part in parts)]
    target = Target.of(settings["target"], question, clean.answers)
    direct, contrast = inside.direct(
        question, clean.answers, target.answer, target.against, parts, reference_of(settings)
    )
    rows = [
        {
            "layer": layer,
            "part": part,
            "mode": settings["ablate_mode"],
            "positions": settings["positions"],
            "direct_effect": own,
            **moved(clean, outcome, target, settings),
        }
        for (layer, part), own, outcome in zip(places, direct, outcomes, strict=True)
    ]
    return {**about(model, question, clean, target, contrast, settings), "rows": rows}


STUDY = Study("layers", (LAYER_MODE, POSITIONS, TARGET, *REFERENCES, POINTS, NATS, SEED), steps)
