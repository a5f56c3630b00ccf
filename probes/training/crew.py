"""Processes that train one network together, each on batches of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from probes.training.examples import Batch, Example


class Crew:
    """One process (`rank` of `size`, from 0) and how it speaks to the others; alone by default."""

    def __init__(self, rank: int = 0, size: int = 1, meeting: Path | None = None):
        """`meeting`: a file that does not exist yet, where the processes find each other."""
        self.rank, self.size = rank, size
        if size > 1:
            dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)

    @property
    def first(self) -> bool:
        """Whether this is the process that makes the passages and keeps what is learnt."""
        return self.rank == 0

    def shared(
        self, start: int, end: int, made: Callable[[], Iterator[list[Example]]]
    ) -> Iterator[list[Example]]:
        """Shards `start` to `end`, the end not included, as the first process makes them, in every one."""
        source = made() if self.first else None
        try:
            for _ in range(start, end):
                parcel: list[Any] = [next(source) if source is not None else None]
                if self.size > 1:
                    dist.broadcast_object_list(parcel)
                yield parcel[0]
        finally:
            if source is not None:
                source.close()  # type: ignore[attr-defined]

    def dealt(self, batches: Iterable[Batch]) -> list[Batch]:
        """This process's part of `batches`, equally many for all: where they do not go round, the first ones
        are dealt again.
        """
        once = list(batches)
        return list(islice(cycle(once), self.rank, len(once) + -len(once) % self.size, self.size))

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by the mean over the processes; none counts as zero."""
        if self.size == 1:
            return
        parameters = list(parameters)
        for one in parameters:
            if one.grad is None:
                one.grad = torch.zeros_like(one)
        grads = [one.grad for one in parameters if one.grad is not None]
        flat = torch.cat([grad.flatten() for grad in grads])
        dist.all_reduce(flat)
        flat /= self.size
        for grad, mean in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
            grad.copy_(mean.view_as(grad))

    def check(self, parameters: Iterable[nn.Parameter]) -> None:
        """Raise RuntimeError where the processes no longer hold the same weights, all of them numbers."""
        if self.size == 1:
            return
        sums = torch.stack([one.detach().double().square().sum() for one in parameters])
        every = [torch.empty_like(sums) for _ in range(self.size)]
        dist.all_gather(every, sums)
        if not all(torch.equal(every[0], other) for other in every):  # what is no number equals nothing
            raise RuntimeError(
                "the processes no longer hold the same weights; start again from the last checkpoint"
            )

    def leave(self) -> None:
        """Wait for the others, and part."""
        if self.size > 1:
            dist.barrier()
            dist.destroy_process_group()
