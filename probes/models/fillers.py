"""Neutral words to put in the place of a word, of the same length in tokens where one exists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from probes.models.prompting import ids_of
from probes.passage import Span

if TYPE_CHECKING:
    from probes.models.layout import Layout

NEUTRAL = {
    "en": ("something", "thing", "stuff", "it", "one"),
    "zh": ("某", "某些", "某种", "那个", "东西"),
}
"""Words that say as little as a language allows. A tokenizer's mask token, where it has one, says less."""


def spliced(text: str, spans: Sequence[Span], fillers: Sequence[str]) -> str:
    """`text` with each span replaced by its filler."""
    pieces, at = [], 0
    for (start, end), filler in zip(spans, fillers, strict=True):
        pieces += [text[at:start], filler]
        at = end
    return "".join([*pieces, text[at:]])


def choose(text: str, spans: Sequence[Span], layout: Layout, tokenizer: Any, language: str) -> list[str]:
    """One filler a span: the first candidate that keeps the prompt's length, else the first one of all."""
    return [_choose(text, span, layout, tokenizer, language) for span in spans]


def _choose(text: str, span: Span, layout: Layout, tokenizer: Any, language: str) -> str:
    tokens = sum(b - a for a, b in layout.tokens_of([span]))
    first = None
    for filler in _candidates(tokens, tokenizer, language):
        first = first or filler
        prompt = layout.frame.prompt(spliced(text, [span], [filler]))
        if len(ids_of(tokenizer, prompt, layout.frame.start)) == len(layout.ids):
            return filler
    return first or ""


def _candidates(tokens: int, tokenizer: Any, language: str) -> Iterator[str]:
    if tokenizer.mask_token:
        yield tokenizer.mask_token * tokens
    words, gap = (NEUTRAL["zh"], "") if language == "zh" else (NEUTRAL["en"], " ")
    for times in range(1, max(tokens, 1) + 1):
        for word in words:
            yield gap.join([word] * times)


def common(fillers: Sequence[str]) -> str | list[str] | None:
    """As a record says it: one text where all spans got the same, else one a span."""
    if not fillers:
        return None
    return fillers[0] if len(Counter(fillers)) == 1 else list(fillers)
