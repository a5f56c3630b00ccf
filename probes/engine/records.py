"""The clean run of a line, kept: what every part of every layer computed at every node.

A changed run starts from it: nothing below the changed layer and nothing before the changed node has to be
computed again. It is also where replacements come from (means, resampled and patched values).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from probes.engine import hooks
from probes.engine.edits import SITES, Site
from probes.engine.forward import Forwards
from probes.engine.jobs import checked_round
from probes.engine.lines import Line
from probes.engine.masks import DepthMasks
from probes.engine.packing import Packed, Trunk
from probes.engine.surgery import Parts


@dataclass(slots=True)
class Record:
    """What a run of a line computed.

    Attributes:
        line: the nodes.
        values: per site and layer [nodes, width]; None where the layer has no such part. "head": the output
            projection's input, all heads side by side.
        embeddings: [nodes, width], what the first block is handed.
        attended: per layer, what the attention module returned at each node (some add the residual stream).
        logits: float32 [reads, vocabulary] at the nodes `read`.
        read: the nodes whose logits are kept, in ascending order.
        shapes: per layer, what the block and the attention module returned, of whatever kind.
    """

    line: Line
    values: dict[Site, list[Tensor | None]]
    embeddings: Tensor
    attended: list[Tensor | None]
    logits: Tensor
    read: tuple[int, ...]
    shapes: list[tuple[Any, Any]] = field(default_factory=list)

    def value(self, site: Site, layer: int) -> Tensor:
        """[nodes, width] of a part that is there.

        Raises:
            ValueError: the layer has no such part.
        """
        found = self.values[site][layer]
        if found is None:
            raise ValueError(f"layer {layer} has no {site}")
        return found

    @property
    def bytes(self) -> int:
        """Memory it takes."""
        lists = [*self.values.values(), self.attended]
        return sum(t.nbytes for kept in lists for t in kept if t is not None) + self.logits.nbytes


@dataclass(slots=True)
class Clean:
    """The clean run of a line, ready to be left: its record, and what branches stand on.

    `rounds` counts how often changed runs stood on it; `checked` are the kinds of changes among them that
    were held against plain forwards.
    """

    record: Record
    trunk: Trunk | None
    masks: DepthMasks | None
    rounds: int = 0
    checked: set[tuple[str, str]] = field(default_factory=set)

    def to_check(self, kinds: set[tuple[str, str]]) -> bool:
        """Whether a round with changes of these kinds is checked: as `checked_round` says, and each with a
        kind that was not seen before.
        """
        due = checked_round(self.rounds) or not kinds <= self.checked
        self.rounds += 1
        self.checked |= kinds
        return due


class Recorder:
    """Runs lines and keeps what their parts compute."""

    def __init__(self, forwards: Forwards, parts: Parts) -> None:
        self.forwards = forwards
        self.parts = parts

    def shared(self, line: Line) -> Clean:
        """By a trunk of the prompt and one packed forward of the continuations' nodes."""
        n = len(line.ids)
        first = np.array([n - 1])
        watch = _Watch(self.parts, len(line))
        with self.forwards.lock, watch.open():
            trunk, logits = self.forwards.trunk(line.ids, n, line.longest, first)
        watch.take(np.arange(n))
        found = [logits]
        if len(line) > n:
            nodes = np.arange(n, len(line))
            zero = np.zeros(len(nodes), np.int64)
            packed = Packed(
                line.tokens[None, n:], line.depth[None, n:], line.sees[None, n:], n, zero, nodes - n
            )
            with self.forwards.lock, watch.open():
                found.append(self.forwards.packed(packed, trunk, whole=True))
            watch.take(nodes)
        read = (n - 1, *range(n, len(line)))
        return Clean(watch.record(line, torch.cat(found), read), trunk, trunk.masks)

    def plain(self, line: Line) -> Clean:
        """By a plain forward for each text on the line, nothing shared."""
        n, fan = len(line.ids), line.fan
        found: dict[int, Tensor] = {}
        watch = _Watch(self.parts, len(line))
        with self.forwards.lock:
            for continuation in range(len(line.continuations)):
                nodes = np.array([*range(n), *(line.node(p) for p in fan.path(continuation))])
                read = np.arange(n - 1, len(nodes))
                zero = np.zeros(len(read), np.int64)
                logits = self.forwards.plain(line.tokens[nodes][None], zero, read, around=watch.open())
                watch.take(nodes)
                found |= dict(zip(nodes[n - 1 :].tolist(), logits, strict=True))
        kept = tuple(sorted(found))
        return Clean(watch.record(line, torch.stack([found[node] for node in kept]), kept), None, None)


