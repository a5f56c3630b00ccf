"""What is done inside a model, in the passage's own terms: plain data, free of torch.

Spans are characters of the passage; a model turns them into its tokens. "The answer position" is the prompt's
last token and the continuation's own: where the answer is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from probes.text.segment import Span

Site = Literal["head", "attention", "mlp", "block"]


class How(StrEnum):
    """What is put in the place of a part that is taken away."""

    ZERO = "zero"
    """Nothing. The usual first look; it also takes away what the part always says."""
    MEAN = "mean"
    """What it gives on average over a reference set of other passages under the same template."""
    RESAMPLE = "resample"
    """What it gives on one other passage of the reference set (Chan et al. 2022, causal scrubbing); studies
    run it with several and average what comes of it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The passages that means and resampled values come from: generated, under the question's template.

    What they tell of is in `probes.models.reference_passages`.

    Attributes:
        size: how many.
        seed: of the generator.
        positions: "aligned": a token is given the value of the reference token at the same place (counted
            from the start before the passage, from the end behind it, in proportion inside it); "pooled": of
            all tokens but the first together.
        draw: which of them alone is put in, from 0; None for the mean of all.
    """

    size: int = 18
    seed: int = 0
    positions: Literal["aligned", "pooled"] = "aligned"
    draw: int | None = None


REFERENCE = Reference()


@dataclass(frozen=True, slots=True)
class Ablation:
    """A part is replaced.

    Attributes:
        site: "head" (a query head), "attention" or "mlp" (a layer's blocks of that kind).
        at: "all" tokens, the continuation's too; the "answer" position alone; or spans of the passage.
    """

    site: Site
    layer: int
    head: int | None = None
    how: How = How.ZERO
    at: Literal["all", "answer"] | tuple[Span, ...] = "all"


@dataclass(frozen=True, slots=True)
class Cut:
    """Attention knockout: `reader` may not read `read` (Geva et al. 2023, arXiv 2304.14767).

    Attributes:
        reader: spans whose tokens query; None for the answer position.
        read: spans whose tokens are keys.
        layers, heads: None for all.
    """

    reader: tuple[Span, ...] | None
    read: tuple[Span, ...]
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Patch:
    """A part's output at some words is taken from another run of a prompt of the same length.

    Attributes:
        spans: words of the clean passage.
        source: what the other run's passage has instead: (spans of the clean passage, text in their place);
            None for the clean passage itself.
    """

    site: Site
    layer: int
    spans: tuple[Span, ...] | Literal["answer"]
    head: int | None = None
    source: tuple[tuple[Span, ...], str] | None = None


Intervention = Ablation | Cut | Patch
