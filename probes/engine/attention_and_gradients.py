"""Attention as the model computes it, and gradients at the heads: what is looked at, and a first estimate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from probes.engine import hooks
from probes.engine.forward import Forwards
from probes.engine.jobs import Job
from probes.engine.lines import Line
from probes.engine.packing import Packed, Trunk
from probes.engine.records import Clean
from probes.engine.surgery import Parts
from probes.errors import CapabilityError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def attention_weights(forwards: Forwards, ids: Sequence[int]) -> list[Tensor | None]:
    """Per layer float32 [heads, n, n], row = query; None for a layer without softmax attention.

    The model computes them itself under its "eager" attention, and the logits are held to those of the
    attention it is otherwise run with. Where an attention sink takes part, rows may add up to less than 1.

    Raises:
        CapabilityError: the model gives no weights, or another answer under eager attention.
    """
    model, anatomy = forwards.model, forwards.anatomy
    if not anatomy.attention_layers:
        raise CapabilityError("heads_none", layers=len(anatomy.layers))
    row, every = np.array([ids]), np.arange(len(ids))
    zero = np.zeros(len(ids), np.int64)
    with forwards.lock, torch.no_grad(), hooks.left_as_found(model):
        plain = forwards.plain(row, zero, every)
        before = model.config._attn_implementation
        try:
            model.set_attn_implementation("eager")
            out = model(forwards.tensor(row), use_cache=False, output_attentions=True)
        except (ValueError, NotImplementedError) as error:
            raise CapabilityError("attention_refused", note=str(error)[:200]) from error
        finally:
            model.set_attn_implementation(before)
    off = float((out.logits[0].float() - plain).abs().max())
    spread = float((plain.amax(-1) - plain.amin(-1)).max())
    if not off <= max(1e-3, 4 * float(torch.finfo(model.dtype).eps)) * spread:
        raise CapabilityError("attention_differs", difference=f"{off:.2g}")
    return _by_layer(model, forwards, out.attentions, len(ids))


def _by_layer(
    model: PreTrainedModel, forwards: Forwards, found: Sequence[Tensor | None] | None, length: int
) -> list[Tensor | None]:
    layers = forwards.anatomy.layers
    given = [one for one in found or () if isinstance(one, Tensor) and one.dim() == 4]
    out: list[Tensor | None] = [None] * len(layers)
    places = [layer.index for layer in forwards.anatomy.attention_layers]
    if found is not None and len(found) == len(layers):
        chosen: Mapping[int, Tensor | None] = {i: found[i] for i in places}
    elif len(given) == len(places):
        chosen = dict(zip(places, given, strict=True))
    else:
        raise CapabilityError("attention_refused", note=f"{len(given)} / {len(places)}")
    for index, weights in chosen.items():
        if not isinstance(weights, Tensor) or weights.shape[-2:] != (length, length):
            raise CapabilityError("attention_refused", note=f"{type(model).__name__}, {index}")
        out[index] = weights[0].float()
    return out


def head_gradients(forwards: Forwards, clean: Clean, weights: Sequence[float]) -> list[Tensor | None]:
    """Per layer [nodes, heads * width]: gradient of a weighted sum of the continuations' log-probabilities by
    the output projection's input. One forward and one backward over the whole line, or over each of its texts
    where texts cannot share a forward.

    Args:
        weights: one for each continuation of the line.
    """
    record = clean.record
    parts = Parts(forwards.model, forwards.anatomy)
    places = [layer.index for layer in forwards.anatomy.attention_layers]
    projections = [module for i in places if (module := parts.module(i, "head")) is not None]
    total = {i: torch.zeros_like(record.value("head", i)) for i in places}
    if clean.trunk is not None:
        runs = [(list(range(len(record.line))), _line_logits(clean, clean.trunk), record.line.reads())]
    else:
        runs = [_text(record.line, c) for c, weight in enumerate(weights) if weight]
    for nodes, logits_of, reads in runs:
        found = _backward(forwards.with_gradients(), projections, logits_of, reads, weights)
        for i, gradient in zip(places, found, strict=True):
            total[i][nodes] += gradient.reshape(len(nodes), -1)
    return [total.get(i) for i in range(len(parts.layers))]


def embedding_gradients(forwards: Forwards, job: Job, weights: Sequence[float]) -> tuple[Tensor, Tensor]:
    """[tokens, width] twice: the prompt's input embeddings, and the gradient by them of a weighted sum of the
    continuations' log-probabilities; a plain forward and a backward for each that weighs anything.
    """
    n, own = len(job.ids), forwards.with_gradients()
    embeddings = forwards.model.get_input_embeddings()
    values, total = torch.zeros(0), torch.zeros(0)
    for continuation, weight in zip(job.continuations, weights, strict=True):
        if not weight and len(total):
            continue
        ids = np.array([[*job.ids, *continuation[:-1]]])
        columns, seen = np.arange(n - 1, ids.shape[1]), list[Tensor]()

        def watched(embedded: Tensor, seen: list[Tensor] = seen) -> Tensor:
            seen.append(embedded.detach().requires_grad_())
            return seen[-1]

        with own.lock, torch.enable_grad(), hooks.edited_outputs([embeddings], [watched]):
            log_probs = own.plain(ids, np.zeros_like(columns), columns).log_softmax(-1)
            each = [log_probs[place, target] for place, target in enumerate(continuation)]
            (gradient,) = torch.autograd.grad(weight * torch.stack(each).sum(), seen[:1])
        if not len(total):
            values, total = seen[0][0, :n].detach(), torch.zeros_like(gradient[0, :n])
        total = total + gradient[0, :n]
    return values, total


Reads = list[tuple[int, int, int]]
LogitsOf = Callable[[Forwards, list[int]], Tensor]


def _line_logits(clean: Clean, trunk: Trunk) -> LogitsOf:
    line = clean.record.line

    def logits_of(forwards: Forwards, nodes: list[int]) -> Tensor:
        rows = np.zeros(len(nodes), np.int64)
        whole = line.tokens[None], line.depth[None], line.sees[None]
        return forwards.packed(Packed(*whole, 0, rows, np.array(nodes)), trunk, whole=True)

    return logits_of


def _text(line: Line, continuation: int) -> tuple[list[int], LogitsOf, Reads]:
    """One text of a line by itself: its nodes, its forward, what is read."""
    nodes = [*range(len(line.ids)), *(line.node(place) for place in line.fan.path(continuation))]

    def logits_of(forwards: Forwards, wanted: list[int]) -> Tensor:
        columns = np.array([nodes.index(node) for node in wanted])
        return forwards.plain(line.tokens[nodes][None], np.zeros(len(wanted), np.int64), columns)

    return nodes, logits_of, [read for read in line.reads() if read[0] == continuation]


def _backward(
    forwards: Forwards,
    projections: Sequence[torch.nn.Module],
    logits_of: LogitsOf,
    reads: Reads,
    weights: Sequence[float],
) -> tuple[Tensor, ...]:
    def watched(embedded: Tensor) -> Tensor:
        return embedded.detach().requires_grad_()

    nodes = sorted({node for _, node, _ in reads})
    with (
        forwards.lock,
        torch.enable_grad(),
        hooks.edited_outputs([forwards.model.get_input_embeddings()], [watched]),
        hooks.recorded_inputs(projections) as seen,
    ):
        log_probs = logits_of(forwards, nodes).log_softmax(-1)
        each = [weights[c] * log_probs[nodes.index(node), target] for c, node, target in reads]
        return torch.autograd.grad(torch.stack(each).sum(), seen)