class _Watch:
    """Keeps, forward by forward, what the parts were handed and gave back."""

    def __init__(self, parts: Parts, nodes: int) -> None:
        self.parts = parts
        self.shapes: list[tuple[Any, Any]] = []
        self._nodes = nodes
        self._count = len(parts.layers)
        self._kept: dict[str, list[Tensor | None]] = {}
        self._seen: dict[str, list[Any]] = {}
        self._present: dict[str, list[int]] = {}

    @contextmanager
    def open(self) -> Iterator[None]:
        """Hooks on every part."""
        sources: dict[str, tuple[Callable[..., Any], Callable[[int], Any]]] = {
            "head": (hooks.recorded_inputs, lambda i: self.parts.module(i, "head")),
            "attention": (hooks.recorded_outputs, lambda i: self.parts.module(i, "attention")),
            "mlp": (hooks.recorded_outputs, lambda i: self.parts.module(i, "mlp")),
            "block": (hooks.recorded_outputs, lambda i: self.parts.blocks[i]),
            "attended": (hooks.recorded_outputs, self.parts.attention),
            "embeddings": (hooks.recorded_inputs, lambda i: self.parts.blocks[0] if i == 0 else None),
        }
        with ExitStack() as undo:
            for name, (keep, module) in sources.items():
                found = [(i, module(i)) for i in range(self._count)]
                self._present[name] = [i for i, one in found if one is not None]
                self._seen[name] = undo.enter_context(keep([one for _, one in found if one is not None]))
            yield

    def take(self, nodes: np.ndarray) -> None:
        """Keep what the last forward, of one row, computed in its first columns as the values of `nodes`."""
        for name, seen in self._seen.items():
            kept = self._kept.setdefault(name, [None] * self._count)
            for layer, output in zip(self._present[name], seen, strict=True):
                hidden = hooks.first(output)
                rows = hidden.reshape(-1, hidden.shape[-1])[: len(nodes)]
                whole = kept[layer]
                if whole is None:
                    whole = kept[layer] = rows.new_zeros(self._nodes, rows.shape[-1])
                whole[torch.from_numpy(nodes).to(rows.device)] = rows
        blocks = dict(zip(self._present["block"], self._seen["block"], strict=True))
        attended = dict(zip(self._present["attended"], self._seen["attended"], strict=True))
        self.shapes = [(_hollow(blocks.get(i)), _hollow(attended.get(i))) for i in range(self._count)]

    def record(self, line: Line, logits: Tensor, read: tuple[int, ...]) -> Record:
        """All that was kept."""
        values: dict[Site, list[Tensor | None]] = {site: self._kept[site] for site in SITES}
        embeddings = self._kept["embeddings"][0]
        assert embeddings is not None
        return Record(line, values, embeddings, self._kept["attended"], logits, read, self.shapes)


def _hollow(output: Any) -> Any:
    """What a module returned, less the tensors besides its hidden states: only the kind is kept, and weights
    of the model's own that it hands on (gpt_neox_japanese adds the bias of its last attention in the block).
    """
    if isinstance(output, (tuple, list)):
        return type(output)(one if isinstance(one, nn.Parameter) else None for one in output)
    return None if isinstance(output, Tensor) or output is None else output


def refilled(shape: Any, hidden: Tensor) -> Any:
    """What a module of this kind returns for other hidden states."""
    return hidden if shape is None else hooks.with_first(shape, hidden)
