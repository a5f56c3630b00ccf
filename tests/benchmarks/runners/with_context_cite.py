"""ContextCite's linear surrogate from 64 random ablations: `with_context_cite.py TASK.json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from context_cite import ContextCiter
from context_cite.context_partitioner import BaseContextPartitioner
from meter import Found, Task, load, measure

ABLATIONS = 64


def way(task: Task) -> Callable[[], Found]:
    """Words as sources; its chat template is set to the plain prompt, its response to each answer in turn."""
    model, tokenizer = load(task)
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    task.warm_up = False  # the surrogate is fitted to all words at once

    def run() -> Found:
        scores: dict[str, list[float]] = {str(word["index"]): [] for word in task.words}
        for answer in task.answers:
            citer = ContextCiter(
                model,
                tokenizer,
                task.passage,
                "",
                num_ablations=ABLATIONS,
                prompt_template="{context}{query}",
                partitioner=Words(task),
            )
            citer._cache["output"] = task.prompts[0]["text"] + answer["text"]
            for row, value in zip(scores.values(), citer.get_attributions(verbose=False), strict=True):
                row.append(-float(value))
        return {"scores": scores}

    return run


class Words(BaseContextPartitioner):  # type: ignore[misc]
    """The passage in words, put between the parts of the prompt; several go as one goes everywhere else."""

    def __init__(self, task: Task) -> None:
        super().__init__(task.passage)
        self._task = task

    @property
    def num_sources(self) -> int:
        """As many as words."""
        return len(self._task.words)

    def split_context(self) -> None:
        """Done already."""

    def get_source(self, index: int) -> str:
        """The word."""
        return str(self._task.words[index]["text"])

    def get_context(self, mask: Any = None) -> str:
        """The prompt without the words masked out."""
        return self._task.prompt_without([] if mask is None else list(np.flatnonzero(~mask)))


if __name__ == "__main__":
    measure(way)
