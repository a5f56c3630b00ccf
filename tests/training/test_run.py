"""A tiny run: its loss falls, and stopping and resuming changes nothing."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from probes.training import loop, origin
from probes.training.__main__ import main
from probes.training.examples import Example
from probes.training.loop import TrainingRun, rate
from probes.training.overlap import Forbidden
from probes.training.plan import STAGES, stage
from probes.training.stream import shard
from probes.training.tokenizer import build
from tests.training.plans import TINY

PLAN = replace(TINY, seed=3, examples=192, shard=64)


@pytest.fixture(scope="module")
def made() -> list[list[Example]]:
    tokenizer, forbidden = build(), Forbidden([])
    return [shard(PLAN, number, tokenizer, forbidden) for number in range(PLAN.shards)]


@pytest.fixture
def no_process(made: list[list[Example]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards from memory: what is tested here is the run, not the second process."""
    monkeypatch.setattr(loop, "shards", lambda plan, first=0: (one for one in made[first:]))


def test_a_resumed_run_is_the_run(tmp_path: Path, no_process: None) -> None:
    straight = TrainingRun(PLAN, tmp_path / "straight")
    straight.train()
    TrainingRun(PLAN, tmp_path / "halves").train(until=1)
    resumed = TrainingRun(PLAN, tmp_path / "halves")
    assert resumed.shard == 1
    resumed.train()
    assert resumed.step == straight.step
    for (name, one), other in zip(
        straight.trainer.state_dict().items(), resumed.trainer.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other), name


def test_what_it_went_on_with_is_told(
    tmp_path: Path, no_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code that has changed between two parts of a run is in its origin, once."""
    TrainingRun(PLAN, tmp_path).train(until=1)
    first = dict(TrainingRun(PLAN, tmp_path).origin)
    monkeypatch.setattr(origin, "digest", lambda paths: "other")
    resumed = TrainingRun(PLAN, tmp_path)
    later = {name: value for name, value in resumed.origin.items() if name not in first}
    assert list(later.values()) == ["`other`"]
    assert all(f"from step {resumed.step} on" in name for name in later)
    resumed.train(until=2)
    assert TrainingRun(PLAN, tmp_path).origin == resumed.origin


def test_another_plan_is_refused(tmp_path: Path, no_process: None) -> None:
    TrainingRun(PLAN, tmp_path).train(until=1)
    with pytest.raises(ValueError, match="another plan"):
        TrainingRun(replace(PLAN, rate=1.0), tmp_path)
    assert TrainingRun(replace(PLAN, examples=256), tmp_path).shard == 1


def test_a_state_from_before_a_number_of_the_plan_is_refused_in_words(
    tmp_path: Path, no_process: None
) -> None:
    run = TrainingRun(TINY, tmp_path)
    run.save()
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    del state["plan"]["processes"]
    torch.save(state, tmp_path / "state.pt")
    with pytest.raises(ValueError, match="processes None instead of 1"):
        TrainingRun(TINY, tmp_path)


def test_two_processes_on_one_gpu_and_none_at_all_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for device, number in (("cuda", "2"), ("cpu", "0"), ("cpu", "-1")):
        monkeypatch.setattr("sys.argv", ["training", "--device", device, "--processes", number])
        with pytest.raises(SystemExit):
            main()
        assert f"--processes {number} on {device}: at least one, and one alone" in capsys.readouterr().err


def test_the_loss_falls_and_the_mask_stays_nothing(tmp_path: Path, no_process: None) -> None:
    run = TrainingRun(replace(PLAN, rate=0.3), tmp_path)  # so few steps are all in the warm-up
    before = {name: p.clone() for name, p in run.trainer.named_parameters()}
    losses: list[float] = []
    step = run._step
    run._step = lambda batch: losses.append(float((found := step(batch)).total)) or found  # type: ignore[method-assign,func-returns-value]
    run.train()
    assert sum(losses[-5:]) < 0.85 * sum(losses[:5])
    assert not run.trainer.model.model.embed_tokens.weight[run.tokenizer.mask_token_id].any()
    assert all(not torch.equal(before[name], p) for name, p in run.trainer.named_parameters())


def test_the_exported_model_is_a_stock_one(tmp_path: Path, no_process: None) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run = TrainingRun(PLAN, tmp_path / "run")
    run.train(until=1)
    run.export(tmp_path / "out")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    ids = tokenizer("我走进公园。\n问题：我去了几次公园？\n答案：", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        expected = run.trainer.model(input_ids=ids).logits
        assert torch.allclose(model(input_ids=ids).logits, expected, atol=0.05, rtol=0.02)


def test_shards_come_from_the_seed_alone(made: list[list[Example]]) -> None:
    again = shard(PLAN, 1, build(), Forbidden([]))
    assert [e.ids for e in again] == [e.ids for e in made[1]]
    assert [e.ids for e in again] != [e.ids for e in made[2]]


def test_stages_and_rate_cover_the_whole_run() -> None:
    assert [until for until, _, _ in STAGES] == sorted(until for until, _, _ in STAGES)
    rng = random.Random(0)
    for progress in [0.0, 1.0, *(rng.random() for _ in range(50))]:
        levels, edits = stage(progress)
        assert len(levels) == 5
        assert 0 <= edits <= 1
        assert 0 < rate(PLAN, 1000, progress) <= PLAN.rate
