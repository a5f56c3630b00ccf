"""How much memory runs with edits take beside a model's weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from probes.engine.anatomy import Anatomy
from probes.engine.configuration import text_config
from probes.engine.surgery import Parts

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def record_bytes(anatomy: Anatomy, parts: Parts, nodes: int, itemsize: int) -> int:
    """Memory that the record of a line of so many nodes takes."""
    per_node = 0
    for layer in anatomy.layers:
        heads, stream = parts.widths(layer.index)
        per_node += heads + 4 * stream  # the projection, the attention module, the feed-forward, the block
    return nodes * per_node * itemsize


def forward_width(model: PreTrainedModel, anatomy: Anatomy, parts: Parts) -> int:
    """Numbers that a forward keeps for each node: keys and values of every layer, and the outputs of the
    widest one. A layer's linear maps put out as many numbers a node as they have weights for each input; of
    experts only those that are asked count.
    """
    config = text_config(model)
    experts = getattr(config, "num_experts", None) or getattr(config, "num_local_experts", None) or 1
    asked = (getattr(config, "num_experts_per_tok", None) or 1) / experts
    kept = sum(2 * (layer.kv_heads or layer.heads or 0) * (layer.head_width or 0) for layer in anatomy.layers)
    widest = 0.0
    for layer, block in zip(anatomy.layers, parts.blocks, strict=True):
        named = block.named_parameters()
        weights = sum(p.numel() * (asked if "expert" in name else 1) for name, p in named)
        widest = max(widest, weights / parts.widths(layer.index)[1])
    return kept + round(2 * widest)
