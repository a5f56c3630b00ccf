"""Inseq's occlusion: `with_inseq.py TASK.json`."""

from __future__ import annotations

from collections.abc import Callable

import inseq
from meter import Found, Task, load, measure


def way(task: Task) -> Callable[[], Found]:
    """Every token of the prompt occluded, for each token of each answer; a word is the sum of its tokens."""
    model, tokenizer = load(task)
    attributor = inseq.load_model(model, "occlusion", tokenizer=tokenizer)
    task.warm_up = False  # it cannot be asked for less than a whole prompt
    prompt = task.prompts[0]["text"]
    spans = tokenizer(prompt, return_offsets_mapping=True).offset_mapping
    shift = len(task.before)

    def run() -> Found:
        scores: dict[str, list[float]] = {str(word["index"]): [] for word in task.words}
        for answer in task.answers:
            result = attributor.attribute(
                prompt, prompt + answer["text"], show_progress=False, pretty_progress=False
            )
            tokens = result.sequence_attributions[0].target_attributions[: len(spans)].nansum(1).tolist()
            for word, row in zip(task.words, scores.values(), strict=True):
                a, b = word["start"] + shift, word["end"] + shift
                inside = [x for x, (start, end) in zip(tokens, spans, strict=True) if start < b and end > a]
                row.append(sum(inside))
        return {"scores": scores}

    return run


if __name__ == "__main__":
    measure(way)
