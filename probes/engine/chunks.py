"""How many token positions a packed forward should have, found by trying the model's own linear maps.

Too few and every forward reads all weights for little work; too many and what it computes leaves the caches,
or fills a small memory. Between the two lies a wide plain: the smallest size on it is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from probes.engine.linears import by_shape, least_seconds, linear_maps, sample

if TYPE_CHECKING:
    from transformers import PreTrainedModel

USUAL = 512
"""Where nothing is worth timing."""
SIZES = {"cpu": (128, 256, 512, 1024)}
SIZES_ELSEWHERE = (512, 1024, 2048, 4096, 8192)
_NEAR = 1.05
"""A size is on the plain when a position costs at most so much of what it costs at best."""


def suitable_chunk(model: PreTrainedModel, blocks: Sequence[nn.Module]) -> int:
    """Token positions of one packed forward: the smallest size at which a position costs about the least."""
    shapes = by_shape(linear_maps(blocks))
    if not shapes:
        return USUAL
    sizes = SIZES.get(model.device.type, SIZES_ELSEWHERE)
    seconds = dict.fromkeys(sizes, 0.0)
    with torch.no_grad():
        for module, count in shapes:
            calls = [_call(module, sample(module, size)) for size in sizes]
            for size, best in zip(sizes, least_seconds(calls), strict=True):
                seconds[size] += count * best
    each = {size: spent / size for size, spent in seconds.items()}
    return next(size for size in sizes if each[size] <= _NEAR * min(each.values()))


def _call(module: nn.Module, x: Tensor) -> Callable[[], object]:
    if x.device.type != "cuda":
        return partial(module, x)

    def finished() -> None:
        module(x)
        torch.cuda.synchronize(x.device)

    return finished
