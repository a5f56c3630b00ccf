"""Start a forward where something changes: blocks below hand back their record, attention is not run twice.

Nothing below the first changed block changes, so those blocks return what the clean run's last one did. In
the first changed block attention itself reads unchanged states: its module returns its record plus what the
changed heads write differently, (new - old) times the output projection; queries, keys and the softmax are
not computed again. From there on the model's own blocks run, on as many rows as there are changed runs.
Proved per model at load and per job list by plain forwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from probes.engine import hooks
from probes.engine.anatomy import output_weight
from probes.engine.edits import Edit, Knockout, Replace, Site
from probes.engine.records import Record, refilled
from probes.engine.surgery import Parts, Swap, operated


def start_of(edits: Sequence[Edit], layers: int) -> int:
    """The first block that has to run: a replaced block output spares its own block too."""
    starts = [
        edit.first_layer + (isinstance(edit, Replace) and edit.site == "block")
        for edit in edits
        if edit.first_node is not None
    ]
    return min(starts, default=layers)


def first_node_of(edits: Sequence[Edit], read: int) -> int:
    """The first node that has to run; `read` is the first one that is read off."""
    return min([read, *(edit.first_node for edit in edits if edit.first_node is not None)])


@contextmanager
def restarted(
    parts: Parts,
    record: Record,
    made: dict[tuple[int, Site], Swap],
    edits: Sequence[Sequence[Edit]],
    start: int,
    nodes: np.ndarray,
) -> Iterator[None]:
    """While open, a forward over `nodes` (int64 [Q]), a row for each of `edits`, begins at block `start`."""
    rows, count = len(edits), len(parts.layers)
    at = torch.from_numpy(nodes).to(record.embeddings.device)
    modules: list[nn.Module] = []
    functions: list[Callable[..., Any]] = []
    if start:
        handed = _fanned(record.value("block", start - 1), at, rows)
        if (start - 1, "block") in made:
            handed = made[start - 1, "block"](handed)
        for layer in range(start):
            modules.append(parts.blocks[layer])
            functions.append(hooks.returning(refilled(record.shapes[layer][0], handed)))
    if start < count and (start - 1, "block") not in made and not _reads_anew(edits, start):
        attention = parts.attention(start)
        if attention is not None:
            modules.append(attention)
            functions.append(
                hooks.returning(
                    refilled(record.shapes[start][1], attended_after(parts, record, made, start, at, rows))
                )
            )
            made = {place: swap for place, swap in made.items() if place not in _done_at(start)}
    with ExitStack() as undo:
        undo.enter_context(hooks.replaced_forwards(modules, functions))
        undo.enter_context(operated(parts, made, range(start, count)))
        yield


def _done_at(layer: int) -> tuple[tuple[int, Site], ...]:
    return ((layer, "head"), (layer, "attention"))


def _reads_anew(edits: Sequence[Sequence[Edit]], layer: int) -> bool:
    """Whether some row may read other nodes in this layer than the clean run did."""
    return any(
        isinstance(edit, Knockout) and (edit.layers is None or layer in edit.layers)
        for row in edits
        for edit in row
    )


def attended_after(
    parts: Parts,
    record: Record,
    made: dict[tuple[int, Site], Swap],
    layer: int,
    at: Tensor,
    rows: int,
) -> Tensor:
    """[rows, Q, width]: what the attention module gives when its heads, or all of it, are replaced."""
    attended = record.attended[layer]
    assert attended is not None
    out = _fanned(attended, at, rows)
    heads, whole = made.get((layer, "head")), made.get((layer, "attention"))
    change: Tensor | None = None
    if heads is not None:
        projection = parts.module(layer, "head")
        assert projection is not None
        old = record.value("head", layer)[at]
        change = F.linear(torch.where(heads.mask, heads.value - old, 0), output_weight(projection))
    if whole is not None:
        old = record.value("attention", layer)[at]
        new = old + change if change is not None else old.expand(rows, -1, -1)
        change = torch.where(whole.mask, whole.value, new) - old
    return out if change is None else out + change


def _fanned(values: Tensor, at: Tensor, rows: int) -> Tensor:
    return values[at].expand(rows, -1, -1).contiguous()
