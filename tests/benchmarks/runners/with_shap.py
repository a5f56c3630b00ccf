"""SHAP's partition explainer: `with_shap.py TASK.json`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import shap
import torch
from meter import Found, Task, load, measure


def way(task: Task) -> Callable[[], Found]:
    """Words as features, masked by "...", 500 evaluations (its default) of one forward an answer each."""
    model, tokenizer = load(task)
    task.warm_up = False  # fewer words would be another clustering

    @torch.inference_mode()
    def log_probs(texts: Sequence[str]) -> Any:
        rows = []
        for text in texts:
            ids = tokenizer(task.before + text + task.after).input_ids
            rows.append([log_prob(model, ids, continuation) for continuation in task.continuations])
        return np.array(rows)

    explainer = shap.Explainer(
        log_probs,
        shap.maskers.Text(Words(task)),
        algorithm="partition",
        output_names=[answer["text"] for answer in task.answers],
    )

    def run() -> Found:
        values = -explainer([task.passage], silent=True).values[0]  # what taking the word away does
        rows = zip(task.words, values.tolist(), strict=True)
        return {"scores": {str(word["index"]): row for word, row in rows}}

    return run


def log_prob(model: Any, ids: list[int], continuation: Sequence[int]) -> float:
    """Of one continuation after one prompt, in nats."""
    found = model(torch.tensor([[*ids, *continuation]]), use_cache=False).logits[0].log_softmax(-1)
    return sum(found[len(ids) + k - 1, token].item() for k, token in enumerate(continuation))


class Words:
    """A tokenizer in SHAP's sense: one token a word of the passage, with what follows up to the next."""

    def __init__(self, task: Task) -> None:
        starts = [0, *(word["start"] for word in task.words[1:]), len(task.passage)]
        self._passage = task.passage
        self._spans = list(pairwise(starts))

    def __call__(self, text: str, return_offsets_mapping: bool = True) -> dict[str, list[Any]]:
        spans = self._spans if text == self._passage else ([(0, len(text))] if text else [])
        return {"input_ids": [text[a:b] for a, b in spans], "offset_mapping": list(spans)}


if __name__ == "__main__":
    measure(way)
