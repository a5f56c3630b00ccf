"""A row for each unit that was taken away alone: what it is, what was run, what that did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from probes.asking.trials import Mode
from probes.models.base import Outcome
from probes.studies.attention import units_of
from probes.studies.base import Asking
from probes.studies.control import ranked
from probes.studies.effects import run_fields
from probes.studies.shared_tokens import shared_tokens
from probes.text.passage import Unit

Rows = list[dict[str, Any]]


def unit_rows(
    asking: Asking,
    units: Sequence[Unit],
    outcomes: Sequence[Outcome],
    effect: Callable[[Outcome], dict[str, Any]],
) -> tuple[Rows, Rows]:
    """The rows, each ranked among those of its length, and what is to be noted of them.

    Args:
        effect: what a run did to the answer, or to whatever is measured.
    """
    question = asking.question
    hiding = asking.settings["mode"] == Mode.HIDE  # characters are deleted, tokens are hidden
    shares, notes = shared_tokens(asking.model, question, units) if hiding else ([[]] * len(units), [])
    rows = [
        {
            **named,
            "shares_tokens": others,
            "role": question.role_of(unit.span),
            **run_fields(outcome),
            **effect(outcome),
        }
        for unit, named, others, outcome in zip(units, units_of(units), shares, outcomes, strict=True)
    ]
    ranked(rows)
    return rows, notes
