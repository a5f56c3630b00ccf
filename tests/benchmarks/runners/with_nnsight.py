"""nnsight: `with_nnsight.py TASK.json`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from meter import CLEAN, Found, Task, load, measure
from nnsight import LanguageModel


def way(task: Task) -> Callable[[], Found]:
    """A head's slice of the output projection's input set to zero, one forward a head and answer."""
    inner, tokenizer = load(task)
    model = LanguageModel(inner, tokenizer=tokenizer)

    def run() -> Found:
        found = {CLEAN: [log_prob(model, task.clean_ids, ids, None) for ids in task.continuations]}
        for pair in task.heads:
            name = ".".join(map(str, pair))
            found[name] = [log_prob(model, task.clean_ids, ids, pair) for ids in task.continuations]
        return {"log_probs": found}

    return run


@torch.no_grad()
def log_prob(
    model: Any, ids: Sequence[int], continuation: Sequence[int], pair: tuple[int, int] | None
) -> float:
    """Of one continuation after one prompt, in nats."""
    row = torch.tensor([[*ids, *continuation]])
    with model.trace(row):
        if pair is not None:
            attention = model.model.layers[pair[0]].self_attn
            width = attention.head_dim
            attention.o_proj.input[..., pair[1] * width : (pair[1] + 1) * width] = 0
        logits = model.lm_head.output.save()
    log_probs = logits[0].log_softmax(-1)
    return sum(log_probs[len(ids) + k - 1, token].item() for k, token in enumerate(continuation))


if __name__ == "__main__":
    measure(way)
