"""Branches packed side by side over a clean path that was run once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from probes.engine.masks import DepthMasks

KeysValues = list[tuple[Tensor, Tensor] | None]


@dataclass(frozen=True, slots=True)
class Packed:
    """Branches in B rows of Q columns, over the first `prefix` cached positions (K = prefix + Q).

    Attributes:
        ids, depth: int64 [B, Q], each node's token and its position in its own text.
        visible: bool [B, Q, K].
        prefix: cached positions every row stands on.
        rows, columns: int64 [reads], the nodes whose logits are wanted.
    """

    ids: np.ndarray
    depth: np.ndarray
    visible: np.ndarray
    prefix: int
    rows: np.ndarray
    columns: np.ndarray


@dataclass(frozen=True, slots=True)
class Trunk:
    """The clean path, run once: per layer keys and values [1, kv heads, n, width], and the masks by depth."""

    keys_values: KeysValues
    masks: DepthMasks


def cache_over(keys_values: KeysValues, rows: int, length: int) -> Any:
    """A fresh cache whose layers are views of the trunk's first `length` positions, fanned out to `rows`."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    cache = DynamicCache()
    for pair in keys_values:
        layer = DynamicLayer()
        if pair is not None:
            layer.lazy_initialization(*pair)
            layer.keys, layer.values = (tensor[:, :, :length].expand(rows, -1, -1, -1) for tensor in pair)
        cache.layers.append(layer)
    return cache
