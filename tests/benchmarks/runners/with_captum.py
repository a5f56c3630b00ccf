"""Captum's `LLMAttribution` with feature ablation: `with_captum.py TASK.json`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from captum.attr import FeatureAblation, LLMAttribution, TextTemplateInput
from meter import Found, Task, load, measure


def way(task: Task) -> Callable[[], Found]:
    """Each word a feature whose baseline is nothing; one forward a word and answer, none token by token.

    The template function deletes exactly the characters that are deleted everywhere else here, so that the
    numbers can be compared. What Captum gives is the clean value minus the ablated one.
    """
    model, tokenizer = load(task)
    attribution = LLMAttribution(FeatureAblation(model), tokenizer)

    def prompt(*parts: str) -> str:
        return task.prompt_without([index for index, part in enumerate(parts) if not part])

    def run() -> Found:
        effects: dict[str, list[float]] = {str(word["index"]): [] for word in task.words}
        for ids in task.continuations:
            given = TextTemplateInput(template=prompt, values=[word["text"] for word in task.words])
            with torch.inference_mode():
                result = attribution.attribute(given, target=torch.tensor(ids), forward_in_tokens=False)
            for row, value in zip(effects.values(), result.seq_attr.tolist(), strict=True):
                row.append(-value)
        return {"effects": effects}

    return run


if __name__ == "__main__":
    measure(way)
