"""Direct effects: what a part does by its own write alone (direct logit attribution).

A part's write to the residual stream at one position is changed and everything behind it left as it was in
the clean run: later parts, and every factor a norm divides by, those between the part and the residual stream
(the "post-norms" of Gemma or OLMo 2) as well as the final one. What moves is the logit difference of two
tokens, in nats.

The part's own block is run with its other parts held, on the position alone (or, where the block also carries
a state from position to position, on all that it sees). Two rows of each run are a check: with nothing
changed it must give what the clean run gave, and with half of a change half of the effect, or something else
in the block reacted and there is no such number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from probes.engine import hooks
from probes.engine.by_batches import relative_tolerance
from probes.engine.edits import Replace, Site
from probes.engine.forward import Forwards
from probes.engine.lens import final_logits
from probes.engine.norms import HeldNorm, held, held_norm
from probes.engine.records import Record, refilled
from probes.engine.restart import attended_after
from probes.engine.surgery import Parts, Sheet, Swap, operated, swaps

_POSITIONS = 256
"""Positions that one run of a block takes, at least one row of them."""


def direct_effects(
    forwards: Forwards, record: Record, edits: Sequence[Replace | None], node: int, token: int, against: int
) -> list[float] | None:
    """What each edit does to logit[token] - logit[against] at `node` by its own write alone, in nats.

    Args:
        edits: heads, attention blocks or feed-forwards; None: what enters the first block made zero.

    Returns:
        None where something behind a part cannot be held: a norm that is no linear map once its factor is
        given, a gate.
    """
    parts = Parts(forwards.model, forwards.anatomy)
    order = sorted(range(len(edits)), key=lambda i: _place(edits[i]))
    changes: list[Tensor] = []
    with torch.no_grad(), forwards.lock:
        last = record.value("block", len(parts.layers) - 1)[node]
        norm = _final_norm(forwards, parts, record, last)
        if norm is None or not _passed_on(forwards, parts, record, node):
            return None
        for (layer, _), group in groupby((edits[i] for i in order), key=_place):
            members = [edit for edit in group if edit is not None]
            if members:
                found = _DirectRun(forwards, parts, record, layer, node).written(members)
            else:
                found = -record.embeddings[node][None]
            if found is None:
                return None
            changes.append(found)
        base = _difference(forwards, parts, record, last[None], token, against)
        with held([norm]):
            if not _read_linearly(forwards, parts, record, last, changes[0][0]):
                return None
            states = (last + torch.cat(changes)).split(_POSITIONS)
            moved = [_difference(forwards, parts, record, some, token, against) - base for some in states]
    values = torch.cat(moved).tolist()
    return [value for _, value in sorted(zip(order, values, strict=True))]


def _place(edit: Replace | None) -> tuple[int, str]:
    return (-1, "") if edit is None else (edit.layer, edit.site)


def _difference(
    forwards: Forwards, parts: Parts, record: Record, states: Tensor, token: int, against: int
) -> Tensor:
    logits = final_logits(forwards, parts, record, states[:, None])[:, 0]
    return logits[:, token] - logits[:, against]


class _DirectRun:
    """One block, its attention and its feed-forward held at what they gave in the clean run."""

    def __init__(self, forwards: Forwards, parts: Parts, record: Record, layer: int, node: int) -> None:
        self.forwards, self.parts, self.record, self.layer = forwards, parts, record, layer
        alone = parts.layers[layer].reads_only_masked
        self.nodes = np.array([node]) if alone else np.flatnonzero(record.line.sees[node])
        self.at = torch.from_numpy(self.nodes).to(record.embeddings.device)
        self.entering = (record.embeddings if layer == 0 else record.value("block", layer - 1))[self.at]
        self.clean = record.value("block", layer)[node]

    def written(self, edits: Sequence[Replace]) -> Tensor | None:
        """[edits, width]: how what the block hands on changes; None where something in it reacts."""
        norms, size = self._norms(edits[0]), max(1, _POSITIONS // len(self.nodes))
        found: list[Tensor] = []
        with held(norms):
            for begin in range(0, len(edits), size):
                chosen = edits[begin : begin + size]
                changed = self._changes(chosen)
                if changed is None:
                    return None
                found.append(changed)
        return torch.cat(found)

    def passes_on(self) -> bool:
        """Whether what enters the block and is handed on by it move alike while its parts are held."""
        rows = torch.stack([self.entering, 2 * self.entering])
        with self._held({}, 2):
            clean, moved = self._handed_on(rows)
        if torch.equal(clean, moved):  # its attention module adds the residual stream itself (bloom)
            with self._kept("attention", 2), self._kept("mlp", 2):
                clean, moved = self._handed_on(rows)
        entered = self.entering[-1]
        return _alike(clean, self.clean, self.clean) and _alike(moved - clean, entered, moved)

    def _changes(self, edits: Sequence[Replace]) -> Tensor | None:
        nothing, half, *rest = self._run(edits)
        if not _alike(nothing, self.clean, self.clean):
            return None
        whole = torch.stack(rest) - nothing
        return whole if _alike(2 * (half - nothing), whole[0], self.clean) else None

    def _norms(self, edit: Replace) -> list[HeldNorm]:
        """The norms in the block that react to a change, at the clean run's states."""
        own = [self.parts.attention(self.layer), self.parts.module(self.layer, "mlp")]
        inside = {id(module) for one in own if one is not None for module in one.modules()}
        leaves = [
            module
            for module in self.parts.blocks[self.layer].modules()
            if id(module) not in inside and not list(module.children())
        ]
        with hooks.recorded_inputs(leaves) as seen:
            self._run([edit])
        rows, found = 3, []
        for module, given in zip(leaves, list(seen), strict=True):
            size = given.numel() if isinstance(given, Tensor) else 0
            if not size or size != rows * len(self.nodes) * given.shape[-1]:
                continue
            each = given.reshape(rows, len(self.nodes), -1)
            if _alike(each[2], each[0], each[0]):  # handed what it was
                continue
            if (norm := _norm_of(module, each[0])) is not None:
                found.append(norm)
        return found

    def _run(self, edits: Sequence[Replace]) -> Tensor:
        """[2 + edits, width] at the node: nothing changed, the first edit by half, every edit."""
        record, layer, at = self.record, self.layer, self.at
        rows = [[], [edits[0]], *([edit] for edit in edits)]
        shape = (len(rows), len(self.nodes))
        sheet = Sheet(np.broadcast_to(self.nodes, shape), np.broadcast_to(self.nodes, shape), rows)
        made = swaps(sheet, self.parts, self.forwards.model.dtype, at.device)
        for (_, site), swap in made.items():
            swap.value[1] = (swap.value[1] + record.value(site, layer)[at]) / 2
        with self._held(made, len(rows)):
            return self._handed_on(self.entering.expand(*shape, -1).contiguous())

    def _handed_on(self, entering: Tensor) -> Tensor:
        """[rows, width] at the node: what the block alone makes of [rows, positions, width] entering it."""
        rows, parts, layer = len(entering), self.parts, self.layer
        block = parts.blocks[layer]
        others = [other for other in parts.blocks if other is not block]
        below = hooks.returning(refilled(self.record.shapes[layer][0], entering))
        ids = np.broadcast_to(self.record.line.tokens[self.nodes], (rows, len(self.nodes)))
        read = np.zeros(1, np.int64)
        with (
            hooks.replaced_forwards(others, [below] * len(others)),
            hooks.edited_inputs([block], [lambda _: entering]),
            hooks.recorded_outputs([block]) as seen,
        ):
            self.forwards.plain(ids, read, read)
        return hooks.first(seen[0]).reshape(rows, len(self.nodes), -1)[:, -1]

    @contextmanager
    def _held(self, made: dict[tuple[int, Site], Swap], rows: int) -> Iterator[None]:
        """While open the block's attention and feed-forward give what they gave, but for what is `made`."""
        record, parts, layer = self.record, self.parts, self.layer
        attention = parts.attention(layer)
        with ExitStack() as undo:
            if attention is not None:
                given = attended_after(parts, record, made, layer, self.at, rows)
                given = refilled(record.shapes[layer][1], given)
                undo.enter_context(hooks.replaced_forwards([attention], [hooks.returning(given)]))
            undo.enter_context(self._kept("mlp", rows))
            fed = {place: swap for place, swap in made.items() if place[1] == "mlp"}
            undo.enter_context(operated(parts, fed, [layer]))
            yield

    @contextmanager
    def _kept(self, site: Site, rows: int) -> Iterator[None]:
        """While open the module of a site, where there is one, gives what it gave in the clean run."""
        module = self.parts.module(self.layer, site)
        if module is None:
            yield
            return
        kept = self.record.value(site, self.layer)[self.at].expand(rows, -1, -1)
        with hooks.edited_outputs([module], [lambda out: kept.reshape(out.shape).clone()]):
            yield


