"""Training: one pass over freshly made passages, resumable at every checkpoint."""

from __future__ import annotations

import json
import logging
import math
import random
import time
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from probes.training.examples import batches
from probes.training.model import Losses, Trainer, carry_over, new_model
from probes.training.origin import begun
from probes.training.plan import Plan
from probes.training.stream import shards
from probes.training.tokenizer import build

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


class Run:
    """A training run in a folder: `state.pt` to resume from, `log.jsonl` with its figures."""

    def __init__(self, plan: Plan, folder: Path):
        self.plan, self.folder = plan, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer = build()
        model = new_model(plan, self.tokenizer)
        self.origin = begun(plan)
        if plan.start_from:
            carry_over(model, self.tokenizer, Path(plan.start_from))
        self.trainer = Trainer(model, plan, self.tokenizer.eos_token_id)
        self.optimizer = self._optimizer()
        self.step, self.shard, self.seconds = 0, 0, 0.0
        if (folder / "state.pt").exists():
            self._resume()

    def _optimizer(self) -> torch.optim.AdamW:
        decayed: list[torch.nn.Parameter] = []
        free: list[torch.nn.Parameter] = []
        for name, parameter in self.trainer.named_parameters():
            (decayed if parameter.dim() > 1 and "embed" not in name and "_head" not in name else free).append(
                parameter
            )
        groups = [
            {"params": decayed, "weight_decay": self.plan.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.plan.rate, betas=(0.9, 0.98), fused=True)

    def _resume(self) -> None:
        state = torch.load(self.folder / "state.pt", weights_only=True)
        free = {"examples", "checkpoint_minutes"}  # a run may be made longer or shorter on the way
        if any(state["plan"][name] != value for name, value in asdict(self.plan).items() if name not in free):
            raise ValueError(f"{self.folder} holds another plan: {state['plan']}")
        self.trainer.load_state_dict(state["trainer"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.shard, self.seconds = state["step"], state["shard"], state["seconds"]
        self.origin = state["origin"]
        log.info("resumed at step %d, shard %d of %d", self.step, self.shard, self.plan.shards)

    def save(self) -> None:
        """Write the state beside the old one, then put it in its place."""
        state = {
            "plan": asdict(self.plan),
            "origin": self.origin,
            "trainer": self.trainer.state_dict(),
            "optimizer": self.optimizer.state_dict(),
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
        for examples in shards(self.plan, self.shard):
            rng = random.Random(self.plan.seed * 7919 + self.shard)
            for batch in batches(examples, self.plan.tokens, self.tokenizer.pad_token_id, rng):
                recent.append(self._step(batch))
                if self.step % 100 == 0:
                    self._tell(recent, time.monotonic() - began)
            self.shard += 1
            self.seconds = time.monotonic() - began
            if time.monotonic() - last > 60 * self.plan.checkpoint_minutes:
                self.save()
                last = time.monotonic()
            if until is not None and self.shard >= until:
                break
        self.save()

    def _step(self, batch: Any) -> Losses:
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.plan, self.step, self.shard / self.plan.shards)
        self.trainer.draw.manual_seed(self.plan.seed * 10_000_019 + self.step)
        losses: Losses = self.trainer(batch)
        self.optimizer.zero_grad()
        losses.total.backward()
        embeddings = self.trainer.model.model.embed_tokens.weight
        assert embeddings.grad is not None
        embeddings.grad[self.tokenizer.mask_token_id] = 0  # the mask stays the zero vector: nothing there
        torch.nn.utils.clip_grad_norm_(self.trainer.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        losses.total = losses.total.detach()
        return losses

    def _tell(self, recent: deque[Losses], seconds: float) -> None:
        mean = {
            name: sum(getattr(one, name) for one in recent) / len(recent)
            for name in ("answer", "event", "count", "right")
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
        model = self.trainer.model
        model.config.dtype = "float16"
        halves = {
            name: tensor.half() for name, tensor in model.state_dict().items() if name != "lm_head.weight"
        }
        model.save_pretrained(folder, state_dict=halves)
        self.tokenizer.save_pretrained(folder)
