"""A Llama's layers as training runs them: the same function of the same weights, in fewer passes over memory.

On one core most of a step is not matrix products but what stands around them. So the products of a layer that
share an input are one product, norms and gates know their own gradients, the scale of a norm is folded into
the matrix behind it, and the last layer is computed only where an answer is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
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
        found: Tensor = unit
        return found

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


class _HalfProduct(torch.autograd.Function):
    """x @ weight.T, multiplied in bfloat16, forwards and backwards, and handed on as float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        x, weight = x.bfloat16(), weight.bfloat16()
        ctx.save_for_backward(x, weight)
        return (x @ weight.T).float()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        grad = grad.bfloat16()
        to_weight = grad.flatten(0, -2).T @ x.flatten(0, -2)
        return (grad @ weight).float(), to_weight.float()


PARTS = 3
"""Parts that a row's queries are taken in: no key behind a part's last query is looked at by any of them."""


class _HalfAttention(torch.autograd.Function):
    """softmax(query key / sqrt(size) + mask) value; products but the scores' in bfloat16. `causal`: queries
    and keys are the same places, and none reads a later one.

    The scores stay in float32: rounded, a score of 20 would be off by 0.06, and with it the weight by 6 %.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, causal: bool) -> Tensor:
        ctx.scale = query.shape[-1] ** -0.5
        ctx.parts = list(_parts(query.shape[2], key.shape[2], causal))
        halves, mixed, kept = value.bfloat16(), [], []
        for rows, keys in ctx.parts:
            scores = (query[:, :, rows] @ key[:, :, keys].transpose(-1, -2)).mul_(ctx.scale)
            weights = torch.softmax(scores.add_(mask[:, :, rows, keys]), -1)
            kept.append(weights)
            mixed.append(weights.bfloat16() @ halves[:, :, keys])
        ctx.save_for_backward(query.bfloat16(), key.bfloat16(), halves, *kept)
        return torch.cat(mixed, 2).float()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        query, key, value, *kept = ctx.saved_tensors
        grad, to_query = grad.bfloat16(), []
        to_key, to_value = torch.zeros_like(key), torch.zeros_like(value)
        for (rows, keys), weights in zip(ctx.parts, kept, strict=True):
            above = grad[:, :, rows]
            to_value[:, :, keys] += weights.bfloat16().transpose(-1, -2) @ above
            moved = (above @ value[:, :, keys].transpose(-1, -2)).float()
            scores = torch.ops.aten._softmax_backward_data(moved, weights, -1, torch.float32)
            scores = scores.mul_(ctx.scale).bfloat16()
            to_query.append(scores @ key[:, :, keys])
            to_key[:, :, keys] += scores.transpose(-1, -2) @ query[:, :, rows]
        return torch.cat(to_query, 2).float(), to_key.float(), to_value.float(), None, None


def _attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, causal: bool) -> Tensor:
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def _parts(queries: int, keys: int, causal: bool) -> Iterator[tuple[slice, slice]]:
    """Queries, and the keys that they may read; all at once where the queries are chosen places."""
    if not causal:
        yield slice(0, queries), slice(0, keys)
        return
    size = -(-queries // PARTS)
    for start in range(0, queries, size):
        end = min(queries, start + size)
        yield slice(start, end), slice(0, end)


def halves_pay(device: str = "cpu") -> bool:
    """Whether this device multiplies bfloat16 itself (a processor with AVX-512 BF16 or AMX, a GPU); elsewhere
    it would be emulated, and slower than float32.
    """
    if device != "cpu":
        found: bool = torch.cuda.is_bf16_supported(including_emulation=False)
        return found
    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))


class TrainingTrunk:
    """The layers of `model`, for batches of branches; `half`: products in bfloat16."""

    def __init__(self, model: LlamaForCausalLM, half: bool = False):
        self.model: Any = model
        self.product = _HalfProduct.apply if half else F.linear
        self.attend = _HalfAttention.apply if half else _attention
        config = model.config
        self.heads = config.num_attention_heads
        self.size = config.hidden_size // self.heads
        self.epsilon = config.rms_norm_eps
        first = torch.arange(self.size // 2)
        pairs = torch.stack([first, first + self.size // 2], 1).flatten()
        self.paired = (torch.arange(self.heads)[:, None] * self.size + pairs).flatten().to(model.device)
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
            x = x[torch.arange(len(x), device=x.device)[:, None], wanted]
        return _Unit.apply(x, self.epsilon) * inner.norm.weight, seen  # type: ignore[no-untyped-call]

    def _turn(self, position: Tensor) -> Tensor:
        angles = position[:, :, None, None].float() * self.model.model.rotary_emb.inv_freq
        return torch.polar(torch.ones_like(angles), angles)

    def _layer(self, layer: Any, x: Tensor, mask: Tensor, turn: Tensor, wanted: Tensor | None) -> Tensor:
        attention = layer.self_attn
        scale = layer.input_layernorm.weight
        unit = _Unit.apply(x, self.epsilon)  # type: ignore[no-untyped-call]
        query_rows = attention.q_proj.weight[self.paired] * scale
        key_value_rows = torch.cat([attention.k_proj.weight[self.paired], attention.v_proj.weight]) * scale
        if wanted is None:
            made = self.product(unit, torch.cat([query_rows, key_value_rows]))
            query, key, value = made.chunk(3, -1)
            at = turn
        else:
            key, value = self.product(unit, key_value_rows).chunk(2, -1)
            rows = torch.arange(len(x), device=x.device)[:, None]
            query, at = self.product(unit[rows, wanted], query_rows), turn[rows, wanted]
            x, mask = x[rows, wanted], mask[rows, 0, wanted][:, None]
        query, key, value = self._rotated(query, at), self._rotated(key, turn), self._split(value)
        mixed = self.attend(query, key, value, mask, wanted is None)
        mixed = mixed.transpose(1, 2).reshape(-1, self.heads * self.size)
        flat = x.reshape(-1, x.shape[-1]) + self.product(mixed, attention.o_proj.weight)
        return self._mlp(layer, flat).view(x.shape)

    def _mlp(self, layer: Any, flat: Tensor) -> Tensor:
        mlp = layer.mlp
        both = torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]) * layer.post_attention_layernorm.weight
        opened = _Gated.apply(self.product(_Unit.apply(flat, self.epsilon), both))  # type: ignore[no-untyped-call]
        return flat + self.product(opened, mlp.down_proj.weight)

    def _split(self, x: Tensor) -> Tensor:
        """[rows, heads, length, size]."""
        return x.view(*x.shape[:2], self.heads, self.size).transpose(1, 2)

    def _rotated(self, x: Tensor, turn: Tensor) -> Tensor:
        pairs = torch.view_as_complex(x.reshape(*x.shape[:2], self.heads, self.size // 2, 2))
        return torch.view_as_real(pairs * turn).flatten(-2).transpose(1, 2)
