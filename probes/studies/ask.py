"""What does the model answer, as the passage stands and with some of its words taken away together?"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from probes.characters import whole_number
from probes.errors import InputError
from probes.models.base import AnswerModel, Outcome, lengths
from probes.numbers import shortened
from probes.passage import Span
from probes.question import Question
from probes.studies.base import FILLER, MODE, NATS, POINTS, SEED, TARGET, Option, Steps, Study
from probes.studies.control import band, random_sets
from probes.studies.effects import Target, ask_fields, effect_of, limits, mixed, run_fields
from probes.studies.inside import (
    ABLATE_MODE,
    POSITIONS,
    REFERENCES,
    Ablated,
    ablations,
    head_places,
    opened,
    reference_fields,
)
from probes.studies.shared_tokens import hidden_with
from probes.trials import CLEAN, Mode, Trial

DROP = Option("drop", "text", None)
AT = Option("at", "text", None)
CONTROL = Option("control", "integer", 20, low=0, high=1000)
ABLATE_HEADS = Option("ablate_heads", "text", None)


def steps(model: AnswerModel, question: Question, settings: Mapping[str, Any]) -> Steps:
    """Yield the clean run and, where words are dropped, theirs; then random sets of equal length."""
    spans = taken(question, settings)
    if settings["ablate_heads"]:
        return (yield from _without_heads(model, question, settings, spans))
    if not spans:
        (clean,) = yield [CLEAN]
        Target.of(settings["target"], question, clean.answers)  # a wrong one is said, used or not
        return ask_fields(question, clean)
    mode, filler = Mode(settings["mode"]), settings["filler"]
    clean, now = yield [CLEAN, Trial(spans, mode, filler)]
    target = Target.of(settings["target"], question, clean.answers)
    moved = effect_of(clean, now, target, settings)
    control = yield from _control(model, question, settings, spans, now, clean, target, moved)
    return {
        **ask_fields(question, clean),
        **ask_fields(question, now),
        "clean": ask_fields(question, clean),
        "target": target.as_dict(question),
        "taken": {**run_fields(now), **_named(question, spans)},
        "notes": hidden_with(model, question, spans) if settings["mode"] == Mode.HIDE else [],
        **moved,
        "control": control.get("control"),
        "thresholds": limits(settings),
    }


def _without_heads(
    model: AnswerModel, question: Question, settings: Mapping[str, Any], spans: tuple[Span, ...]
) -> Steps:
    """The clean run, and the one with heads (and words) taken away together."""
    geometry = opened(model).geometry()
    heads = heads_of(settings["ablate_heads"], geometry)
    parts = ablations(question, [("head", layer, head) for layer, head in heads], settings)
    (clean,) = yield [CLEAN]
    target = Target.of(settings["target"], question, clean.answers)
    reference = yield from reference_fields(model, question, settings)
    runs = Ablated(model, question, clean, target, settings)
    trial = Trial(spans, Mode(settings["mode"]), settings["filler"], tuple(parts))
    (outcomes,) = yield from runs.outcomes([trial])
    now = mixed(outcomes)
    return {
        **ask_fields(question, clean),
        **ask_fields(question, now),
        "greedy": None,
        "clean": ask_fields(question, clean),
        "target": target.as_dict(question),
        "taken": {**run_fields(now), **_named(question, spans)},
        "notes": hidden_with(model, question, spans) if settings["mode"] == Mode.HIDE else [],
        "ablated": {
            "heads": [list(place) for place in heads],
            "mode": settings["ablate_mode"],
            "positions": settings["positions"],
            "reference": reference,
        },
        **runs.effect(outcomes),
        "control": None,
        "thresholds": limits(settings),
    }


def _named(question: Question, spans: tuple[Span, ...]) -> dict[str, Any]:
    """What was taken away, and of each part which of how many equal ones it is."""
    passage = question.passage
    return {
        "texts": [passage.text[slice(*span)] for span in spans],
        "occurrences": [list(passage.occurrence(span)) for span in spans],
    }


def heads_of(text: str, geometry: Mapping[str, Any]) -> list[tuple[int, int]]:
    """`5.3,7.1` as (layer, head) pairs, each once.

    Raises:
        InputError: not of that form, or no such head.
    """
    there = set(head_places(geometry))
    found: dict[tuple[int, int], None] = {}
    for part in text.replace("，", ",").split(","):
        layer, dot, head = part.strip().partition(".")
        place = (whole_number(layer), whole_number(head)) if dot else None
        if place not in there:
            expected = f"0.0 … {geometry['layers'] - 1}.x"
            raise InputError("option_value", value=shortened(part), option="ablate_heads", expected=expected)
        found[place] = None
    return list(found)


def taken(question: Question, settings: Mapping[str, Any]) -> tuple[Span, ...]:
    """What is to be taken away: by its words (`drop`), by its place in the text (`at`), or both.

    Raises:
        InputError: a word that is not there, offsets that are no part of the text.
    """
    found = list(question.passage.find(settings["drop"])) if settings["drop"] else []
    for part in (settings["at"] or "").replace("，", ",").split(","):
        if part.strip():
            found.append(_offsets(part.strip(), len(question.passage.text)))
    if not found and (settings["drop"] or settings["at"]):
        raise InputError("nothing_dropped")
    result: list[Span] = []
    for start, end in sorted(found):
        if result and start < result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return tuple(result)


def _offsets(part: str, length: int) -> Span:
    start, end = (whole_number(side) for side in part.partition("-")[::2])
    if start is not None and end is not None and start < end <= length:
        return start, end
    expected = f"0 <= a < b <= {length}: a-b"
    raise InputError("option_value", value=shortened(part), option="at", expected=expected)


def _control(
    model: AnswerModel,
    question: Question,
    settings: Mapping[str, Any],
    spans: tuple[Span, ...],
    now: Outcome,
    clean: Outcome,
    target: Target,
    moved: Mapping[str, Any],
) -> Steps:
    """Random sets of other words of equal total length, where two words or more are taken away."""
    words = question.passage.units("word")
    inside = [word.index for word in words if any(a < word.end and word.start < b for a, b in spans)]
    if not settings["control"] or len(inside) < 2 or not now.prepared.reaches:
        return {}
    rng, tokens = random.Random(settings["seed"]), now.prepared.tokens
    drawn = random_sets(lengths(model.token_spans(question, words)), inside, tokens, settings["control"], rng)
    if not drawn:
        return {}
    mode, filler = Mode(settings["mode"]), settings["filler"]
    trials = [Trial(tuple(words[i].span for i in chosen), mode, filler) for chosen in drawn]
    _, *outcomes = yield [CLEAN, *trials]
    effects = [effect_of(clean, outcome, target, settings) for outcome in outcomes]
    return {"control": band(moved, effects, tokens)}


INSIDE = (ABLATE_HEADS, ABLATE_MODE, POSITIONS, *REFERENCES)
STUDY = Study("ask", (DROP, AT, MODE, TARGET, FILLER, CONTROL, *INSIDE, POINTS, NATS, SEED), steps)
