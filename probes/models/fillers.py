"""Neutral words to put in the place of a word, of the same length in tokens where one exists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from probes.asking.rewriting import spliced
from probes.models.prompting import ids_of
from probes.text.passage import Span

if TYPE_CHECKING:
    from probes.models.layout import Layout

NEUTRAL = {
    "en": ("something", "thing", "stuff", "it", "one"),
    "zh": ("某", "某些", "某种", "那个", "东西"),
}
"""Words that say as little as a language allows, so a filler in English is another than in Chinese."""


def choose(
    text: str, spans: Sequence[Span], layout: Layout, tokenizer: Any, language: str, blank: str | None = None
) -> list[str]:
    """One filler a span: the first candidate that keeps the prompt's length, else the first one of all.

    Args:
        blank: a token that stands for nothing, tried before any word; see `blank_token`.
    """
    return [_choose(text, span, layout, tokenizer, language, blank) for span in spans]


def blank_token(tokenizer: Any, embeddings: Any) -> str | None:
    """The tokenizer's mask token where it says nothing at all, its embedding being the zero vector.

    A model that was trained to predict what comes next has most likely never read the mask token that its
    tokenizer brings along (Gemma's `<mask>`): what its vector says nobody knows, and a word says less.

    Args:
        embeddings: [vocabulary, width], the vectors of the model's tokens.
    """
    token = tokenizer.mask_token
    there = token and tokenizer.mask_token_id < len(embeddings)
    return str(token) if there and not embeddings[tokenizer.mask_token_id].any() else None


def _choose(text: str, span: Span, layout: Layout, tokenizer: Any, language: str, blank: str | None) -> str:
    tokens = sum(b - a for a, b in layout.tokens_of([span]))
    first = None
    for filler in _candidates(tokens, language, blank):
        first = first or filler
        prompt = layout.frame.prompt(spliced(text, [span], [filler]))
        if len(ids_of(tokenizer, prompt, layout.frame.start)) == len(layout.ids):
            return filler
    return first or ""


def _candidates(tokens: int, language: str, blank: str | None) -> Iterator[str]:
    if blank:
        yield blank * tokens
    words, gap = (NEUTRAL["zh"], "") if language == "zh" else (NEUTRAL["en"], " ")
    for times in range(1, max(tokens, 1) + 1):
        for word in words:
            yield gap.join([word] * times)


def common(fillers: Sequence[str]) -> str | list[str] | None:
    """As a record says it: one text where all spans got the same, else one a span."""
    if not fillers:
        return None
    return fillers[0] if len(Counter(fillers)) == 1 else list(fillers)
