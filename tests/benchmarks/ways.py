"""Three ways to the same numbers: the loop everybody writes first, a better one, and the engine.

Each takes a model and jobs (prompts with continuations) and gives one log-probability (nats) a pair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from transformers import PreTrainedModel

from probes.engine.execute import Engine
from probes.engine.jobs import Job

Numbers: TypeAlias = list[tuple[float, ...]]
Run: TypeAlias = Callable[[Sequence[Job]], Numbers]

ROWS = 16  # pairs in one forward


def plain_loop(model: PreTrainedModel) -> Run:
    """One forward for each prompt and answer, as in the tutorials."""

    def log_prob(ids: Sequence[int], continuation: Sequence[int]) -> float:
        row = torch.tensor([[*ids, *continuation]], device=model.device)
        log_probs = model(row, use_cache=False).logits[0].log_softmax(-1)
        return sum(log_probs[len(ids) + k - 1, token].item() for k, token in enumerate(continuation))

    @torch.inference_mode()
    def run(jobs: Sequence[Job]) -> Numbers:
        return [tuple(log_prob(job.ids, continuation) for continuation in job.continuations) for job in jobs]

    return run


def batched_loop(model: PreTrainedModel) -> Run:
    """Pairs sorted by length, padded on the right, sixteen a forward, logits of the last positions only."""

    @torch.inference_mode()
    def run(jobs: Sequence[Job]) -> Numbers:
        pairs = [(index, k) for index, job in enumerate(jobs) for k in range(len(job.continuations))]
        pairs.sort(key=lambda pair: len(jobs[pair[0]].ids) + len(jobs[pair[0]].continuations[pair[1]]))
        found: dict[tuple[int, int], float] = {}
        for first in range(0, len(pairs), ROWS):
            batch = pairs[first : first + ROWS]
            rows = [(jobs[index].ids, jobs[index].continuations[k]) for index, k in batch]
            found.update(zip(batch, _score_rows(model, rows), strict=True))
        return [
            tuple(found[index, k] for k in range(len(job.continuations))) for index, job in enumerate(jobs)
        ]

    return run


def _score_rows(
    model: PreTrainedModel, rows: Sequence[tuple[tuple[int, ...], tuple[int, ...]]]
) -> list[float]:
    length = max(len(ids) + len(continuation) for ids, continuation in rows)
    start = min(len(ids) for ids, _ in rows) - 1  # the first position anybody reads
    inputs = torch.zeros(len(rows), length, dtype=torch.long)
    mask = torch.zeros_like(inputs)
    for row, (ids, continuation) in enumerate(rows):
        inputs[row, : len(ids) + len(continuation)] = torch.tensor([*ids, *continuation])
        mask[row, : len(ids) + len(continuation)] = 1
    logits = model(
        inputs.to(model.device),
        attention_mask=mask.to(model.device),
        use_cache=False,
        logits_to_keep=length - start,
    ).logits
    return [
        sum(
            logits[row, len(ids) - 1 + k - start].log_softmax(-1)[token].item()
            for k, token in enumerate(continuation)
        )
        for row, (ids, continuation) in enumerate(rows)
    ]


def crux_engine(model: PreTrainedModel) -> Run:
    """The engine as the product uses it, its own checks included."""
    engine = Engine(model)

    def run(jobs: Sequence[Job]) -> Numbers:
        found = dict(engine.score(jobs))
        return [found[index] for index in range(len(jobs))]

    return run


WAYS: dict[str, Callable[[PreTrainedModel], Run]] = {
    "plain loop": plain_loop,
    "batched loop": batched_loop,
    "Crux engine": crux_engine,
}
