"""Better loops on stock Hugging Face modules, batched and without needless logits: `batched.py TASK.json`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import torch
from meter import CLEAN, Found, Task, load, measure

ROWS = 16  # prompts in one forward


def way(task: Task) -> Callable[[], Found]:
    """Words: sixteen rows sorted by length. Heads: all heads of a layer in one batch."""
    model, _ = load(task)
    run = over_words if task.study == "words" else over_heads
    return lambda: {"log_probs": run(model, task)}


@torch.inference_mode()
def over_words(model: Any, task: Task) -> dict[str, list[float]]:
    """Pairs of prompt and answer sorted by length, padded on the right."""
    names = [CLEAN, *(str(word["index"]) for word in task.words)]
    pairs = [(index, k) for index in range(len(task.prompts)) for k in range(len(task.answers))]
    lengths = [len(task.prompts[index]["ids"]) + len(task.continuations[k]) for index, k in pairs]
    order = sorted(range(len(pairs)), key=lambda at: lengths[at])
    found = {name: [0.0] * len(task.answers) for name in names}
    for first in range(0, len(order), ROWS):
        batch = [pairs[at] for at in order[first : first + ROWS]]
        rows = [(task.prompts[index]["ids"], task.continuations[k]) for index, k in batch]
        for (index, k), value in zip(batch, score_rows(model, rows), strict=True):
            found[names[index]][k] = value
    return found


def score_rows(model: Any, rows: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[float]:
    """Log-probability of each row's continuation; logits of the last positions only."""
    length = max(len(ids) + len(continuation) for ids, continuation in rows)
    start = min(len(ids) for ids, _ in rows) - 1  # the first position anybody reads
    inputs = torch.zeros(len(rows), length, dtype=torch.long)
    mask = torch.zeros_like(inputs)
    for row, (ids, continuation) in enumerate(rows):
        inputs[row, : len(ids) + len(continuation)] = torch.tensor([*ids, *continuation])
        mask[row, : len(ids) + len(continuation)] = 1
    kept = length - start
    log_probs = model(inputs, attention_mask=mask, use_cache=False, logits_to_keep=kept).logits.log_softmax(
        -1
    )
    return [
        sum(log_probs[row, len(ids) - 1 + k - start, token].item() for k, token in enumerate(continuation))
        for row, (ids, continuation) in enumerate(rows)
    ]


@torch.inference_mode()
def over_heads(model: Any, task: Task) -> dict[str, list[float]]:
    """One row a head of the layer, each row's own head zeroed; one forward a layer and answer."""
    rows = [(task.clean_ids, ids) for ids in task.continuations]
    found = {CLEAN: [score_rows(model, [row])[0] for row in rows]}
    for layer, pairs in groupby(task.heads, key=lambda pair: pair[0]):
        heads = [head for _, head in pairs]
        attention = model.model.layers[layer].self_attn
        width = attention.head_dim

        def zero(
            _module: object, inputs: tuple[torch.Tensor], heads: list[int] = heads, width: int = width
        ) -> tuple[torch.Tensor]:
            changed = inputs[0].clone()
            for row, head in enumerate(heads):
                changed[row, :, head * width : (head + 1) * width] = 0
            return (changed,)

        handle = attention.o_proj.register_forward_pre_hook(zero)
        columns = [score_rows(model, [row] * len(heads)) for row in rows]
        handle.remove()
        for row, head in enumerate(heads):
            found[f"{layer}.{head}"] = [column[row] for column in columns]
    return found


if __name__ == "__main__":
    measure(way)
