"""Shards of examples, made ahead by a second process.

Shard n of a plan is always the same, so a run can resume at any of them.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import random
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from queue import Empty, Full

from probes.training.examples import Example, ExampleSource, encode
from probes.training.overlap import Forbidden, preset_texts
from probes.training.plan import Plan, level, stage
from probes.training.tokenizer import build
from probes.training.told import Teller, told

AHEAD = 4
"""Shards that wait in the queue at most."""


def shard(plan: Plan, number: int, tokenizer: object, forbidden: Forbidden) -> list[Example]:
    """The examples of shard `number`, from the plan's seed alone."""
    seed = plan.seed * 1_000_003 + number
    source, rng = ExampleSource(seed, forbidden, details=plan.details), random.Random(seed)
    tellers = [Teller(language, rng) for language in ("en", "zh")]
    weights, edits = stage(plan.behind + (1 - plan.behind) * number / plan.shards)
    found: list[Example] = []
    while len(found) < plan.shard:
        if rng.random() < plan.told:
            example = told(rng.choice(tellers), forbidden, tokenizer)  # type: ignore[arg-type]
        else:
            example = encode(source.asked(level(weights, rng), edits), tokenizer)  # type: ignore[arg-type]
        if example is not None:
            found.append(example)
    return found


def _work(plan: Plan, first: int, queue: Queue[list[Example]]) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.nice(5)
    tokenizer, forbidden = build(), Forbidden(preset_texts())
    reader = mp.parent_process()
    assert reader is not None
    for number in range(first, plan.shards):
        if not _put(queue, shard(plan, number, tokenizer, forbidden), reader):
            break
    while reader.is_alive():  # it ends this process once it has what it wants
        time.sleep(1)
    queue.cancel_join_thread()


def _put(queue: Queue[list[Example]], made: list[Example], reader: BaseProcess) -> bool:
    """Whether `made` found its way into the queue; it does not where nobody is left to read it."""
    while reader.is_alive():
        try:
            queue.put(made, timeout=5)
        except Full:
            continue
        return True
    return False


def _next(queue: Queue[list[Example]], worker: BaseProcess) -> list[Example]:
    while True:
        try:
            return queue.get(timeout=5)
        except Empty:
            if not worker.is_alive():
                raise ChildProcessError(
                    "the process that makes the passages has ended; its error is above"
                ) from None


def shards(plan: Plan, first: int = 0) -> Iterator[list[Example]]:
    """Shards from `first` on; the process that makes them ends with the iterator."""
    context = mp.get_context("spawn")
    queue: Queue[list[Example]] = context.Queue(AHEAD)
    worker = context.Process(target=_work, args=(plan, first, queue), daemon=True)
    worker.start()
    try:
        for _ in range(first, plan.shards):
            yield _next(queue, worker)
    finally:
        worker.terminate()
        worker.join()
