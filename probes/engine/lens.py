"""What the layers already say, and what each part adds by itself.

* *Logit lens* (nostalgebraist 2020): the hidden states after each block read off as if they were the last.
  Every block returns them and the model applies its own final norm, head, scale and soft cap, so the last
  row is the model's own answer on any architecture.
* *Direct effect* (direct logit attribution): a part's own write to the residual stream at the answer position
  is changed and everything behind it left as it was in the clean run: later blocks, and the factor by which
  the final norm divides. What moves is the logit difference of two tokens, in nats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from probes.engine import hooks
from probes.engine.by_batches import relative_tolerance
from probes.engine.forward import Forwards, target_log_probs
from probes.engine.interventions import Replace
from probes.engine.records import Record, refilled
from probes.engine.restart import attended_after
from probes.engine.surgery import Parts, Sheet, operated, swaps
from probes.errors import CapabilityError

_ROWS = 256


def lens(forwards: Forwards, record: Record) -> np.ndarray:
    """float64 [layers + 1, continuations]: log-probability of each continuation (nats) read off after 0 ..
    all blocks, each of its tokens given the ones before it.
    """
    parts, line = Parts(forwards.model, forwards.anatomy), record.line
    read = list(record.read)
    states = [record.embeddings[read], *(record.value("block", i)[read] for i in range(len(parts.layers)))]
    logits = final_logits(forwards, parts, record, torch.stack(states))
    _check_last(logits[-1], record.logits, relative_tolerance(forwards.model.dtype))
    reads = [(c, read.index(node), target) for c, node, target in line.reads()]
    found = np.zeros((len(states), len(line.continuations)))
    for layer in range(len(states)):
        values = target_log_probs(logits[layer], [i for _, i, _ in reads], [target for *_, target in reads])
        for (continuation, _, _), value in zip(reads, values, strict=True):
            found[layer, continuation] += value
    return found


def _check_last(found: Tensor, expected: Tensor, relative: float) -> None:
    """The last row must be the model's own answer, or the rows before it say nothing either.

    Raises:
        CapabilityError: something but the last block's output reaches the answer.
    """
    off = float((found - expected).abs().max())
    spread = float((expected.amax(-1) - expected.amin(-1)).max())
    if not off <= 10 * relative * spread:
        raise CapabilityError("lens_refused", difference=f"{off:.2g}")


def final_logits(forwards: Forwards, parts: Parts, record: Record, states: Tensor) -> Tensor:
    """float32 [rows, reads, vocabulary]: the model's logits where its last block hands on `states`
    [rows, reads, width].
    """
    rows, reads = states.shape[:2]
    output = [_constant(refilled(shape, states)) for shape, _ in record.shapes]
    at = np.repeat(np.arange(rows), reads), np.tile(np.arange(reads), rows)
    with forwards.lock, hooks.replaced_forwards(parts.blocks, output):
        logits = forwards.plain(np.zeros((rows, reads), np.int64), *at)
    return logits.view(rows, reads, -1)


def direct_effects(
    forwards: Forwards, record: Record, edits: Sequence[Replace], node: int, token: int, against: int
) -> list[float] | None:
    """What each edit does to logit[token] - logit[against] at `node` by its own write alone, in nats.

    Args:
        edits: heads, attention blocks or feed-forwards.

    Returns:
        None where the final norm is none whose factor can be held.
    """
    parts = Parts(forwards.model, forwards.anatomy)
    frozen = _FrozenNorm.find(forwards, parts, record, node)
    if frozen is None:
        return None
    order = sorted(range(len(edits)), key=lambda i: edits[i].layer)
    changes: list[Tensor] = []
    for layer in range(len(parts.layers)):
        members = [edits[i] for i in order if edits[i].layer == layer]
        for begin in range(0, len(members), _ROWS):
            chosen = members[begin : begin + _ROWS]
            changes.append(_written(forwards, parts, record, chosen, layer, node))
    last = record.value("block", len(parts.layers) - 1)[node]
    base = float(frozen.logits[token] - frozen.logits[against])
    moved: list[float] = []
    with frozen.held():
        for states in (last + torch.cat(changes)).split(_ROWS):
            logits = final_logits(forwards, parts, record, states[:, None])[:, 0]
            moved += (logits[:, token] - logits[:, against] - base).tolist()
    return [value for _, value in sorted(zip(order, moved, strict=True))]


def _written(
    forwards: Forwards, parts: Parts, record: Record, edits: Sequence[Replace], layer: int, node: int
) -> Tensor:
    """[edits, width]: how the block's output at `node` changes with its other parts as they were."""
    rows, nodes = len(edits), np.array([node])
    at = torch.from_numpy(nodes).to(record.embeddings.device)
    sheet = Sheet(np.broadcast_to(nodes, (rows, 1)), np.broadcast_to(nodes, (rows, 1)), [[e] for e in edits])
    made = swaps(sheet, parts, forwards.model.dtype, at.device)
    feed, attention = parts.module(layer, "mlp"), parts.attention(layer)
    modules: list[nn.Module] = []
    functions: list[Callable[..., Any]] = []
    if attention is not None:
        modules.append(attention)
        shape = record.shapes[layer][1]
        functions.append(_constant(refilled(shape, attended_after(parts, record, made, layer, at, rows))))
    entering = record.embeddings if layer == 0 else record.value("block", layer - 1)
    below = refilled(record.shapes[layer][0], entering[at].expand(rows, -1, -1).contiguous())
    with ExitStack() as undo:
        seen = undo.enter_context(hooks.recorded_outputs([parts.blocks[layer]]))
        others = [block for i, block in enumerate(parts.blocks) if i != layer]
        undo.enter_context(hooks.replaced_forwards(others, [_constant(below)] * len(others)))
        undo.enter_context(
            hooks.edited_inputs(
                [parts.blocks[layer]], [lambda _: entering[at].expand(rows, -1, -1).contiguous()]
            )
        )
        undo.enter_context(hooks.replaced_forwards(modules, functions))
        if feed is not None:
            kept = record.value("mlp", layer)[at].expand(rows, -1, -1)
            undo.enter_context(hooks.edited_outputs([feed], [lambda out: kept.reshape(out.shape).clone()]))
        undo.enter_context(operated(parts, {p: s for p, s in made.items() if p[1] == "mlp"}, [layer]))
        forwards.plain(np.zeros((rows, 1), np.int64), np.zeros(1, np.int64), np.zeros(1, np.int64))
    new = hooks.first(seen[0]).reshape(rows, -1)
    return new - record.value("block", layer)[node]


