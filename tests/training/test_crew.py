"""Processes that train together: what they hold is what one process would that averages their gradients."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from queue import Full
from typing import Any

import numpy as np
import pytest
import torch

from probes.training.crew import Crew
from probes.training.examples import Batch, Example, batches
from probes.training.loop import TrainingRun, train
from probes.training.overlap import Forbidden, preset_texts
from probes.training.stream import _put, shard
from probes.training.tokenizer import build
from tests.training.plans import TINY

PLAN = replace(TINY, seed=5, examples=96, shard=48, processes=2)


def numbered(number: int) -> Batch:
    empty = np.zeros((0, 0), np.int64)
    return Batch(np.array([[number]]), *(empty for _ in range(8)))


@pytest.mark.parametrize(("of", "size"), [(7, 2), (8, 2), (1, 3), (9, 4)])
def test_batches_are_dealt_once_and_equally_many_to_all(of: int, size: int) -> None:
    hands = []
    for rank in range(size):
        crew = Crew()
        crew.rank, crew.size = rank, size
        hands.append([int(batch.ids[0, 0]) for batch in crew.dealt(numbered(n) for n in range(of))])
    assert len({len(hand) for hand in hands}) == 1
    dealt = [number for hand in hands for number in hand]
    assert set(dealt) == set(range(of))
    assert len(dealt) - of < size


GAPS = {0.0: "same", 1e-6: "drifted", float("nan"): "drifted"}


def spoken(rank: int, folder: Path) -> None:
    """Two processes average gradients that are known, one of them missing in one process, and look whether
    their weights differ by each of `GAPS`.
    """
    crew = Crew(rank, 2, folder / "meeting")
    one, two = torch.nn.Parameter(torch.zeros(2, 3)), torch.nn.Parameter(torch.zeros(4))
    one.grad = torch.full((2, 3), float(1 + 4 * rank))
    if rank:
        two.grad = torch.arange(4.0)
    crew.average([one, two])
    read = []
    for gap in GAPS:
        try:
            crew.check([torch.nn.Parameter(torch.ones(3) + (gap if rank else 0))])
            read.append("same")
        except RuntimeError:
            read.append("drifted")
    torch.save([one.grad, two.grad, read], folder / f"{rank}.pt")
    crew.leave()


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What each of the two processes had in the end."""
    folder = tmp_path_factory.mktemp("crew")
    torch.multiprocessing.spawn(spoken, (folder,), 2)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


def test_gradients_become_their_mean(heard: list[Any]) -> None:
    for one, two, _ in heard:
        assert torch.equal(one, torch.full((2, 3), 3.0))
        assert torch.equal(two, torch.arange(4.0) / 2)


def test_processes_notice_that_they_drift_apart(heard: list[Any]) -> None:
    assert [read for _, _, read in heard] == [list(GAPS.values())] * 2


def test_passages_are_made_no_further_when_nobody_reads_them() -> None:
    """The queue is full `full` times; the reader answers `alive` times that it is there."""

    class Reader:
        def __init__(self, alive: int):
            self.left = alive

        def is_alive(self) -> bool:
            self.left -= 1
            return self.left >= 0

    class Waiting:
        def __init__(self, full: int):
            self.full, self.held = full, list[list[Example]]()

        def put(self, made: list[Example], timeout: float) -> None:
            assert timeout > 0
            self.full -= 1
            if self.full >= 0:
                raise Full
            self.held.append(made)

    for full, alive, taken in ((0, 0, False), (0, 1, True), (2, 3, True), (2, 2, False), (9, 2, False)):
        queue = Waiting(full)
        assert _put(queue, [], Reader(alive)) == taken, (full, alive)  # type: ignore[arg-type]
        assert queue.held == [[]] * taken


def test_a_process_whose_launcher_has_ended_ends_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        def is_alive(self) -> bool:
            return False

    monkeypatch.setattr("probes.training.loop.parent_process", Gone)
    run = TrainingRun(replace(PLAN, processes=1), tmp_path)
    with pytest.raises(RuntimeError, match="launched the run has ended"):
        run.train()
    assert run.shard == 0


def together(rank: int, folder: Path, until: int | None) -> None:
    """What each process does, and the weights that it ends with."""
    torch.set_num_threads(1)
    run = TrainingRun(PLAN, folder / "run", "cpu", Crew(rank, 2, folder / f"meeting {until}"))
    run.train(until)
    torch.save(run.trainer.state_dict(), folder / f"{rank}.pt")
    run.crew.leave()


def plainly(folder: Path) -> dict[str, torch.Tensor]:
    """The same run by one process: every step takes two batches, whose gradients it averages by hand."""
    run = TrainingRun(PLAN, folder)
    backward = run.trainer.forward

    def both(pair: tuple[Batch, Batch]) -> object:
        losses = []
        for rank, batch in enumerate(pair):
            run.trainer.draw.manual_seed(PLAN.seed * 10_000_019 + 2 * run.step + rank)
            losses.append(backward(batch))
        nothing = sum(0.0 * one.sum() for one in run.trainer.parameters())  # no gradient counts as zero
        losses[0].total = (losses[0].total + losses[1].total) / 2 + nothing
        return losses[0]

    run.trainer.forward = both  # type: ignore[method-assign,assignment]
    for run.shard in range(PLAN.shards):
        examples = shard(PLAN, run.shard, build(), Forbidden(preset_texts()))
        rng = random.Random(PLAN.seed * 7919 + run.shard)
        made = list(batches(examples, PLAN.tokens // 2, run.tokenizer.pad_token_id, rng))
        made += made[: len(made) % 2]
        for pair in zip(made[::2], made[1::2], strict=True):
            run._step(pair)
    return run.trainer.state_dict()


def test_two_processes_stopped_and_resumed_are_one_that_averages(tmp_path: Path) -> None:
    for until in (1, None):
        torch.multiprocessing.spawn(together, (tmp_path, until), 2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    expected = plainly(tmp_path / "plain")
    fresh = TrainingRun(PLAN, tmp_path / "fresh").trainer.state_dict()
    for name, weights in first.items():
        assert torch.equal(weights, second[name]), name
        if "rotary" in name:
            continue
        apart, way = weights - expected[name], weights - fresh[name]
        assert apart.abs().max() < 2e-4, name  # AdamW turns the last digits of a tiny gradient into a step
        assert apart.norm() < 0.05 * way.norm(), name
        assert not torch.allclose(weights, fresh[name], atol=2e-5), name


def test_the_whole_of_it_leaves_a_model(tmp_path: Path) -> None:
    """As `make builtin` runs it, but smaller."""
    place = (replace(PLAN, examples=48), tmp_path / "work", tmp_path / "out", 1, "cpu", tmp_path / "meeting")
    torch.multiprocessing.spawn(train, place, 2)
    assert (tmp_path / "out" / "model.safetensors").stat().st_size > 10_000
    assert "processes 2" in (tmp_path / "out" / "origin.json").read_text()
    assert TrainingRun(PLAN, tmp_path / "work").shard == 1  # a run may be made longer
