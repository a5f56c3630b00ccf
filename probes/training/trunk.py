"""A Llama's layers as training runs them: the same function of the same weights, in fewer passes over memory.

On one core most of a step is not matrix products but what stands around them. So the products of a layer that
share an input are one product, norms and gates know their own gradients, the scale of a norm is folded into
the matrix behind it, and the last layer is computed only where an answer is read.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import LlamaForCausalLM


class _Unit(torch.autograd.Function):
    """Rows divided by their root mean square."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, epsilon: float) -> Tensor:
        scale = (torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_() / x.shape[-1]).add_(epsilon)
        scale.rsqrt_()
        unit = x * scale
        ctx.save_for_backward(unit, scale)
        return unit

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        unit, scale = ctx.saved_tensors
        along = (grad * unit).mean(-1, keepdim=True)
        return torch.addcmul(grad, unit, along, value=-1).mul_(scale), None


class _Gated(torch.autograd.Function):
    """silu(first half) * second half of the last dimension."""

    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        gate, up = both.chunk(2, -1)
        opened = F.silu(gate)
        ctx.save_for_backward(both, opened)
        return opened * up

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        both, opened = ctx.saved_tensors
        gate, up = both.chunk(2, -1)
        out = torch.empty_like(both)
        to_gate, to_up = out.chunk(2, -1)
        torch.mul(grad, opened, out=to_up)
        torch.ops.aten.silu_backward.grad_input(grad * up, gate, grad_input=to_gate)
        return out


class Trunk:
    """The layers of `model`, for batches of branches."""

    def __init__(self, model: LlamaForCausalLM):
        self.model: Any = model
        config = model.config
        self.heads = config.num_attention_heads
        self.size = config.hidden_size // self.heads
        self.epsilon = config.rms_norm_eps
        half = torch.arange(self.size // 2)
        pairs = torch.stack([half, half + self.size // 2], 1).flatten()
        self.paired = (torch.arange(self.heads)[:, None] * self.size + pairs).flatten()
        """Rows of a query or key matrix with the two parts of each rotated pair side by side: as complex
        numbers they turn in one product, and scores do not depend on the order.
        """

    def __call__(
        self, ids: Tensor, mask: Tensor, position: Tensor, wanted: Tensor, keep: Collection[int]
    ) -> tuple[Tensor, dict[int, Tensor]]:
        """The final states at `wanted`, [rows, wanted, width], and the states behind the layers in `keep`
        (1 is the first), [rows, length, width].

        `ids` and `position` are [rows, length]; `mask`, [rows, 1, length, length], is added to the scores;
        `wanted`, [rows, wanted], are places in the rows.
        """
        inner = self.model.model
        turn = self._turn(position)
        x, seen = inner.embed_tokens(ids), {}
        for depth, layer in enumerate(inner.layers, 1):
            narrow = depth == len(inner.layers) and depth not in keep
            x = self._layer(layer, x, mask, turn, wanted if narrow else None)
            if depth in keep:
                seen[depth] = x
        if not narrow:
            x = x[torch.arange(len(x))[:, None], wanted]
        return _Unit.apply(x, self.epsilon) * inner.norm.weight, seen

    def _turn(self, position: Tensor) -> Tensor:
        angles = position[:, :, None, None].float() * self.model.model.rotary_emb.inv_freq
        return torch.polar(torch.ones_like(angles), angles)

    def _layer(self, layer: Any, x: Tensor, mask: Tensor, turn: Tensor, wanted: Tensor | None) -> Tensor:
        attention = layer.self_attn
        scale = layer.input_layernorm.weight
        unit = _Unit.apply(x, self.epsilon)
        query_rows = attention.q_proj.weight[self.paired] * scale
        key_value_rows = torch.cat([attention.k_proj.weight[self.paired], attention.v_proj.weight]) * scale
        if wanted is None:
            made = F.linear(unit, torch.cat([query_rows, key_value_rows]))
            query, key, value = made.chunk(3, -1)
            at = turn
        else:
            key, value = F.linear(unit, key_value_rows).chunk(2, -1)
            rows = torch.arange(len(x))[:, None]
            query, at = F.linear(unit[rows, wanted], query_rows), turn[rows, wanted]
            x, mask = x[rows, wanted], mask[rows, 0, wanted][:, None]
        mixed = F.scaled_dot_product_attention(
            self._rotated(query, at), self._rotated(key, turn), self._split(value), attn_mask=mask
        )
        mixed = mixed.transpose(1, 2).reshape(-1, self.heads * self.size)
        flat = torch.addmm(x.reshape(-1, x.shape[-1]), mixed, attention.o_proj.weight.T)
        return self._mlp(layer, flat).view(x.shape)

    def _mlp(self, layer: Any, flat: Tensor) -> Tensor:
        mlp = layer.mlp
        both = torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]) * layer.post_attention_layernorm.weight
        opened = _Gated.apply(F.linear(_Unit.apply(flat, self.epsilon), both))
        return torch.addmm(flat, opened, mlp.down_proj.weight.T)

    def _split(self, x: Tensor) -> Tensor:
        """[rows, heads, length, size]."""
        return x.view(*x.shape[:2], self.heads, self.size).transpose(1, 2)

    def _rotated(self, x: Tensor, turn: Tensor) -> Tensor:
        pairs = torch.view_as_complex(x.reshape(*x.shape[:2], self.heads, self.size // 2, 2))
        return torch.view_as_real(pairs * turn).flatten(-2).transpose(1, 2)
