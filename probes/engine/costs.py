"""What a packed forward costs on a model, from the sizes of its average layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.engine.anatomy import Anatomy
from probes.engine.chunking import Costs
from probes.engine.configuration import text_config

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_CACHE_BYTES = 1 << 30
_LOGIT_BYTES = 1 << 28


def costs_of(model: PreTrainedModel, anatomy: Anatomy, chunk_tokens: int) -> Costs:
    """The cost model of `chunking`, from the sizes of an average layer.

    Attention reaches about half the arithmetic rate of a linear map, and moving one number costs about as
    much as 70 multiplications; both matter little to which plan is taken.
    """
    config = text_config(model)
    layers = max(1, len(anatomy.layers))
    weights = sum(
        p.numel() for layer in anatomy.layers for p in model.get_submodule(layer.block).parameters()
    )
    linear = 2.0 * weights / layers
    attention = anatomy.attention_layers
    width = max(
        (layer.heads * layer.head_width for layer in attention if layer.heads and layer.head_width), default=1
    )
    kept = max(
        ((layer.kv_heads or layer.heads or 1) * layer.head_width for layer in attention if layer.head_width),
        default=1,
    )
    item = model.dtype.itemsize
    return Costs(
        pair=2 * 4.0 * width / linear,
        fanned=70.0 * 2 * (kept + width) / linear,
        most_nodes=chunk_tokens,
        most_fanned=_CACHE_BYTES // (2 * kept * item * layers + 2 * width * item),
        most_reads=max(16, _LOGIT_BYTES // (12 * int(config.vocab_size))),
        one_row=anatomy.one_row,
    )
