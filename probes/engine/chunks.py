"""How many token positions a packed forward should have, found by trying the model's own linear maps.

Too few and every forward reads all weights for little work; too many and what it computes leaves the caches,
or fills a small memory. Between the two lies a wide plain, and what stands around the maps costs the same for
every size: so the usual size is kept unless another one is clearly better.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from probes.engine.clock import least_seconds
from probes.engine.linears import by_shape, linear_maps, sample

if TYPE_CHECKING:
    from transformers import PreTrainedModel

USUAL, USUAL_ELSEWHERE = {"cpu": 512}, 4096
SIZES = {"cpu": (256, 512, 1024), "cuda": (1024, 2048, 4096, 8192)}
"""On other devices nothing is timed."""
CLEARLY = 0.9
"""Another size is taken where a position costs at most this share of what it costs at the usual size."""
_MOST_WEIGHTS = 1 << 24
"""Products with a larger matrix take so long that nothing around them matters, and timing them seconds."""


def usual_chunk(device: str) -> int:
    """Token positions of one packed forward where nothing is known of the model."""
    return USUAL.get(device, USUAL_ELSEWHERE)


def suitable_chunk(model: PreTrainedModel, blocks: Sequence[nn.Module]) -> int:
    """Token positions of one packed forward: the usual size, or the one at which a position costs least by
    far.
    """
    device = model.device.type
    usual, sizes = usual_chunk(device), SIZES.get(device, ())
    shapes = by_shape(linear_maps(blocks))
    weights = [parameter.numel() for module, _ in shapes for parameter in module.parameters()]
    if not sizes or not shapes or max(weights) > _MOST_WEIGHTS:
        return usual
    seconds = dict.fromkeys(sizes, 0.0)
    with torch.no_grad():
        for module, count in shapes:
            calls = [partial(module, sample(module, size)) for size in sizes]
            for size, best in zip(sizes, least_seconds(calls, device), strict=True):
                seconds[size] += count * best
    each = {size: spent / size for size, spent in seconds.items()}
    best = min(sizes, key=each.__getitem__)
    return best if each[best] <= CLEARLY * each[usual] else usual
