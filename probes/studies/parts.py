"""What the studies of a model's inside share: options, rows, and what a model must be to run them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from probes.asking.distribution import RESOLUTION, Distribution
from probes.asking.interventions import REFERENCE, Ablation, How, Reference
from probes.asking.question import Question
from probes.asking.readings import Passages
from probes.asking.trials import Mode, Trial
from probes.models.base import Outcome
from probes.studies.base import Asking, Option
from probes.studies.effects import Target, answer_fields, mixed, on_average

ABLATE_MODE = Option("ablate_mode", "choice", "zero", ("zero", "mean", "resample"))
LAYER_MODE = Option("ablate_mode", "choice", "mean", ("zero", "mean", "resample"))
POSITIONS = Option("positions", "text", "all")
REFERENCE_SIZE = Option("reference_size", "integer", None, low=1, high=512)
REFERENCE_POSITIONS = Option("reference_positions", "choice", "aligned", ("aligned", "pooled"))
REFERENCES = (REFERENCE_SIZE, REFERENCE_POSITIONS)
SIZES = {"zero": 0, "mean": 18, "resample": 6}
"""Reference passages where nobody says how many: of each count from 0 to 5 three, or one."""


def head_places(geometry: Mapping[str, Any]) -> list[tuple[int, int]]:
    """(layer, head) of every query head."""
    return [(layer, head) for layer, count in enumerate(geometry["heads"]) for head in range(count or 0)]


def block_places(geometry: Mapping[str, Any]) -> list[tuple[int, Any]]:
    """(layer, "attention" or "mlp") of every layer's parts that are there."""
    there = {"attention": geometry["heads"], "mlp": geometry["mlp"]}
    return [(layer, part) for layer in range(geometry["layers"]) for part in there if there[part][layer]]


def size_of(settings: Mapping[str, Any]) -> int:
    """How many reference passages the settings ask for; none where zeros are put in."""
    usual = SIZES[settings["ablate_mode"]]
    return (settings["reference_size"] or usual) if usual else 0


def repeats(settings: Mapping[str, Any]) -> int:
    """Runs that each ablation takes: one a passage where values are resampled."""
    return size_of(settings) if settings["ablate_mode"] == "resample" else 1


def reference_of(settings: Mapping[str, Any]) -> Reference:
    """The reference set that the settings name; REFERENCE where zeros are put in, which takes none."""
    size = size_of(settings)
    return Reference(size, settings["seed"], settings["reference_positions"]) if size else REFERENCE


def reference_fields(asking: Asking) -> Any:
    """Yield every reference passage in the place of the question's own; what a record says of them. None
    where zeros are put in.

    `place`: which they tell of, None where the question is of no kind that passages can be written for.
    `right`: how many have which right answer, by label. `answers`: how many the model gives which answer,
    and `tops` its answer to each. `passed_over` counts the passages that were drawn and left out, too long
    for the model's window.
    """
    question, settings = asking.question, asking.settings
    if settings["ablate_mode"] == "zero":
        return None
    reference, text = reference_of(settings), question.passage.text
    (found,) = yield [Passages(reference)]
    others = [Trial(((0, len(text)),), Mode.REPLACE, one.text) for one in found.told]
    outcomes = yield others
    tops = [top_label(outcome.answers) for outcome in outcomes]
    labels = [answer.label for answer in question.answers.answers]
    right = [one.right for one in found.told]
    return {
        "size": len(found.prompts),
        "passed_over": found.passed_over,
        "seed": reference.seed,
        "positions": reference.positions,
        "place": found.plan.place,
        "right": {label: right.count(label) for label in labels} if any(right) else None,
        "answers": {label: tops.count(label) for label in labels},
        "tops": tops,
        "prompts": list(found.prompts),
    }


class Ablated:
    """Runs of one question with parts replaced, each against the clean one."""

    def __init__(self, asking: Asking) -> None:
        self.asking, self.settings = asking, asking.settings
        self.references: list[Reference] = []

    def _drawn(self) -> Any:
        """Each reference that a trial is run with: the mean of all, or each of them alone."""
        reference = reference_of(self.settings)
        if self.settings["ablate_mode"] != "resample":
            return [reference]
        (passages,) = yield [Passages(reference)]
        return [replace(reference, draw=draw) for draw in range(len(passages.told))]

    def rows(self, sets: Sequence[Sequence[Ablation]]) -> Any:
        """Yield each set of parts replaced together; the row of each."""
        found = yield from self.outcomes([Trial(inside=tuple(parts)) for parts in sets])
        return [self.row(outcomes) for outcomes in found]

    def outcomes(self, trials: Sequence[Trial]) -> Any:
        """Yield every trial with each reference; the outcomes of each trial."""
        self.references = self.references or (yield from self._drawn())
        found = yield [
            replace(trial, reference=reference) for reference in self.references for trial in trials
        ]
        return [found[number :: len(trials)] for number in range(len(trials))]

    def row(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """One run's fields; of several, their means, and each one's effect and answer in the order of the
        reference's prompts.
        """
        return {**answer_fields(mixed(outcomes).answers), **self.effect(outcomes), "estimate": False}

    def effect(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Of one run or, on average, of several: the answer is that of their mean probabilities."""
        if len(self.references) == 1:
            return self.asking.effect(outcomes[0])
        each = [self.asking.effect(outcome) for outcome in outcomes]
        whole = self.asking.effect(mixed(outcomes))
        return {
            **on_average(whole, each, self.settings),
            "resampled": [{name: one[name] for name in ("effect_log_prob", "top")} for one in each],
        }


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


def about(asking: Asking, contrast: Any) -> Any:
    """What the record of an ablation study says beside its rows; yields the reference passages."""
    reference = yield from reference_fields(asking)
    return {
        "mode": asking.settings["ablate_mode"],
        "positions": asking.settings["positions"],
        "geometry": asking.geometry,
        "reference": reference,
        "contrast": contrast,
    }


def moved(asking: Asking, now: Outcome, before: Outcome | None = None) -> dict[str, Any]:
    """The fields of every row that is one run; its effect is against the clean run, or another."""
    return {**answer_fields(now.answers), **asking.effect(now, before), "estimate": False}


def odds_of(target: Target, clean: Distribution) -> tuple[dict[int, float], float | None]:
    """Weights of the answers' log-probabilities that make the target's log-odds, to first order, and the
    clean log-odds against everything else, listed or not; None where the target is a contrast, log-odds
    already.

    Log-odds do not saturate as a probability near 1 does, so a gradient still says something about them:
    their change is that of the log-probability divided by 1 - P. `shifted` takes them back to the
    log-probability, which is what an exact row tells.
    """
    if target.against is not None:
        return {target.answer: 1.0, target.against: -1.0}, None
    log = clean.log_prob[target.answer]
    if log == -math.inf:
        return {target.answer: 1.0}, None
    rest = max(-math.expm1(log), RESOLUTION)
    return {target.answer: 1.0 / rest}, log - math.log(rest)


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
