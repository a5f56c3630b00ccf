"""What does each head look at, and is that what the answer hangs on?

Attention from the answer position, or from any word, told by words; beside it the rank correlation of that
attention with how far deleting the same words moves the answer: the number behind "attention finds the key
words".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from probes.characters import whole_number
from probes.errors import InputError
from probes.models.base import AnswerModel
from probes.passage import Unit
from probes.question import Question
from probes.ranks import spearman, with_interval
from probes.studies.base import FILLER, MODE, NATS, POINTS, SEED, TARGET, Option, Steps, Study
from probes.studies.effects import Target, ask_fields, effect_of, limits
from probes.studies.inside import opened
from probes.trials import CLEAN, Mode, Trial

READER = Option("reader", "text", "answer")
FEWEST = 4
"""Words under which a rank correlation says nothing."""


def steps(model: AnswerModel, question: Question, settings: Mapping[str, Any]) -> Steps:
    """Yield the clean run and every word's; attention itself is one more forward."""
    inside = opened(model)
    words = question.passage.words
    if not words:
        raise InputError("no_units", unit="word")
    reader = reader_of(question, words, settings["reader"])
    found = inside.word_attention(question, words)
    clean, *outcomes = yield [
        CLEAN,
        *(Trial((word.span,), Mode(settings["mode"]), settings["filler"]) for word in words),
    ]
    target = Target.of(settings["target"], question, clean.answers)
    effects = [effect_of(clean, o, target, settings)["effect_log_prob"] for o in outcomes]
    at = len(words) if reader == "answer" else reader
    carried = [tokens > 0 for tokens in model.lengths(question, words)]

    if at < len(words) and not carried[at]:
        carried = [False] * len(words)

    def told(values: Sequence[float | None]) -> list[float | None]:
        """By words; None for one that no token carries: it is not read, nor does it read."""
        return [value if there else None for value, there in zip(values, carried, strict=True)]

    rows = []
    for layer, weights in enumerate(found.weights):
        for head in range(0 if weights is None else len(weights)):
            share = weights[head, at]
            sink = float(found.sink[layer][head, at])
            rows.append(
                {
                    "layer": layer,
                    "head": head,
                    "reader": reader,
                    "weights": told(share.tolist()),
                    "sink": sink,
                    "rest": max(0.0, 1 - float(share.sum()) - sink),
                    "entropy": float(found.entropy[layer][head, at]),
                    "distance": float(found.distance[layer][head, at]),
                }
            )
    return {
        "clean": ask_fields(question, clean),
        "target": target.as_dict(question),
        "mode": settings["mode"],
        "reader": reader,
        "units": units_of(words),
        "effects": effects,
        "geometry": inside.geometry(),
        "rows": rows,
        "mean": told(found.mean[at].tolist()),
        "rollout": told(found.rollout.tolist()),
        "agreement": _agreement(rows, found, at, told(effects), settings),
        "thresholds": limits(settings),
    }


def reader_of(question: Question, words: Sequence[Unit], name: str) -> Any:
    """ "answer", or the index of the word that reads."""
    if name == "answer":
        return "answer"
    number = whole_number(name)
    if number is not None and number < len(words):
        return number
    spans = question.passage.find(name)
    for word in words:
        if word.start < spans[0][1] and spans[0][0] < word.end:
            return word.index
    raise InputError("word_not_found", text=name, nearest="")


def units_of(words: Sequence[Unit]) -> list[dict[str, Any]]:
    """Words as a record names them."""
    names = ("index", "text", "occurrence", "occurrences", "start", "end")
    return [{name: getattr(word, name) for name in names} for word in words]


def _agreement(
    rows: Sequence[Mapping[str, Any]],
    found: Any,
    at: int,
    effects: Sequence[float | None],
    settings: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Spearman's rho of attention with the size of the same words' effects; None for too few words."""
    known = [i for i, value in enumerate(effects) if value is not None]
    if len(known) < FEWEST:
        return None
    size = [abs(effects[i] or 0.0) for i in known]
    heads = [
        {
            "layer": row["layer"],
            "head": row["head"],
            "rho": spearman([row["weights"][i] for i in known], size),
        }
        for row in rows
    ]
    mean, rollout = np.asarray(found.mean[at])[known], found.rollout[known]
    return {
        "words": len(known),
        "rows": heads,
        "mean": with_interval(mean.tolist(), size, seed=settings["seed"]),
        "rollout": with_interval(rollout.tolist(), size, seed=settings["seed"]),
    }


STUDY = Study("attention", (READER, MODE, FILLER, TARGET, POINTS, NATS, SEED), steps)
