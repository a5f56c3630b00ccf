"""What the studies of a model's inside share: options, rows, and what a model must be to run them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from probes.answers import Distribution
from probes.errors import CapabilityError
from probes.interventions import Ablation, How, Reference
from probes.models.base import AnswerModel, Outcome
from probes.question import Question
from probes.studies.base import Option
from probes.studies.effects import Target, answer_fields, ask_fields, effect_of, limits
from probes.trials import Trial

ABLATE_MODE = Option("ablate_mode", "choice", "zero", ("zero", "mean", "resample"))
LAYER_MODE = Option("ablate_mode", "choice", "mean", ("zero", "mean", "resample"))
POSITIONS = Option("positions", "text", "all")
REFERENCE_SIZE = Option("reference_size", "integer", 16, low=1, high=512)
REFERENCE_POSITIONS = Option("reference_positions", "choice", "aligned", ("aligned", "pooled"))
REFERENCES = (REFERENCE_SIZE, REFERENCE_POSITIONS)


def opened(model: AnswerModel) -> Any:
    """The model's inside.

    Raises:
        CapabilityError: it answers from elsewhere and cannot be opened.
    """
    inside = getattr(model, "inside", None)
    if inside is None:
        raise CapabilityError("inside_closed")
    return inside


def head_places(geometry: Mapping[str, Any]) -> list[tuple[int, int]]:
    """(layer, head) of every query head."""
    return [(layer, head) for layer, count in enumerate(geometry["heads"]) for head in range(count or 0)]


def block_places(geometry: Mapping[str, Any]) -> list[tuple[int, Any]]:
    """(layer, "attention" or "mlp") of every layer's parts that are there."""
    there = {"attention": geometry["heads"], "mlp": geometry["mlp"]}
    return [(layer, part) for layer in range(geometry["layers"]) for part in there if there[part][layer]]


def reference_of(settings: Mapping[str, Any]) -> Reference:
    """The reference set that the settings name."""
    return Reference(settings["reference_size"], settings["seed"], settings["reference_positions"])


def reference_fields(model: AnswerModel, question: Question, settings: Mapping[str, Any]) -> Any:
    """What a record says of its reference set; None where zeros are put in.

    `passed_over` counts the passages that were drawn and left out, too long for the model's window.
    """
    if settings["ablate_mode"] == "zero":
        return None
    reference = reference_of(settings)
    prompts, passed_over = opened(model).references.prompts(question, reference)
    return {
        "size": len(prompts),
        "passed_over": passed_over,
        "seed": reference.seed,
        "positions": reference.positions,
        "prompts": prompts,
    }


def trial_of(parts: Sequence[Ablation], settings: Mapping[str, Any]) -> Trial:
    """The clean passage with these parts replaced."""
    return Trial(inside=tuple(parts), reference=reference_of(settings))


def ablations(
    question: Question, places: Sequence[tuple[Any, int, int | None]], settings: Mapping[str, Any]
) -> list[Ablation]:
    """Parts (site, layer, head) replaced as the settings say: at all tokens, at the answer, or at some words.

    Raises:
        InputError: a word that is not in the passage.
    """
    at = settings["positions"]
    where = at if at in ("all", "answer") else question.passage.find(at)
    return [Ablation(site, layer, head, How(settings["ablate_mode"]), where) for site, layer, head in places]


def about(
    model: AnswerModel,
    question: Question,
    clean: Outcome,
    target: Target,
    contrast: Any,
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """What the record of an ablation study says beside its rows."""
    return {
        "clean": ask_fields(question, clean),
        "target": target.as_dict(question),
        "mode": settings["ablate_mode"],
        "positions": settings["positions"],
        "geometry": opened(model).geometry(),
        "reference": reference_fields(model, question, settings),
        "contrast": contrast,
        "thresholds": limits(settings),
    }


def moved(clean: Outcome, now: Outcome, target: Target, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of every row that is one run."""
    return {
        **answer_fields(now.answers),
        **effect_of(clean, now, target, settings),
        "estimate": False,
    }


def odds_of(target: Target, clean: Distribution) -> tuple[dict[int, float], float | None]:
    """Weights of the answers' log-probabilities that make the target's log-odds, to first order, and the
    clean log-odds against all other answers; None where the target is a contrast, log-odds already.

    Log-odds do not saturate as a probability near 1 does, so a gradient still says something about them.
    """
    if target.against is not None:
        return {target.answer: 1.0, target.against: -1.0}, None
    others = {i: p for i, p in enumerate(clean.probability) if i != target.answer and p > 0}
    whole = sum(others.values())
    if not whole:
        return {target.answer: 1.0}, None
    weights = {i: -p / whole for i, p in others.items()}
    return weights | {target.answer: 1.0}, clean.log_prob[target.answer] - math.log(whole)


def shifted(odds: float | None, change: float) -> float:
    """The change of a log-probability when its log-odds `odds` change by `change`."""
    return change if odds is None else _log_share(odds + change) - _log_share(odds)


def _log_share(odds: float) -> float:
    return -math.log1p(math.exp(-odds)) if odds > 0 else odds - math.log1p(math.exp(odds))


def strongest_first(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Places of rows by how far they lower the target's log-probability; what cannot be told comes first."""

    def key(place: int) -> float:
        value = rows[place]["effect_log_prob"]
        return float("-inf") if value is None else float(value)

    return sorted(range(len(rows)), key=key)


def top_label(answers: Distribution) -> str:
    """The label of the likeliest answer."""
    return answers.answers.answers[answers.top].label
