"""What is read off the clean run: plain data, as a trial is, so that it is counted, stopped and kept alike.

A study yields readings among its trials and is sent what was read in their place. Those that are `kept` are
numbers that hang on the clean run's answers too: they are looked up, and put, where trials are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from probes.asking.interventions import REFERENCE, Ablation, Reference
from probes.text.passage import Unit
from probes.text.segment import Span

Weights = tuple[tuple[int, float], ...]
"""Answers by number, and the weight of each one's log-probability in a sum."""


@dataclass(frozen=True, slots=True)
class Attention:
    """What every head reads, by units: `probes.models.word_attention.WordAttention`.

    A model that does not hand its weights out raises CapabilityError where the study yields.
    """

    units: tuple[Unit, ...]
    kept: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Lens:
    """The answers as the states after 0 .. all layers already give them: a Distribution each."""

    kept: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Direct:
    """Each part's direct effect on a logit difference, and what the difference is of: see `Inside.direct`."""

    target: int
    against: int | None
    parts: tuple[Ablation | None, ...]
    reference: Reference = REFERENCE
    kept: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Estimates:
    """First-order estimates of what each part's removal does to a sum of log-probabilities, nats: a number
    each, from one backward pass.
    """

    answers: Weights
    parts: tuple[Ablation, ...]
    reference: Reference = REFERENCE
    kept: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Gradients:
    """The gradient of a sum of log-probabilities by the input embeddings of each unit's tokens: its `norm`,
    and `times_input`, its product with the embeddings (Shrikumar et al. 2017, arXiv 1704.02685), nats.
    """

    answers: Weights
    units: tuple[Unit, ...]
    kept: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Passages:
    """The reference passages that means and resampled values come from: `models.references.ReferenceSet`."""

    reference: Reference
    kept: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Proposals:
    """Words that the model itself would write at a place, and how fluent each is beside the passage's own:
    see `probes.models.proposals`.
    """

    span: Span
    count: int
    kept: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Continuation:
    """What the model goes on with by itself after the clean prompt, a text: the likeliest token again and
    again, up to so many, or to where it ends.
    """

    tokens: int
    kept: ClassVar[bool] = True


Reading = Attention | Lens | Direct | Estimates | Gradients | Passages | Proposals | Continuation


def restored(reading: Reading, value: Any) -> Any:
    """What was read, from the JSON that it was kept as."""
    return tuple(value) if isinstance(reading, Direct) else value
