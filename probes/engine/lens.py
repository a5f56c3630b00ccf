"""What the layers already say: the logit lens (nostalgebraist 2020).

The hidden states after each block are read off as if they were the last. Every block returns them and the
model applies its own final norm, head, scale and soft cap, so the last row is the model's own answer on any
architecture.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from probes.engine import hooks
from probes.engine.by_batches import relative_tolerance
from probes.engine.forward import Forwards, target_log_probs
from probes.engine.records import Record, refilled
from probes.engine.surgery import Parts
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
    output = [hooks.returning(refilled(shape, states)) for shape, _ in record.shapes]
    at = np.repeat(np.arange(rows), reads), np.tile(np.arange(reads), rows)
    with forwards.lock, hooks.replaced_forwards(parts.blocks, output):
        logits = forwards.plain(np.zeros((rows, reads), np.int64), *at)
    return logits.view(rows, reads, -1)