class _FrozenNorm:
    """The final norm with the factor it divides by held at the clean run's.

    A layer norm or RMS norm is, its factor held, one linear map: each component times its own number (after
    the mean is taken off). Those numbers are read off the module itself, from a vector of equal magnitudes
    that has the clean state's norm, and tried on the clean state.
    """

    def __init__(self, module: nn.Module, clean: Tensor, scale: Tensor, centred: bool, out: Tensor) -> None:
        self.module, self.clean, self.scale, self.centred, self.out = module, clean, scale, centred, out
        self.logits = torch.empty(0)

    @classmethod
    def find(cls, forwards: Forwards, parts: Parts, record: Record, node: int) -> _FrozenNorm | None:
        """The final norm at one node; None where it is no such map."""
        state = record.value("block", len(parts.layers) - 1)[node]
        module = _first_after(forwards, parts, record, state)
        if module is None:
            return None
        with torch.no_grad(), forwards.lock:
            found = cls._measured(module, state)
        if found is not None:
            found.logits = final_logits(forwards, parts, record, state[None, None])[0, 0]
        return found

    @classmethod
    def _measured(cls, module: nn.Module, state: Tensor) -> _FrozenNorm | None:
        def norm(vector: Tensor) -> Tensor:
            out: Tensor = module(vector[None, None])[0, 0]
            return out

        out, shift = norm(state), norm(torch.zeros_like(state))
        if out.shape != state.shape:  # a map to another width: no norm
            return None
        tolerance = 1e-3 * float(out.abs().max().clamp_min(1e-30))
        centred = bool((norm(state + state.abs().mean()) - out).abs().max() <= tolerance)
        inner = state - state.mean() if centred else state
        signs = torch.ones_like(state)
        signs[1::2] = -1
        if centred:
            signs = signs - signs.mean()
        flat = signs * (inner.norm() / signs.norm())
        scale = (norm(flat) - shift) / flat
        fits = bool((scale * inner + shift - out).abs().max() <= tolerance)
        return cls(module, state, scale, centred, out) if fits else None

    @contextmanager
    def held(self) -> Iterator[None]:
        """While open the norm is the linear map it was at the clean state."""

        def forward(hidden: Tensor, *_args: Any, **_kwargs: Any) -> Tensor:
            change = hidden - self.clean
            if self.centred:
                change = change - change.mean(-1, keepdim=True)
            return self.out + self.scale * change

        with hooks.replaced_forwards([self.module], [forward]):
            yield


def _first_after(forwards: Forwards, parts: Parts, record: Record, state: Tensor) -> nn.Module | None:
    """The first module without children that is handed the last block's output."""
    called: list[nn.Module] = []
    inside = {id(module) for block in parts.blocks for module in block.modules()}
    leaves = [m for m in forwards.model.modules() if id(m) not in inside and not list(m.children())]

    def keep(module: nn.Module, args: tuple[Any, ...]) -> None:
        hidden = args[0] if args and isinstance(args[0], Tensor) else state[:0]
        if hidden.shape[-1:] == state.shape and torch.equal(hidden.reshape(-1, len(state))[0], state):
            called.append(module)

    with ExitStack() as undo, forwards.lock:
        for module in leaves:
            undo.callback(module.register_forward_pre_hook(keep).remove)
        final_logits(forwards, parts, record, state[None, None])
    return called[0] if called and called[0] is not forwards.model.get_output_embeddings() else None


def _constant(output: Any) -> Callable[..., Any]:
    return lambda *_args, **_kwargs: output
