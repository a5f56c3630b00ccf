"""What is taken away or changed, and how. Plain data: nothing here knows a model, so any can run it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from probes.asking.answers import AnswerSet
from probes.asking.interventions import REFERENCE, Intervention, Reference
from probes.text.segment import Span


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


Pieces = tuple[str | Span, ...]
"""What a rewritten passage is put together from: characters of the passage as it stands, and new text."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a trial asks about the passage, where it asks otherwise than its question; None: as that does.

    `answers` of another question are its own; effects are then measured against that question's clean run.
    """

    question: str | None = None
    instruction: str | None = None
    answer_prefix: str | None = None
    system: str | None = None
    template: str | None = None
    answers: AnswerSet | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """What is asked otherwise, by the question's field."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def told(self) -> dict[str, str]:
        """The same as texts, for a record."""
        return {n: v.as_text() if isinstance(v, AnswerSet) else v for n, v in self.changes.items()}


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the model: the passage, rewritten where `pieces` say so, with `spans` taken away together.

    Attributes:
        spans: sorted and disjoint offsets into the passage as it stands. In a rewritten one they are followed
            to where their characters went; those that no piece holds are gone already.
        filler: what REPLACE puts in the place of each span: one text, or one a span; None lets the model's
            own tokenizer choose a neutral one of the same length in tokens.
        inside: what is done inside the model meanwhile.
        reference: where its means and resampled values come from.
        pieces: the passage rewritten: sentences in another order, a definition before it, other words. None
            for the passage as it stands. `with_text` and `in_order` make the usual ones.
        wording: another question, instruction, prefix or template about it.
    """

    spans: tuple[Span, ...] = ()
    mode: Mode = Mode.DELETE
    filler: str | tuple[str, ...] | None = None
    inside: tuple[Intervention, ...] = ()
    reference: Reference = REFERENCE
    pieces: Pieces | None = None
    wording: Wording | None = None

    def __post_init__(self) -> None:
        end = 0
        for start, stop in self.spans:
            if not end <= start < stop:
                raise ValueError(f"spans must be sorted, disjoint and not empty: {self.spans}")
            end = stop
        if isinstance(self.filler, tuple) and len(self.filler) != len(self.spans):
            raise ValueError(f"{len(self.filler)} fillers for {len(self.spans)} spans")
        for piece in self.pieces or ():
            if not isinstance(piece, str) and not 0 <= piece[0] < piece[1]:
                raise ValueError(f"a piece of the passage must not be empty: {piece}")

    @property
    def is_clean(self) -> bool:
        """Whether nothing is taken away or changed."""
        return not (self.spans or self.inside or self.pieces is not None or self.wording)

    @property
    def fillers(self) -> tuple[str, ...] | None:
        """The filler of each span; None where the model chooses."""
        return (self.filler,) * len(self.spans) if isinstance(self.filler, str) else self.filler


CLEAN = Trial()


def with_text(text: str, *, before: str = "", after: str = "") -> Pieces:
    """The passage `text` with more text around it: a definition before it, a sentence that came too late."""
    return tuple(piece for piece in (before, (0, len(text)), after) if piece)


def in_order(text: str, spans: Sequence[Span], order: Sequence[int]) -> Pieces:
    """The passage `text` with units in another order; what stands between the places of units stays.

    Args:
        spans: of the units, sorted and disjoint.
        order: of each place, which unit comes to stand there.
    """
    if sorted(order) != list(range(len(spans))):
        raise ValueError(f"no order of {len(spans)} units: {list(order)}")
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    pieces: list[str | Span] = []
    for place, unit in enumerate(order):
        pieces += [(edges[2 * place], edges[2 * place + 1]), spans[unit]]
    pieces.append((edges[-2], edges[-1]))
    return tuple(piece for piece in pieces if piece[0] != piece[1])