def _alike(one: Tensor, other: Tensor, state: Tensor) -> bool:
    """Whether two vectors are equal but for rounding, their own or that of the state they come from."""
    tight = relative_tolerance(state.dtype)
    return bool((one - other).abs().max() <= 10 * tight * other.abs().max() + tight * state.abs().max())


def _passed_on(forwards: Forwards, parts: Parts, record: Record, node: int) -> bool:
    """Whether blocks hand on what they are handed and add to it: one of each kind, its parts held, is handed
    twice what it was. (Where norms stand on the residual stream itself, a write does not reach the end as it
    was made.) Blocks with a state beside their attention react to what they are handed: of those it is taken
    on trust, of models without attention it is not.
    """
    whole = [
        layer
        for layer in parts.layers
        if (layer.projection is not None or layer.feed_forward is not None) and layer.reads_only_masked
    ]
    kinds = {
        (type(parts.blocks[one.index]), one.projection is None, one.feed_forward is None): one.index
        for one in whole
    }
    benches = [_DirectRun(forwards, parts, record, layer, node) for layer in kinds.values()]
    attends = any(layer.projection is not None for layer in parts.layers)
    return attends and all(bench.passes_on() for bench in benches)


def _read_linearly(forwards: Forwards, parts: Parts, record: Record, last: Tensor, change: Tensor) -> bool:
    """Whether the output embedding is handed the final norm's output, but for a factor, and no more than that
    stands between: a dense layer with its activation would react.
    """
    head = forwards.model.get_output_embeddings()
    if head is None:
        return False
    change = change * (last.norm() / change.norm().clamp_min(1e-30))
    with hooks.recorded_inputs([head]) as seen:
        final_logits(forwards, parts, record, torch.stack([last, last + change, last + 2 * change])[:, None])
    clean, once, twice = seen[0].reshape(3, -1)
    return _alike(2 * (once - clean), twice - clean, clean)


def _norm_of(module: nn.Module, clean: Tensor) -> HeldNorm | None:
    """`held_norm` of whatever module: one that takes something else besides is none."""
    try:
        return held_norm(module, clean)
    except (RuntimeError, TypeError, ValueError, IndexError):
        return None


def _final_norm(forwards: Forwards, parts: Parts, record: Record, state: Tensor) -> HeldNorm | None:
    """What the last block's output, `state` at one node, is handed to first, if that is a norm."""
    called: list[nn.Module] = []
    inside = {id(module) for block in parts.blocks for module in block.modules()}
    leaves = [m for m in forwards.model.modules() if id(m) not in inside and not list(m.children())]

    def keep(module: nn.Module, args: tuple[Any, ...]) -> None:
        hidden = args[0] if args and isinstance(args[0], Tensor) else state[:0]
        if hidden.shape[-1:] == state.shape and torch.equal(hidden.reshape(-1, len(state))[0], state):
            called.append(module)

    with ExitStack() as undo:
        for module in leaves:
            undo.callback(module.register_forward_pre_hook(keep).remove)
        final_logits(forwards, parts, record, state[None, None])
    if not called or called[0] is forwards.model.get_output_embeddings():
        return None
    return held_norm(called[0], state[None])
