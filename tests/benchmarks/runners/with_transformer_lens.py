"""TransformerLens: `with_transformer_lens.py TASK.json`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from meter import CLEAN, Found, Task, load, measure
from transformer_lens.model_bridge import TransformerBridge


def way(task: Task) -> Callable[[], Found]:
    """`hook_z` of a head set to zero, one forward a head and answer."""
    inner, tokenizer = load(task)
    model = TransformerBridge.boot_transformers(task.folder, hf_model=inner, tokenizer=tokenizer)

    @torch.inference_mode()
    def scored(hooks: list[Any]) -> list[float]:
        return [log_prob(model, task.clean_ids, ids, hooks) for ids in task.continuations]

    def run() -> Found:
        found = {CLEAN: scored([])}
        for layer, head in task.heads:

            def zero(z: torch.Tensor, hook: object, head: int = head) -> torch.Tensor:
                z[:, :, head] = 0
                return z

            found[f"{layer}.{head}"] = scored([(f"blocks.{layer}.attn.hook_z", zero)])
        return {"log_probs": found}

    return run


def log_prob(model: Any, ids: Sequence[int], continuation: Sequence[int], hooks: list[Any]) -> float:
    """Of one continuation after one prompt, in nats."""
    row = torch.tensor([[*ids, *continuation]])
    logits = model.run_with_hooks(row, return_type="logits", prepend_bos=False, fwd_hooks=hooks)
    log_probs = logits[0].log_softmax(-1)
    return sum(log_probs[len(ids) + k - 1, token].item() for k, token in enumerate(continuation))


if __name__ == "__main__":
    measure(way)
