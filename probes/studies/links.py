"""Which links between words does the answer rest on? The attention from one word to another is cut.

Attention knockout (Geva et al. 2023, arXiv 2304.14767): the later word's tokens may no longer read the
earlier one's, nor may the answer position read a word, in all layers or in a window of them. A long
passage has more pairs than anybody waits for: the words whose hiding moves the answer most come first, and
what was left out is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from probes.characters import whole_number
from probes.errors import CruxError, InputError
from probes.interventions import Cut
from probes.numbers import shortened, strength
from probes.passage import Unit
from probes.question import Question
from probes.studies.attention import units_of
from probes.studies.base import NATS, POINTS, TARGET, Asking, Option, Steps, Study
from probes.studies.inside import moved, opened
from probes.studies.shared_tokens import shared_tokens, sharing
from probes.trials import Mode, Trial

BUDGET = Option("budget", "integer", 400, low=1, high=100_000)
LAYERS = Option("layers", "text", None)


def steps(asking: Asking) -> Steps:
    """Yield each word hidden, then the answer's links and the pairs of the strongest words."""
    model, question, settings = asking.model, asking.question, asking.settings
    inside = opened(model)
    words = question.passage.words
    if not words:
        raise InputError("no_units", unit="word")
    window = window_of(settings["layers"], inside.geometry()["layers"])
    layers = None if window is None else tuple(range(window[0], window[1] + 1))
    hidden = yield [Trial((word.span,), Mode.HIDE) for word in words]
    hiding = [asking.effect(outcome) for outcome in hidden]
    pairs = _pairs(words, sorted(range(len(words)), key=lambda i: -strength(hiding[i])), settings["budget"])
    cuts: list[tuple[Unit | None, Unit]] = [(None, word) for word in words]
    cuts += [(words[a], words[b]) for a, b in pairs]
    outcomes = yield [_cut(reader, read, layers) for reader, read in cuts]
    looked = _attention(inside, question, words)
    shares, notes = shared_tokens(model, question, words)
    rows = [
        {
            "from": "answer" if reader is None else _named(reader),
            "to": _named(read),
            "layers": None if window is None else list(window),
            "attention": None
            if looked is None or not outcome.prepared.reaches
            else float(looked[len(words) if reader is None else reader.index, read.index]),
            **moved(asking, outcome),
        }
        for (reader, read), outcome in zip(cuts, outcomes, strict=True)
    ]
    return {
        "units": [
            unit | {"hidden_effect": e["effect_log_prob"]}
            for unit, e in zip(sharing(units_of(words), shares), hiding, strict=True)
        ],
        "notes": notes,
        "layers": None if window is None else list(window),
        "geometry": inside.geometry(),
        "attention": None if looked is None else looked.tolist(),
        "rows": rows,
        "budget": settings["budget"],
        "left_out": len(words) * (len(words) - 1) // 2 - len(pairs),
    }


def _pairs(words: Sequence[Unit], order: Sequence[int], budget: int) -> list[tuple[int, int]]:
    """(later word, earlier word): pairs among the first words of `order`, as many as the budget allows."""
    pairs: list[tuple[int, int]] = []
    for place, word in enumerate(order):
        for other in order[:place]:
            if len(pairs) == budget:
                return sorted(pairs)
            pairs.append((max(word, other), min(word, other)))
    return sorted(pairs)


def _cut(reader: Unit | None, read: Unit, layers: tuple[int, ...] | None) -> Trial:
    return Trial(inside=(Cut(None if reader is None else (reader.span,), (read.span,), layers),))


def _named(word: Unit) -> dict[str, Any]:
    return {"index": word.index, "text": word.text, "start": word.start, "end": word.end}


def _attention(inside: Any, question: Question, words: Sequence[Unit]) -> Any:
    """Mean attention [readers, words] beside the map; None where the model does not hand it out."""
    try:
        return inside.word_attention(question, words).mean
    except CruxError:
        return None


def window_of(text: str | None, layers: int) -> tuple[int, int] | None:
    """ "3-7" or "5" as the first and the last layer; None for all.

    Raises:
        InputError: no such layers.
    """
    if not text:
        return None
    one, _, other = text.partition("-")
    first, last = whole_number(one), whole_number(other or one)
    if first is not None and last is not None and first <= last < layers:
        return first, last
    expected = f"a-b, 0 … {layers - 1}"
    raise InputError("option_value", value=shortened(text), option="layers", expected=expected)


STUDY = Study("links", (LAYERS, BUDGET, TARGET, POINTS, NATS), steps, needs=("inside",))
