"""The model's own masks, read once and re-indexed by depth.

A tree packs tokens of many texts side by side, so the place of a token in the row says nothing about its
place in the text (its *depth*). What may a query at depth q read of a key at depth k? Windows, chunks, alibi
slopes, layers without positions: every architecture answers differently, and handing one causal mask to the
model silently takes sliding windows away. So nobody is asked: one plain forward over as many tokens as the
deepest text has records what each block is handed (`attention_mask`, `alibi`, `position_bias`), and the mask
of a packed row is that record read at (depth of query, depth of key) where the pair is visible, and at
(0, 1), a pair the model itself forbids, elsewhere. A block that is handed no mask is plainly causal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from probes.engine.hooks import Arguments

MASK_ARGUMENTS = ("attention_mask", "alibi", "position_bias")


@dataclass(frozen=True, slots=True)
class Sight:
    """Who may read whom in a packed forward of B rows, Q queries and K keys (cached ones first).

    Attributes:
        visible: bool [B, Q, K], or [B, query heads, Q, K] where heads differ; every query sees itself.
        query_depth: int64 [B, Q], position of each query in its own text.
        key_depth: int64 [B, K], likewise of each key.
    """

    visible: Tensor
    query_depth: Tensor
    key_depth: Tensor


class DepthMasks:
    """What each block of a model is handed, over depths 0 .. depth - 1, ready to be read for any packing."""

    def __init__(
        self,
        recorded: Sequence[Arguments],
        buffers: Sequence[Tensor | None],
        masked: Sequence[bool],
        dtype: torch.dtype,
    ) -> None:
        """
        Args:
            recorded: per block, the mask arguments of one plain forward over `depth` tokens, batch of one.
            buffers: per block, a bool [1, 1, n, n] mask the attention module keeps for itself (gpt_neo).
            masked: per block, whether it has attention that a mask can steer; others are left alone.
            dtype: of the masks made here; the model's own.
        """
        self.dtype = dtype
        self.masked = tuple(masked)
        self._recorded = [
            _with_buffer(given, own, dtype) for given, own in zip(recorded, buffers, strict=True)
        ]
        self._flat: dict[int, tuple[Tensor, Tensor] | None] = {}

    @property
    def one_row(self) -> bool:
        """Whether some bias has no batch axis, so that a packed forward may have one row only."""
        return any("position_bias" in given for given in self._recorded)

    @property
    def biased(self) -> bool:
        """Whether positions are told by a bias, not by position ids."""
        return any("position_bias" in given or "alibi" in given for given in self._recorded)

    def arguments(self, sights: Sight | Sequence[Sight]) -> list[Arguments]:
        """Per block, the arguments that give every query exactly what its sight lets it read.

        Args:
            sights: one for all blocks, or one a block; blocks that share a sight share its tensors.
        """
        each = [sights] * len(self.masked) if isinstance(sights, Sight) else sights
        made: dict[tuple[str, int, int], Tensor] = {}

        def once(name: str, source: Tensor | None, sight: Sight) -> Tensor:
            key = (name, id(source), id(sight))
            if key not in made:
                made[key] = getattr(self, f"_{name}")(source, sight)
            return made[key]

        out: list[Arguments] = []
        for given, masked, sight in zip(self._recorded, self.masked, each, strict=True):
            if not masked:
                out.append({})
                continue
            new: Arguments = {"attention_mask": once("attention_mask", given.get("attention_mask"), sight)}
            for name in ("alibi", "position_bias"):
                if name in given:
                    new[name] = once(name, given[name], sight)
            out.append(new)
        return out

    def _attention_mask(self, own: Tensor | None, sight: Sight) -> Tensor:
        """[B, 1 or heads, Q, K] in the model's own convention (float added, or bool either way round)."""
        visible = sight.visible if sight.visible.dim() == 4 else sight.visible[:, None]
        if own is None:
            forbidden = torch.finfo(self.dtype).min
            return torch.zeros(visible.shape, dtype=self.dtype, device=visible.device).masked_fill_(
                ~visible, forbidden
            )
        two = self._two_values(own)
        if two is not None:
            return torch.where(visible, *two)
        square = own[0]
        batch, queries, keys = visible.shape[0], *visible.shape[-2:]
        rows = square[:, sight.query_depth]
        columns = sight.key_depth[None, :, None, :].expand(square.shape[0], batch, queries, keys)
        mask = rows.gather(-1, columns).transpose(0, 1)
        return torch.where(visible, mask, square[None, :, :1, 1:2])

    def _two_values(self, own: Tensor) -> tuple[Tensor, Tensor] | None:
        """(allowed, forbidden) where the recorded mask is nothing but causal, else None."""
        if id(own) not in self._flat:
            allowed, forbidden = own[0, 0, 0, 0], own[0, 0, 0, 1]
            causal = torch.ones(own.shape[-2:], dtype=torch.bool, device=own.device).tril()
            plain = bool((torch.where(causal, allowed, forbidden) == own).all())
            self._flat[id(own)] = (allowed, forbidden) if plain else None
        return self._flat[id(own)]

    def _alibi(self, own: Tensor, sight: Sight) -> Tensor:
        """Bloom's [heads, 1, d] as [B * heads, 1, K]; falcon's [1, heads, 1, d] as [B, heads, 1, K]"""
        if own.dim() == 3:
            return own[:, 0][:, sight.key_depth].transpose(0, 1).reshape(-1, 1, sight.key_depth.shape[1])
        return own[0, :, 0][:, sight.key_depth].transpose(0, 1)[:, :, None]

    def _position_bias(self, own: Tensor, sight: Sight) -> Tensor:
        """Mpt's [heads, 1, n], counted from its end; a constant added to a row cancels in the softmax."""
        if not bool((sight.key_depth == sight.key_depth[:1]).all()):
            raise NotImplementedError("a position bias without a batch axis wants rows of equal depths")
        return own[..., own.shape[-1] - 1 - sight.key_depth.max() + sight.key_depth[0]]


def _with_buffer(given: Arguments, own: Tensor | None, dtype: torch.dtype) -> Arguments:
    """Fold a mask that the attention module keeps for itself into the one it is handed."""
    mask = given.get("attention_mask")
    if mask is not None and (not isinstance(mask, Tensor) or mask.dim() != 4 or mask.shape[0] != 1):
        given = {name: value for name, value in given.items() if name != "attention_mask"}
        if not isinstance(mask, Tensor):
            raise NotImplementedError(f"a mask of kind {type(mask).__name__}")
        mask = None
    if own is None:
        return given
    depth = mask.shape[-1] if mask is not None else own.shape[-1]
    base = mask if mask is not None else torch.zeros(1, 1, depth, depth, dtype=dtype, device=own.device)
    return given | {"attention_mask": base.masked_fill(~own[..., :depth, :depth], torch.finfo(dtype).min)}
