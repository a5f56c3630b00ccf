"""Rows of a record against the oracle's plain forwards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from probes.asking.question import Question
from probes.models.local import LocalModel
from tests import inside_oracle
from tests.inside_oracle import Cut, Put


def log_probs(
    model: LocalModel, question: Question, *edits: Put | Cut, ids: Sequence[int] = ()
) -> list[float]:
    """Of every answer (one string each), in the clean prompt or in `ids`."""
    layout = model.layout(question)
    found = {}
    for term in layout.terms:
        length = len(ids or layout.ids) + len(term.ids) - 1
        own = [_within(edit, length) if isinstance(edit, Cut) else edit for edit in edits]
        found[term.answer] = inside_oracle.log_prob(model.loaded.model, ids or layout.ids, term.ids, own)
    return [found[answer] for answer in range(len(found))]


def _within(cut: Cut, length: int) -> Cut:
    return replace(cut, queries=tuple(q for q in cut.queries if q < length))


def check_row(row: Mapping[str, Any], clean: Mapping[str, Any], truth: Sequence[float]) -> None:
    """Answers, effect, top: from the oracle's log-probabilities by hand."""
    for answer, wanted in zip(row["answers"], truth, strict=True):
        assert answer["probability"] == pytest.approx(math.exp(wanted), rel=3e-4, abs=1e-9)
    labels = [answer["answer"] for answer in row["answers"]]
    assert row["top"] == labels[int(np.argmax(truth))]
    assert row["flips"] == (row["top"] != clean["top"])


def everywhere(model: LocalModel, question: Question) -> range:
    """Positions of the prompt and the longest continuation."""
    layout = model.layout(question)
    return range(len(layout.ids) + max(len(t.ids) for t in layout.terms) - 1)


def tokens(model: LocalModel, question: Question, start: int, end: int) -> tuple[int, ...]:
    layout = model.layout(question)
    shift = len(layout.frame.before)
    return tuple(i for i, (a, b) in enumerate(layout.offsets) if a < end + shift and b > start + shift)
