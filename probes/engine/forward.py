"""Every call of the model: plain, recorded, or packed over a cached prefix; always locked and counted."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from probes.engine import hooks
from probes.engine.anatomy import Anatomy
from probes.engine.configuration import takes_position_ids
from probes.engine.jobs import Report
from probes.engine.linears import PackedLinears
from probes.engine.masks import MASK_ARGUMENTS, DepthMasks, Sight
from probes.engine.packing import KeysValues, Packed, Trunk, cache_over
from probes.engine.turns import turns_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Forwards:
    """The calls of one model for one job list; what they cost goes to `report`.

    Logits come back as float32 [reads, vocabulary].
    """

    def __init__(
        self,
        model: PreTrainedModel,
        anatomy: Anatomy,
        report: Report,
        linears: PackedLinears | None = None,
    ) -> None:
        self.model = model
        self.linears = linears
        self.anatomy = anatomy
        self.lock = turns_of(model)
        self.report = report
        self.blocks: list[nn.Module] = [model.get_submodule(layer.block) for layer in anatomy.layers]
        self.tail = model.get_submodule(anatomy.tail) if anatomy.tail else None
        self.head = model.get_output_embeddings() if anatomy.can("read") else None
        self.differentiable = False
        self.lends = False
        """Whether others may use the model between two forwards of a job list."""
        self._positions = takes_position_ids(model)
        self._device: torch.device = model.get_input_embeddings().weight.device  # type: ignore[assignment]

    def bare(self) -> Forwards:
        """The same without any short cut: the model's own maps, logits at every position."""
        other = copy.copy(self)
        other.head = other.linears = other.tail = None
        return other

    def with_gradients(self) -> Forwards:
        """The same, but the logits can be differentiated: no map that autograd does not know."""
        other = copy.copy(self)
        other.linears, other.differentiable = None, True
        return other

    def between(self) -> None:
        """A point between two forwards at which the model is as it was found."""
        if self.lends:
            self.lock.lend()

    def length_matters(self, tokens: int) -> bool:
        """Whether a text this long may only share a forward with texts of the same length."""
        limit = self.anatomy.length_limit
        return not self.anatomy.can("pad") or (limit is not None and tokens > limit)

    # ---- plain

    def plain(
        self,
        ids: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
        fast: bool = False,
        around: AbstractContextManager[object] | None = None,
    ) -> Tensor:
        """A forward of `ids` [B, L] as they are: no mask, no cache. Short rows are padded on the right.

        Args:
            fast: packed linear maps may be used.
            around: open during this very forward and no other that may be needed beside it.
        """
        with self._settled(ids.shape[1]), self._linears(fast), around or nullcontext():
            return self._run(ids, rows, columns, use_cache=False)

    def masked(
        self,
        ids: np.ndarray,
        hidden: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
        masks: DepthMasks,
        fast: bool = False,
    ) -> Tensor:
        """A forward of `ids` [B, L], no cache, in which nobody reads the positions `hidden` (bool [B, L])."""
        batch, length = ids.shape
        depth = np.broadcast_to(np.arange(length), (batch, length))
        visible = np.tri(length, dtype=bool) & ~hidden[:, None, :] | np.eye(length, dtype=bool)
        return self.sighted(ids, rows, columns, masks, self.sight(visible, depth, depth), fast)

    def sighted(
        self,
        ids: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
        masks: DepthMasks,
        sights: Sight | Sequence[Sight],
        fast: bool = False,
        around: AbstractContextManager[object] | None = None,
    ) -> Tensor:
        """A forward of `ids` [B, L], no cache, that sees what `sights` say: one for all, or one a block."""
        length = ids.shape[1]
        steered = self.steered(masks, sights, length)
        with self._settled(length), steered, self._linears(fast), around or nullcontext():
            return self._run(ids, rows, columns, use_cache=False)

    def whole(self) -> Callable[[Sequence[int]], Tensor]:
        """A function from a text's tokens to the logits [vocabulary] after its last one."""
        zero = np.zeros(1, np.int64)
        return lambda text: self.plain(np.array([text]), zero, np.array([len(text) - 1]))[0]

    def cached(self) -> Callable[[Sequence[int]], Tensor]:
        """The same for a text that is handed over piece by piece; what was read before is kept."""
        from transformers import DynamicCache

        cache, zero = DynamicCache(), np.zeros(1, np.int64)

        def read(piece: Sequence[int]) -> Tensor:
            last = np.array([len(piece) - 1])
            return self._run(np.array([piece]), zero, last, use_cache=True, past_key_values=cache)[0]

        return read

    def masks(self, depth: int, token: int = 0) -> DepthMasks:
        """The model's own masks over `depth` tokens, from one plain forward."""
        ids = np.full((1, max(depth, 2)), token)
        with self._settled(ids.shape[1]), hooks.recorded_arguments(self.blocks, MASK_ARGUMENTS) as seen:
            self._run(ids, np.zeros(1, int), np.zeros(1, int), use_cache=False)
        return self.depth_masks(seen)

    # ---- trunk and branches

    def trunk(self, ids: Sequence[int], keep: int, depth: int, columns: np.ndarray) -> tuple[Trunk, Tensor]:
        """Run the clean path once, keep its first keys and values, record the masks over `depth` positions.

        Padding after the path changes nothing before it, so one forward of `depth` tokens gives both.

        Args:
            ids: the path's tokens.
            keep: how many of them branches may stand on.
            depth: positions of the deepest text.
            columns: int64 [reads], positions of the path whose logits are wanted.

        Returns:
            the trunk, and the logits at `columns` of the path.
        """
        from transformers import DynamicCache

        padded = np.full((1, max(depth, len(ids), 2)), ids[-1])
        padded[0, : len(ids)] = ids
        cache = DynamicCache()  # without a configuration: sliding layers must keep what left the window
        with self.lock, hooks.recorded_arguments(self.blocks, MASK_ARGUMENTS) as seen:
            logits = self._run(padded, np.zeros_like(columns), columns, use_cache=True, past_key_values=cache)
        kept: KeysValues = [
            None if keys is None else (keys[:, :, :keep].clone(), values[:, :, :keep].clone())
            for keys, values, *_ in cache
        ]
        return Trunk(kept, self.depth_masks(seen)), logits

    def packed(
        self,
        packed: Packed,
        trunk: Trunk,
        *,
        sights: Sequence[Sight] | None = None,
        whole: bool = False,
        share: float = 1.0,
    ) -> Tensor:
        """Run branches over the first `packed.prefix` positions of the trunk.

        Args:
            sights: what each block's queries may read, where blocks differ; `packed.visible` otherwise.
            whole: run the last block's feed-forward at every position, read or not.
            share: part of the blocks that really run, for the report.
        """
        batch = packed.ids.shape[0]
        prefix = np.broadcast_to(np.arange(packed.prefix), (batch, packed.prefix))
        key_depth = np.concatenate([prefix, packed.depth], axis=1)
        extra: dict[str, Any] = {
            "use_cache": True,
            "past_key_values": cache_over(trunk.keys_values, batch, packed.prefix),
        }
        if self._positions:
            extra["position_ids"] = self.tensor(packed.depth)
        seen = sights or self.sight(packed.visible, packed.depth, key_depth)
        with (
            self.steered(trunk.masks, seen, max(packed.visible.shape[-2:])),
            self._linears(fast=True),
            nullcontext() if whole else self._only_where_read(packed.rows, packed.columns),
        ):
            return self._run(packed.ids, packed.rows, packed.columns, share, **extra)

    # ---- inside

    def _run(
        self, ids: np.ndarray, rows: np.ndarray, columns: np.ndarray, share: float = 1.0, **extra: Any
    ) -> Tensor:
        self.report.forwards += 1
        self.report.tokens_run += round(ids.size * share)
        at = self.tensor(rows), self.tensor(columns)
        with self.lock, torch.set_grad_enabled(self.differentiable):
            found: Tensor
            if self.head is None:
                found = self.model(self.tensor(ids), **extra).logits[at].float()
                return found
            with hooks.read_positions(self.head, *at):
                found = self.model(self.tensor(ids), **extra).logits[0].float()
            return found

    def _only_where_read(self, rows: np.ndarray, columns: np.ndarray) -> AbstractContextManager[None]:
        if self.tail is None:
            return nullcontext()
        return hooks.only_positions(self.tail, self.tensor(rows), self.tensor(columns))

    def _linears(self, fast: bool) -> AbstractContextManager[None]:
        return self.linears.applied() if fast and self.linears is not None else nullcontext()

    def sight(self, visible: np.ndarray, query: np.ndarray, key: np.ndarray) -> Sight:
        """Who may read whom: `visible` bool [B, Q, K], the depths of queries [B, Q] and of keys [B, K]."""
        return Sight(self.tensor(visible), self.tensor(query), self.tensor(key))

    @contextmanager
    def steered(self, masks: DepthMasks, sights: Sight | Sequence[Sight], size: int) -> Iterator[None]:
        """While open, forwards of the given shape see exactly what `sights` say, one for all or one a block.

        Args:
            size: queries or keys of the forward, whichever are more.
        """
        keepers = [module for module in self._attention() if _own_mask(module) is not None]
        everything = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=self._device).expand(1, 1, size, size)
        with (
            self.lock,
            hooks.replaced_arguments(self.blocks, masks.arguments(sights)),
            hooks.replaced_buffers(keepers, "bias", everything),
        ):
            yield

    @contextmanager
    def _settled(self, length: int) -> Iterator[None]:
        """Frequencies that grow with the longest call so far: start and leave them as if just loaded."""
        limit = self.anatomy.length_limit
        with self.lock:
            if limit is None or length <= limit:
                yield
                return
            self._reset_frequencies()
            try:
                yield
            finally:
                self._reset_frequencies()

    def _reset_frequencies(self) -> None:
        with torch.no_grad():
            self.model(self.tensor(np.zeros((1, 1), int)), use_cache=False)

    def depth_masks(self, seen: list[hooks.Arguments]) -> DepthMasks:
        """The masks out of what each block was handed in a plain forward."""
        attention = {
            layer.index: module
            for layer, module in zip(self.anatomy.attention_layers, self._attention(), strict=True)
        }
        own = [_own_mask(attention[i]) if i in attention else None for i in range(len(self.blocks))]
        return DepthMasks(seen, own, [i in attention for i in range(len(self.blocks))], self.model.dtype)

    def _attention(self) -> list[nn.Module]:
        return [
            self.model.get_submodule(layer.attention)
            for layer in self.anatomy.attention_layers
            if layer.attention
        ]

    def tensor(self, array: np.ndarray) -> Tensor:
        """`array` where the model takes its input."""
        return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(self._device)


def _own_mask(attention: nn.Module) -> Tensor | None:
    """The causal mask an attention module keeps for itself as a bool buffer [1, 1, n, n] (gpt_neo)."""
    bias = getattr(attention, "bias", None)
    return bias if isinstance(bias, Tensor) and bias.dim() == 4 and bias.dtype == torch.bool else None


def target_log_probs(logits: Tensor, reads: Sequence[int], targets: Sequence[int]) -> list[float]:
    """Log-probability of targets[i] at logits[reads[i]], nats, by a log-softmax in float64.

    A float32 one knows no probability between 1 - 6e-8 and 1; what is left of a string less those that go on
    from it would be lost there.
    """
    if not reads:
        return []
    if logits.device.type == "mps":  # it has no float64
        logits = logits.cpu()
    index = torch.tensor([reads, targets], device=logits.device)
    return logits.double().log_softmax(-1)[index[0], index[1]].tolist()
