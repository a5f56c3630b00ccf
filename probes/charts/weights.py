"""Attention weights made ready to be looked at: by token or by word, with or without the first one.

A word's share of what is read is the sum over its tokens; what a word reads is the mean over its tokens. So
each word's reading still adds up to what its tokens' readings add up to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from probes.text.passage import Span

First = Literal["keep", "blank", "share"]
"""What becomes of the first position, on which heads with nothing to read rest: it is shown, left blank, or
left out and its share given to the others in proportion."""
_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Places:
    """What rows and columns stand for: tokens of the prompt that belong together, and a name for each."""

    groups: tuple[tuple[int, ...], ...]
    labels: tuple[str, ...]


def by_tokens(prompt: str, offsets: Sequence[Span], tokens: Sequence[str]) -> Places:
    """Each token by itself, named by the text it stands for; those that share a character are numbered.

    `tokens` names those that stand for no text.
    """
    spans, seen = Counter(offsets), Counter[Span]()
    labels = []
    for (start, end), token in zip(offsets, tokens, strict=True):
        seen[start, end] += 1
        part = str(seen[start, end]).translate(_LOW) if spans[start, end] > 1 and end > start else ""
        labels.append((prompt[start:end] or token) + part)
    return Places(tuple((n,) for n in range(len(offsets))), tuple(labels))


def by_words(prompt: str, offsets: Sequence[Span], tokens: Sequence[str], words: Sequence[Span]) -> Places:
    """The tokens of each word together; a token outside all words stands alone.

    `words` are sorted spans of the prompt. Words that share a token stand together.
    """
    groups: list[list[int]] = []
    last: set[int] = set()
    at = 0
    for n, (start, end) in enumerate(offsets):
        while at < len(words) and words[at][1] <= start:
            at += 1
        touched = set()
        for word in range(at, len(words)):
            if words[word][0] >= end:
                break
            touched.add(word)
        if touched & last:
            groups[-1].append(n)
            last |= touched
        else:
            groups.append([n])
            last = touched
    names = by_tokens(prompt, offsets, tokens).labels
    labels = []
    for group in groups:
        start, end = offsets[group[0]][0], max(offsets[n][1] for n in group)
        labels.append(names[group[0]] if len(group) == 1 else prompt[start:end])
    return Places(tuple(map(tuple, groups)), tuple(labels))


def grouped(weights: np.ndarray, places: Places) -> np.ndarray:
    """[heads, n, n] over tokens as [heads, m, m]: summed over what is read, the mean over who reads."""
    if len(places.groups) == weights.shape[-1]:
        return weights
    belongs = np.zeros((weights.shape[-1], len(places.groups)), weights.dtype)
    for place, group in enumerate(places.groups):
        belongs[list(group), place] = 1
    mean = belongs / belongs.sum(0, keepdims=True)
    return np.asarray(np.einsum("qm,hqk,kn->hmn", mean, weights, belongs, optimize=True))


def places_of(places: Places, tokens: frozenset[int]) -> list[int]:
    """The places that any of `tokens` belongs to."""
    return [n for n, group in enumerate(places.groups) if not tokens.isdisjoint(group)]


def without_first(weights: np.ndarray, first: First) -> np.ndarray:
    """The weights with the first position dealt with; see `First`."""
    if first == "keep":
        return weights
    changed = weights.copy()
    changed[..., 0] = 0
    if first == "share":
        whole = changed.sum(-1, keepdims=True)
        before = weights.sum(-1, keepdims=True)
        changed = np.divide(changed * before, whole, out=np.zeros_like(changed), where=whole > 1e-9)
    return changed
