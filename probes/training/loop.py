"""Training: one pass over freshly made passages, resumable at every checkpoint.

Several processes may share a run: each takes its part of a shard's batches, and their gradients are averaged
at every step, so that all hold the same weights. The first makes the shards, keeps the checkpoints and tells.
"""

from __future__ import annotations

import json
import logging
import math
import os
import random
import time
from collections import deque
from dataclasses import asdict
from functools import partial
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import torch

from probes.training.crew import Crew
from probes.training.examples import batches
from probes.training.model import Losses, Trainer, carry_over, new_model
from probes.training.origin import begun, origin
from probes.training.plan import Plan
from probes.training.stream import shards
from probes.training.tokenizer import build
from probes.training.trunk import halves_pay

log = logging.getLogger(__name__)
WARM_STEPS = 200
FLAT = 0.1
"""Share of the run at the full rate, before it falls along a cosine."""
LAST = 0.02
"""What is left of the rate at the end."""


def rate(plan: Plan, step: int, progress: float) -> float:
    """The learning rate at `step`, `progress` (0 to 1) of the way."""
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, (progress - FLAT) / (1 - FLAT)))))
    return plan.rate * min(1.0, (step + 1) / WARM_STEPS) * (LAST + (1 - LAST) * fall)


class TrainingRun:
    """A training run in a folder: `state.pt` to resume from, `log.jsonl` with its figures."""

    def __init__(self, plan: Plan, folder: Path, device: str = "cpu", crew: Crew | None = None):
        self.plan, self.folder, self.crew = plan, folder, crew or Crew()
        folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer = build()
        model = new_model(plan, self.tokenizer)
        self.origin = begun(plan, "bfloat16" if halves_pay(device) else "float32", device)
        if plan.start_from:
            carry_over(model, self.tokenizer, Path(plan.start_from))
        torch.nn.Module.to(model, device)  # that of transformers wraps it, and its type is lost
        self.trainer = Trainer(model, plan, self.tokenizer.eos_token_id).to(device)
        self.optimizers = self._optimizers()
        self.step, self.shard, self.seconds = 0, 0, 0.0
        if (folder / "state.pt").exists():
            self._resume()

    def _optimizers(self) -> list[torch.optim.Optimizer]:
        """Muon (Jordan et al. 2024) for the matrices of the layers, AdamW for all else."""
        matrices: list[torch.nn.Parameter] = []
        rest: list[torch.nn.Parameter] = []
        for name, parameter in self.trainer.named_parameters():
            hidden = parameter.dim() == 2 and ".layers." in name
            (matrices if hidden else rest).append(parameter)
        plan = self.plan
        return [
            torch.optim.Muon(
                matrices,
                lr=plan.rate,
                weight_decay=plan.weight_decay,
                momentum=0.95,
                adjust_lr_fn="match_rms_adamw",
            ),
            torch.optim.AdamW(rest, lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
        ]

    def _resume(self) -> None:
        state = torch.load(self.folder / "state.pt", weights_only=True, map_location="cpu")
        free = {"examples", "checkpoint_minutes"}  # a run may be made longer or shorter on the way
        known, own = state["plan"], asdict(self.plan)
        other = {name: known.get(name) for name in own if name not in free and known.get(name) != own[name]}
        if other:
            told = ", ".join(f"{name} {value} instead of {own[name]}" for name, value in other.items())
            raise ValueError(
                f"{self.folder} holds another plan ({told}); take another --work, or its numbers"
            )
        self.trainer.load_state_dict(state["trainer"])
        for optimizer, before in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(before)
        self.step, self.shard, self.seconds = state["step"], state["shard"], state["seconds"]
        made_of, self.origin = self.origin, state["origin"]
        for name, value in made_of.items():
            earlier = [old for row, old in self.origin.items() if row.split(", from step ")[0] == name]
            if earlier[-1:] != [value]:
                self.origin[f"{name}, from step {state['step']} on"] = value
        log.info("resumed at step %d, shard %d of %d", self.step, self.shard, self.plan.shards)

    def save(self) -> None:
        """Write the state beside the old one, then put it in its place."""
        state = {
            "plan": asdict(self.plan),
            "origin": self.origin,
            "trainer": self.trainer.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step,
            "shard": self.shard,
            "seconds": self.seconds,
        }
        torch.save(state, self.folder / "state.new")
        (self.folder / "state.new").replace(self.folder / "state.pt")

    def train(self, until: int | None = None) -> None:
        """Train to the end of the plan, or of shard `until`."""
        last, began = time.monotonic(), time.monotonic() - self.seconds
        recent: deque[Losses] = deque(maxlen=200)
        end = self.plan.shards if until is None else min(until, self.plan.shards)
        tokens = self.plan.tokens // self.crew.size
        for examples in self.crew.shared(self.shard, end, partial(shards, self.plan, self.shard)):
            rng = random.Random(self.plan.seed * 7919 + self.shard)
            dealt = self.crew.dealt(batches(examples, tokens, self.tokenizer.pad_token_id, rng))
            for batch in dealt:
                recent.append(self._step(batch))
                if self.step % 100 == 0 and self.crew.first:
                    self._tell(recent, time.monotonic() - began)
            self.crew.check(self.trainer.parameters())
            if (launcher := parent_process()) is not None and not launcher.is_alive():
                raise RuntimeError("the process that launched the run has ended, so this one ends too")
            self.shard += 1
            self.seconds = time.monotonic() - began
            if self.crew.first and time.monotonic() - last > 60 * self.plan.checkpoint_minutes:
                self.save()
                last = time.monotonic()
        if self.crew.first:
            self.save()

    def _step(self, batch: Any) -> Losses:
        for group in (group for optimizer in self.optimizers for group in optimizer.param_groups):
            group["lr"] = rate(self.plan, self.step, self.shard / self.plan.shards)
        self.trainer.draw.manual_seed(
            self.plan.seed * 10_000_019 + self.step * self.crew.size + self.crew.rank
        )
        losses: Losses = self.trainer(batch)
        self.trainer.zero_grad()
        losses.total.backward()
        self.crew.average(self.trainer.parameters())
        embeddings = self.trainer.model.model.embed_tokens.weight
        assert embeddings.grad is not None
        embeddings.grad[self.tokenizer.mask_token_id] = 0  # the mask stays the zero vector: nothing there
        torch.nn.utils.clip_grad_norm_(self.trainer.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        losses.total = losses.total.detach()
        return losses

    def _tell(self, recent: deque[Losses], seconds: float) -> None:
        mean = {
            name: sum(getattr(one, name) for one in recent) / len(recent)
            for name in ("answer", "event", "known", "count", "running", "right")
        }
        entry = {
            "step": self.step,
            "shard": self.shard,
            "seconds": round(seconds),
            **{k: round(v, 4) for k, v in mean.items()},
        }
        log.info("%s", entry)
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def export(self, folder: Path) -> None:
        """Weights in half precision and the tokenizer, as a model folder of Hugging Face."""
        model = self.trainer.model.cpu()
        model.config.dtype = "float16"
        halves = {
            name: tensor.half() for name, tensor in model.state_dict().items() if name != "lm_head.weight"
        }
        model.save_pretrained(folder, state_dict=halves)
        self.tokenizer.save_pretrained(folder)


def train(rank: int, plan: Plan, work: Path, out: Path, threads: int, device: str, meeting: Path) -> None:
    """What process `rank` does of the run; the first one writes the model to `out`."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    crew = Crew(rank, plan.processes, meeting)
    run = TrainingRun(plan, work, device, crew)
    run.train()
    crew.leave()
    if crew.first:
        run.export(out)
        made = origin(run.plan, run.origin, run.step, out / "model.safetensors")
        (out / "origin.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
