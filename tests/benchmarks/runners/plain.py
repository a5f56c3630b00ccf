"""The loops everybody writes first, on stock Hugging Face modules: `plain.py TASK.json`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from meter import CLEAN, Found, Task, load, measure


def way(task: Task) -> Callable[[], Found]:
    """One forward for each prompt (words) or head (heads) and answer, as in the tutorials."""
    model, _ = load(task)
    run = over_words if task.study == "words" else over_heads
    return lambda: {"log_probs": run(model, task)}


def over_words(model: Any, task: Task) -> dict[str, list[float]]:
    """Every prompt with every answer."""
    names = [CLEAN, *(str(word["index"]) for word in task.words)]
    return {
        name: [log_prob(model, prompt["ids"], ids) for ids in task.continuations]
        for name, prompt in zip(names, task.prompts, strict=True)
    }


def over_heads(model: Any, task: Task) -> dict[str, list[float]]:
    """The clean prompt with every answer, each head in turn zeroed where it enters the output projection."""
    found = {CLEAN: [log_prob(model, task.clean_ids, ids) for ids in task.continuations]}
    for layer, head in task.heads:
        attention = model.model.layers[layer].self_attn
        columns = slice(head * attention.head_dim, (head + 1) * attention.head_dim)

        def zero(
            _module: object, inputs: tuple[torch.Tensor], columns: slice = columns
        ) -> tuple[torch.Tensor]:
            changed = inputs[0].clone()
            changed[..., columns] = 0
            return (changed,)

        handle = attention.o_proj.register_forward_pre_hook(zero)
        found[f"{layer}.{head}"] = [log_prob(model, task.clean_ids, ids) for ids in task.continuations]
        handle.remove()
    return found


@torch.inference_mode()
def log_prob(model: Any, ids: Sequence[int], continuation: Sequence[int]) -> float:
    """Of one continuation after one prompt, in nats."""
    row = torch.tensor([[*ids, *continuation]])
    log_probs = model(row, use_cache=False).logits[0].log_softmax(-1)
    return sum(log_probs[len(ids) + k - 1, token].item() for k, token in enumerate(continuation))


if __name__ == "__main__":
    measure(way)
