"""Which states carry the difference between a passage and its minimal counterfactual?

Activation patching (Vig et al. 2020, arXiv 2004.12265; Meng et al. 2022, arXiv 2202.05262): the passage is
run as it stands and with a few words replaced by others of the same length in tokens; one state of the one
run is put into the other. *Denoising* puts clean states into the counterfactual run and asks what brings the
answer back; *noising* puts counterfactual states into the clean run and asks what breaks it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probes.errors import InputError
from probes.interventions import Patch, Site
from probes.models.base import Outcome
from probes.passage import Span
from probes.question import Question, Swap
from probes.studies.attention import units_of
from probes.studies.base import NATS, POINTS, TARGET, Asking, Option, Steps, Study
from probes.studies.effects import ask_fields
from probes.studies.inside import block_places, head_places, moved, opened
from probes.studies.shared_tokens import shared_tokens, sharing
from probes.trials import Mode, Trial

CHANGE = Option("change", "text", None)
TO = Option("to", "text", None)
DIRECTION = Option("direction", "choice", "denoising", ("denoising", "noising"))
SITE = Option("site", "choice", "block", ("block", "attention", "mlp", "head"))


def steps(asking: Asking) -> Steps:
    """Yield the passage with other words, then every word and layer (and head) patched."""
    model, question, settings = asking.model, asking.question, asking.settings
    inside = opened(model)
    swaps = changed(question, settings)
    places = _places(inside.geometry(), settings["site"])
    inside.refuse([(settings["site"], layer, head) for layer, head in places])
    others = yield [Trial(spans, Mode.REPLACE, text) for spans, text in swaps]
    own, target = asking.clean, asking.target
    (spans, text), counter = _of_one_length(own, swaps, others)
    denoising = settings["direction"] == "denoising"
    base, source = (counter, own) if denoising else (own, counter)
    units = [*question.passage.words, None]
    trials = []
    for layer, head in places:
        for unit in units:
            at = "answer" if unit is None else (unit.span,)
            patch = Patch(settings["site"], layer, at, head, None if denoising else (spans, text))  # type: ignore[arg-type]
            trials.append(Trial(spans, Mode.REPLACE, text, (patch,)) if denoising else Trial(inside=(patch,)))
    outcomes = yield trials
    scale = target.log(source.answers) - target.log(base.answers)
    found = iter(outcomes)
    rows = []
    for layer, head in places:
        for unit in units:
            now = next(found)
            back = target.log(now.answers) - target.log(base.answers)
            rows.append(
                {
                    "layer": layer,
                    "site": settings["site"],
                    "head": head,
                    "unit": "answer" if unit is None else unit.index,
                    "text": None if unit is None else unit.text,
                    "start": None if unit is None else unit.start,
                    "end": None if unit is None else unit.end,
                    "recovered": back / scale if scale and now.prepared.reaches else None,
                    **moved(asking, now, base),
                }
            )
    shares, notes = shared_tokens(model, question, question.passage.words)
    return {
        "base": ask_fields(question, base),
        "source": ask_fields(question, source),
        "counterfactual": {
            "text": _replaced(question.passage.text, spans, text),
            "changed": [list(span) for span in spans],
            "to": text,
            "prompt": counter.prepared.prompt,
        },
        "direction": settings["direction"],
        "site": settings["site"],
        "scale": scale,
        "geometry": inside.geometry(),
        "units": sharing(units_of(question.passage.words), shares),
        "notes": notes,
        "rows": rows,
    }


Replaced = tuple[tuple[Span, ...], str]
"""Spans of the passage, and what is put in the place of each."""


def changed(question: Question, settings: Mapping[str, Any]) -> list[Replaced]:
    """What may be replaced by what: as told, else what comes with the question.

    Raises:
        InputError: nothing told and nothing suggested, only half told, or words that are not there.
    """
    change, to = settings["change"], settings["to"]
    if change is None and to is None:
        swaps: Sequence[Swap] = question.swaps
    else:
        swaps = [(change, to)] if change and to else []
    if not swaps:
        raise InputError("patch_nothing")
    return [(question.passage.find(words), text) for words, text in swaps]


def _of_one_length(
    own: Outcome, swaps: Sequence[Replaced], others: Sequence[Outcome]
) -> tuple[Replaced, Outcome]:
    """The first counterfactual with as many tokens as the passage itself, and another answer if one has.

    Raises:
        InputError: none is as long.
    """
    tokens = len(own.prepared.prompt_ids)
    pairs = zip(swaps, others, strict=True)
    alike = [(swap, other) for swap, other in pairs if len(other.prepared.prompt_ids) == tokens]
    for swap, other in alike:
        if other.answers.top != own.answers.top:
            return swap, other
    if alike:
        return alike[0]
    raise InputError("patch_lengths", base=tokens, source=len(others[0].prepared.prompt_ids))


def _places(geometry: Mapping[str, Any], site: Site) -> list[tuple[int, int | None]]:
    if site == "head":
        return list(head_places(geometry))
    if site == "block":
        return [(layer, None) for layer in range(geometry["layers"])]
    return [(layer, None) for layer, part in block_places(geometry) if part == site]


def _replaced(text: str, spans: tuple[Span, ...], new: str) -> str:
    for start, end in reversed(spans):
        text = text[:start] + new + text[end:]
    return text


STUDY = Study("patch", (CHANGE, TO, DIRECTION, SITE, TARGET, POINTS, NATS), steps, needs=("inside",))
