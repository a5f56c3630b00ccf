"""What is taken away, and how. Plain data: nothing here knows a model, so an API model can run it too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from probes.interventions import REFERENCE, Intervention, Reference
from probes.segment import Span


class Mode(StrEnum):
    """The three ways to take words away. They answer different questions, so each is named.

    Deleting moves everything behind the gap; hiding and (where lengths agree) replacing move nothing.
    """

    DELETE = "delete"
    """Cut from the text, which is tokenised anew."""
    HIDE = "hide"
    """Attention knockout: the text stays, but no later position can read these positions, in every layer and
    head, the answer's own positions included (Geva et al. 2023, arXiv 2304.14767)."""
    REPLACE = "replace"
    """Put a neutral filler in the place of each span."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the model: the passage with `spans` taken away together.

    `spans` are sorted and disjoint offsets into the passage. `filler` is what REPLACE puts there; None lets
    the model's own tokenizer choose a neutral one of the same length in tokens. `inside` is what is done
    inside the model meanwhile; `reference` is where its means and resampled values come from.
    """

    spans: tuple[Span, ...] = ()
    mode: Mode = Mode.DELETE
    filler: str | None = None
    inside: tuple[Intervention, ...] = ()
    reference: Reference = REFERENCE

    def __post_init__(self) -> None:
        end = 0
        for start, stop in self.spans:
            if not end <= start < stop:
                raise ValueError(f"spans must be sorted, disjoint and not empty: {self.spans}")
            end = stop

    @property
    def is_clean(self) -> bool:
        """Whether nothing is taken away or changed."""
        return not self.spans and not self.inside


CLEAN = Trial()
