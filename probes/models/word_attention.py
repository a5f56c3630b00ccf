"""Attention over tokens told as attention over words: summed over a word's tokens as they are read, averaged
over them as they read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class WordAttention:
    """What every head reads, by words.

    Attributes:
        weights: per layer float64 [heads, readers, units], None where a layer has no attention. The readers
            are the units and, last, the answer position.
        covered: per layer [heads, readers], what goes to the units together: a token that two of them share
            counts once, the prompt's first token not at all.
        sink: per layer [heads, readers], what goes to the prompt's first token.
        entropy: per layer [heads, readers], nats, over tokens.
        distance: per layer [heads, readers], mean tokens back.
        rollout: [readers, units], attention rollout from each reader (Abnar & Zuidema 2020,
            arXiv 2005.00928).
    """

    weights: list[np.ndarray | None]
    covered: list[np.ndarray | None]
    sink: list[np.ndarray | None]
    entropy: list[np.ndarray | None]
    distance: list[np.ndarray | None]
    rollout: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """[readers, units]: over all heads of all layers."""
        found: np.ndarray = np.concatenate([w for w in self.weights if w is not None]).mean(0)
        return found


def telling_reader(weights: np.ndarray) -> int:
    """From where to look at one head: -1 for the answer position, else the number of a unit.

    A reading tells by how far it is from an even one: the Kullback-Leibler divergence (nats) of what goes to
    the units before the reader from an even spread, times their share of all that is read. So neither a head
    that rests on the first token tells, nor one that reads everything alike. The answer position is taken
    where it tells at least half of what the best reader does: there the answer is read off.

    Args:
        weights: [readers, units], the answer position the last reader.
    """
    readers, units = weights.shape
    before = np.arange(units) < np.minimum(np.arange(readers), units)[:, None]
    read = np.where(before, weights, 0.0)
    even = read.sum(-1, keepdims=True) / np.maximum(before.sum(-1, keepdims=True), 1)
    ratio = np.divide(read, even, out=np.ones_like(read), where=(read > 0) & (even > 0))
    told = (read * np.log(ratio)).sum(-1)
    return -1 if told[-1] >= told.max() / 2 else int(told.argmax())


def by_words(attention: Sequence[np.ndarray | None], units: Sequence[Sequence[int]]) -> WordAttention:
    """Args: per layer [heads, n, n], row = the token that reads; the tokens of each unit."""
    n = next(len(a[0]) for a in attention if a is not None)
    read, reading = np.zeros((n, len(units))), np.zeros((len(units) + 1, n))
    for place, tokens in enumerate(units):
        read[list(tokens), place] = 1
        reading[place, list(tokens)] = 1 / max(1, len(tokens))
    reading[-1, -1] = 1
    any_unit = read.max(axis=1, initial=0.0)
    any_unit[0] = 0
    weights: list[np.ndarray | None] = []
    covered: list[np.ndarray | None] = []
    sink: list[np.ndarray | None] = []
    entropy: list[np.ndarray | None] = []
    distance: list[np.ndarray | None] = []
    back = np.arange(n)[:, None] - np.arange(n)
    for layer in attention:
        if layer is None:
            for kept in (weights, covered, sink, entropy, distance):
                kept.append(None)
            continue
        a = layer.astype(float)
        weights.append(reading @ a @ read)
        covered.append((a @ any_unit) @ reading.T)
        sink.append(a[:, :, 0] @ reading.T)
        spread = -np.where(a > 0, a * np.log(np.where(a > 0, a, 1)), 0).sum(-1)
        entropy.append(spread @ reading.T)
        distance.append((a * back).sum(-1) @ reading.T)
    return WordAttention(weights, covered, sink, entropy, distance, _rollout(attention, reading) @ read)


def _rollout(attention: Sequence[np.ndarray | None], reading: np.ndarray) -> np.ndarray:
    """[readers, n]: from each reader down, half of every layer's flow staying where it is (the residual
    stream).
    """
    flow = reading
    for layer in reversed(attention):
        if layer is not None:
            mixed = (layer.astype(float).mean(0) + np.eye(len(layer[0]))) / 2
            flow = flow @ (mixed / mixed.sum(-1, keepdims=True))
    return flow
