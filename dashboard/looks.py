"""Attention on one prompt, kept so that another head, word or layer is shown at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from probes.asking.question import Question
from probes.charts.weights import Places, by_tokens, by_words
from probes.models.memory import bytes_free
from probes.models.word_attention import WordAttention
from probes.models.word_attention import by_words as read_by_words
from probes.studies.base import opened

if TYPE_CHECKING:
    from probes.models.base import AnswerModel
    from probes.models.local import LocalModel


COPIES = 4
"""Of the weights, while they are told by words in double precision."""


class NoRoom(ValueError):
    """The weights of this prompt need `needed` bytes, and `free` are left."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(f"{needed} bytes of attention weights, {free} free")
        self.needed, self.free = needed, free


def attention_bytes(model: LocalModel, tokens: int) -> int:
    """What the weights of a prompt take: four bytes a pair of tokens and head."""
    return 4 * tokens**2 * sum(heads or 0 for heads in model.inside.geometry()["heads"])


@dataclass(frozen=True)
class Look:
    """What every head reads on the clean prompt: per layer [heads, tokens, tokens], None without heads.

    `tokens` and `words` name the places of the whole prompt; `reading` is told by the passage's own words.
    """

    weights: list[np.ndarray | None]
    tokens: Places
    words: Places
    passage: frozenset[int]
    """The tokens that are of the passage, and the last, off which the answer is read."""
    reading: WordAttention

    @classmethod
    def at(cls, model: AnswerModel, question: Question) -> Look:
        """Run the prompt once.

        Raises:
            CapabilityError: the model does not hand its weights out.
            NoRoom: they would not fit into memory.
        """
        inside = opened(model)
        local: LocalModel = inside.model
        layout = local.layout(question)
        needed, free = attention_bytes(local, len(layout.ids)), bytes_free()
        if COPIES * needed > free:
            raise NoRoom(COPIES * needed, free)
        end = len(layout.frame.before) + len(question.passage.text)
        prompt, shift = layout.frame.prompt(question.passage.text), len(layout.frame.before)
        words = question.passage.words
        spans = [(word.start + shift, word.end + shift) for word in words]
        names = [str(name) for name in local.tokenizer.convert_ids_to_tokens(list(layout.ids))]
        weights = [None if one is None else one.cpu().numpy() for one in inside.attention(question)]
        units = [[i for a, b in layout.tokens_of([word.span]) for i in range(a, b)] for word in words]
        return cls(
            weights,
            by_tokens(prompt, layout.offsets, names),
            by_words(prompt, layout.offsets, names, spans),
            frozenset(n for n, (a, b) in enumerate(layout.offsets) if a < b and a < end and b > shift)
            | {len(layout.ids) - 1},
            read_by_words(weights, units),
        )

    @cached_property
    def size(self) -> int:
        """Bytes."""
        return sum(layer.nbytes for layer in self.weights if layer is not None)
