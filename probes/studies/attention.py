"""What does each head look at, and is that what the answer hangs on?

Attention from the answer position, or from any word, told by words; beside it the rank correlation of that
attention with how far deleting the same words moves the answer: the number behind "attention finds the key
words". It counts the words that the reader can read, none of those behind it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from probes.characters import whole_number
from probes.errors import InputError
from probes.models.base import lengths
from probes.passage import Unit
from probes.question import Question
from probes.ranks import among_first, best_by_chance, by_shift, chance_of
from probes.studies.base import FILLER, MODE, NATS, POINTS, SEED, TARGET, Asking, Option, Steps, Study
from probes.studies.inside import opened
from probes.studies.shared_tokens import shared_tokens, sharing
from probes.trials import Mode, Trial

READER = Option("reader", "text", "answer")
FEWEST = 4
"""Words under which a rank correlation says nothing."""


def steps(asking: Asking) -> Steps:
    """Yield every word's run; attention itself is one more forward."""
    model, question, settings = asking.model, asking.question, asking.settings
    inside = opened(model)
    words = question.passage.words
    if not words:
        raise InputError("no_units", unit="word")
    reader = reader_of(question, words, settings["reader"])
    found = inside.word_attention(question, words)
    mode, filler = Mode(settings["mode"]), settings["filler"]
    outcomes = yield [Trial((word.span,), mode, filler) for word in words]
    effects = [asking.effect(outcome) for outcome in outcomes]
    at = len(words) if reader == "answer" else reader
    carried = [tokens > 0 for tokens in lengths(model.token_spans(question, words))]
    shares, notes = shared_tokens(model, question, words)
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
                    "rest": max(0.0, 1 - float(found.covered[layer][head, at]) - sink),
                    "entropy": float(found.entropy[layer][head, at]),
                    "distance": float(found.distance[layer][head, at]),
                }
            )
    overall = {"mean": found.mean[at], "rollout": found.rollout[at]}
    changes = [effect["no_change"] is False for effect in effects]
    return {
        "mode": settings["mode"],
        "reader": reader,
        "units": sharing(units_of(words), shares),
        "notes": notes,
        "effects": [effect["effect_log_prob"] for effect in effects],
        "geometry": inside.geometry(),
        "rows": rows,
        **{name: told(read.tolist()) for name, read in overall.items()},
        "agreement": _agreement(rows, overall, _sizes(effects, carried, at), changes),
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


def _sizes(effects: Sequence[Mapping[str, Any]], carried: Sequence[bool], upto: int) -> dict[int, float]:
    """How far each word that can be read moves the answer (nats), by its index; an answer gone altogether is
    moved farthest. Words behind the reader are not read, nor are those that no token carries.
    """
    upto = min(upto + 1, len(effects))
    known = [i for i in range(upto) if carried[i] and effects[i]["effect_probability"] is not None]
    nats = {i: effects[i]["effect_log_prob"] for i in known}
    return {i: math.inf if value is None else abs(value) for i, value in nats.items()}


def _agreement(
    rows: Sequence[Mapping[str, Any]],
    others: Mapping[str, np.ndarray],
    sizes: Mapping[int, float],
    changes: Sequence[bool],
) -> dict[str, Any] | None:
    """Spearman's rho of what is read with the size of the same words' effects; None for too few words.

    `found` is how many of the `changing` words, whose removal changes something, are among as many that are
    read most; `p` and `best_by_chance` (of the heads) are by shifts along the passage, see `probes.ranks`.
    """
    known = list(sizes)
    if len(known) < FEWEST:
        return None
    reads = [[row["weights"][i] for i in known] for row in rows] + [each[known] for each in others.values()]
    rhos = by_shift(np.array(reads, float), np.array([sizes[i] for i in known]))
    changing = [changes[i] for i in known]
    each = [
        {"rho": None if np.isnan(rho) else float(rho), "found": among_first(read, changing)}
        for rho, read in zip(rhos[0], reads, strict=True)
    ]
    return {
        "words": len(known),
        "changing": sum(changing),
        "rows": [
            {"layer": row["layer"], "head": row["head"], **one}
            for row, one in zip(rows, each[: len(rows)], strict=True)
        ],
        "best_by_chance": best_by_chance(rhos[:, : len(rows)]),
        **{name: {**each[n], "p": chance_of(rhos[:, n])} for n, name in enumerate(others, len(rows))},
    }


STUDY = Study("attention", (READER, MODE, FILLER, TARGET, POINTS, NATS, SEED), steps, needs=("inside",))
