"""Interventions of many rows as hooks of one forward: what is replaced where, and who may read whom.

A forward runs B rows of Q columns; `Sheet` says which node of the line stands in each. All edits of a layer
and site become one mask and one tensor over the whole batch, so that a thousand heads are no slower to
prepare than one, and everything is undone with the hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from probes.engine import hooks
from probes.engine.anatomy import Anatomy, Layer, output_weight
from probes.engine.edits import SITES, Edit, Knockout, Replace, Site
from probes.engine.masks import Sight

PADDING = -1


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands where in a forward.

    Attributes:
        nodes: int64 [B, Q], the line's node in each column, PADDING where there is none.
        keys: int64 [B, K], likewise of what can be read, cached positions first.
        edits: per row, what is done in it.
    """

    nodes: np.ndarray
    keys: np.ndarray
    edits: Sequence[Sequence[Edit]]


@dataclass(slots=True)
class Swap:
    """All replacements of a layer and site: `value` where `mask` (bool [B, Q, width]), else what it was."""

    mask: Tensor
    value: Tensor

    def __call__(self, hidden: Tensor) -> Tensor:
        shaped = hidden.reshape(self.mask.shape)
        return torch.where(self.mask, self.value, shaped).reshape(hidden.shape)


class Parts:
    """The modules of a model's sites, layer by layer."""

    def __init__(self, model: nn.Module, anatomy: Anatomy) -> None:
        self.layers = anatomy.layers
        self._model = model
        self.blocks = [model.get_submodule(layer.block) for layer in anatomy.layers]

    def module(self, layer: int, site: Site) -> nn.Module | None:
        """The module whose input ("head") or output (the others) is the site; None where there is none."""
        entry = self.layers[layer]
        name = {"head": entry.projection, "attention": entry.projection, "mlp": entry.feed_forward}.get(
            site, entry.block
        )
        return self._model.get_submodule(name) if name else None

    def attention(self, layer: int) -> nn.Module | None:
        """The attention module."""
        name = self.layers[layer].attention
        return self._model.get_submodule(name) if name else None

    @property
    def blocks_device(self) -> torch.device:
        """Where the first block computes."""
        return next(self.blocks[0].parameters()).device

    def widths(self, layer: int) -> tuple[int, int]:
        """Columns of the projection's input and of the residual stream."""
        entry = self.layers[layer]
        stream = self._stream()
        return (entry.heads or 0) * (entry.head_width or 0), stream

    def _stream(self) -> int:
        projection = next((layer.projection for layer in self.layers if layer.projection), None)
        if projection is None:
            raise ValueError("no layer has attention")
        return int(output_weight(self._model.get_submodule(projection)).shape[0])


def swaps(
    sheet: Sheet, parts: Parts, dtype: torch.dtype, device: torch.device
) -> dict[tuple[int, Site], Swap]:
    """The replacements of a sheet by layer and site."""
    made: dict[tuple[int, Site], Swap] = {}
    for row, edits in enumerate(sheet.edits):
        for edit in edits:
            if not isinstance(edit, Replace):
                continue
            place = (edit.layer, edit.site)
            if place not in made:
                made[place] = _empty(sheet.nodes.shape, parts, place, dtype, device)
            _write(made[place], row, sheet.nodes[row], edit, parts.layers[edit.layer])
    return made


def _empty(
    shape: tuple[int, ...], parts: Parts, place: tuple[int, Site], dtype: torch.dtype, device: torch.device
) -> Swap:
    heads, stream = parts.widths(place[0])
    full = (*shape, heads if place[1] == "head" else stream)
    return Swap(
        torch.zeros(full, dtype=torch.bool, device=device), torch.zeros(full, dtype=dtype, device=device)
    )


def _write(swap: Swap, row: int, nodes: np.ndarray, edit: Replace, layer: Layer) -> None:
    """Enter one edit of one row."""
    width = layer.head_width or 0
    part = slice(None) if edit.head is None else slice(edit.head * width, edit.head * width + width)
    if edit.positions is None:
        columns = np.flatnonzero(nodes != PADDING)
        source = nodes[columns]
    else:
        order = {node: place for place, node in enumerate(edit.positions)}
        columns = np.array([c for c, node in enumerate(nodes.tolist()) if node in order], np.int64)
        source = np.array([order[node] for node in nodes[columns].tolist()], np.int64)
    at = torch.from_numpy(columns).to(swap.mask.device)
    swap.mask[row, at, part] = True
    if edit.value is None:
        swap.value[row, at, part] = 0
    else:
        value = edit.value.to(swap.value)
        if value.dim() == 2:
            value = value[torch.from_numpy(source).to(value.device)]
        swap.value[row, at, part] = value


def sights(
    sheet: Sheet, visible: np.ndarray, layers: Sequence[Layer], sight: Callable[[np.ndarray], Sight]
) -> list[Sight]:
    """What each block's queries may read: `visible` [B, Q, K] less the sheet's knockouts.

    Args:
        sight: makes a `Sight` of [B, Q, K] or [B, heads, Q, K].
    """
    cuts = [
        (row, edit) for row, edits in enumerate(sheet.edits) for edit in edits if isinstance(edit, Knockout)
    ]
    made: dict[tuple[int, ...], Sight] = {}
    out = []
    for layer in layers:
        here = tuple(i for i, (_, cut) in enumerate(cuts) if cut.layers is None or layer.index in cut.layers)
        if here not in made:
            made[here] = sight(_cut(sheet, visible, [cuts[i] for i in here], layer.heads or 1))
        out.append(made[here])
    return out


def _cut(sheet: Sheet, visible: np.ndarray, cuts: Sequence[tuple[int, Knockout]], heads: int) -> np.ndarray:
    if not cuts:
        return visible
    by_head = any(cut.heads is not None for _, cut in cuts)
    out = np.repeat(visible[:, None], heads, axis=1) if by_head else visible.copy()[:, None]
    for row, cut in cuts:
        query, key = sheet.nodes[row], sheet.keys[row]
        gone = np.isin(query, cut.queries)[:, None] & np.isin(key, cut.keys) & (query[:, None] != key)
        chosen = slice(None) if cut.heads is None or not by_head else list(cut.heads)
        out[row, chosen] &= ~gone
    return out if by_head else out[:, 0]


@contextmanager
def operated(parts: Parts, made: dict[tuple[int, Site], Swap], layers: Sequence[int]) -> Iterator[None]:
    """While open, forwards of the sheet's shape have these replacements made in `layers`."""
    with ExitStack() as undo:
        for site in SITES:
            modules: list[nn.Module] = []
            edits: list[Callable[[Tensor], Tensor] | None] = []
            for layer in layers:
                module = parts.module(layer, site)
                if module is not None and (layer, site) in made:
                    modules.append(module)
                    edits.append(made[layer, site])
            open_hooks = hooks.edited_inputs if site == "head" else hooks.edited_outputs
            undo.enter_context(open_hooks(modules, edits))
        yield
