"""The network: a stock Llama, how it starts, and the losses that train it.

What made it learn, each found by a failed run without it: embeddings start large (std 0.5) and the writes of
each layer small (output projections scaled by 1/sqrt(2 L)), or token identity drowns under the first layer's
output and the asked place is ignored; the final norm starts at 0.1, so the first logits are calm; the tied
head passes no gradient to rows that are no answer, or the softmax drags all words to one side. Three
auxiliary heads, thrown away afterwards, say in the middle of the network what an event counts, what a word
or sentence of free telling counts, and how many visits a place has. Attention itself is never supervised.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from probes.training.examples import OTHERS, Batch
from probes.training.plan import Plan
from probes.training.tokenizer import WINDOW
from probes.training.trunk import TrainingTrunk, halves_pay

EMBEDDING_STD = 0.5
FINAL_NORM = 0.1
COUNTS = 6


NEGATIVES = 1024
"""Rows of the tied head, besides the answers', that a step's softmax runs over."""


def new_model(plan: Plan, tokenizer: Any) -> LlamaForCausalLM:
    """A fresh network for `plan`, seeded by it."""
    torch.manual_seed(plan.seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=plan.width,
        intermediate_size=plan.inner,
        num_hidden_layers=plan.layers,
        num_attention_heads=plan.heads,
        num_key_value_heads=plan.heads,
        max_position_embeddings=WINDOW,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.03,
        rms_norm_eps=1e-5,
    )
    model = LlamaForCausalLM._from_config(config, attn_implementation="sdpa")
    with torch.no_grad():
        model.model.embed_tokens.weight.normal_(0, EMBEDDING_STD)
        model.model.embed_tokens.weight[tokenizer.mask_token_id] = 0
        model.model.norm.weight.fill_(FINAL_NORM)
        for block in model.model.layers:
            block.self_attn.o_proj.weight.mul_((2 * plan.layers) ** -0.5)
            block.mlp.down_proj.weight.mul_((2 * plan.layers) ** -0.5)
    found: LlamaForCausalLM = model
    return found


def carry_over(model: LlamaForCausalLM, tokenizer: Any, folder: Path) -> None:
    """Put the weights of the model in `folder` into `model`, an embedding for each piece that both tokenizers
    know; pieces that are new keep their random one.
    """
    old = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    known, pieces = AutoTokenizer.from_pretrained(folder).get_vocab(), tokenizer.get_vocab()
    shared = [(number, known[piece]) for piece, number in pieces.items() if piece in known]
    here, there = (list(numbers) for numbers in zip(*shared, strict=True))
    embeddings = model.model.embed_tokens.weight.detach().clone()
    embeddings[here] = old.model.embed_tokens.weight.detach()[there]
    weights = {name: tensor for name, tensor in old.state_dict().items() if "embed" not in name}
    weights["model.embed_tokens.weight"] = weights["lm_head.weight"] = embeddings
    model.load_state_dict(weights)


def attention_mask(batch: Batch, device: torch.device | str = "cpu") -> Tensor:
    """[rows, 1, length, length]: 0 where a query may read a key (the passage, its own branch, nothing
    hidden but itself), else very low.
    """
    branch, hidden = (torch.from_numpy(part).to(device) for part in (batch.branch, batch.hidden))
    length = branch.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    shared = (branch[:, None, :] == 0) | (branch[:, None, :] == branch[:, :, None])
    itself = torch.eye(length, dtype=torch.bool, device=device)
    readable = ~hidden[:, None, :] | itself
    return torch.where(shared & causal & readable, 0.0, torch.finfo(torch.float32).min)[:, None]


@dataclass(slots=True)
class Losses:
    """What one batch gave; `right` of `asked` first answer tokens were right."""

    total: Tensor
    answer: float
    event: float
    known: float
    count: float
    running: float
    right: float
    asked: int


class Trainer(nn.Module):
    """The model with its auxiliary heads."""

    def __init__(self, model: LlamaForCausalLM, plan: Plan, end: int):
        super().__init__()
        self.model, self.plan, self.end = model, plan, end
        self.event_head = nn.Linear(plan.width, OTHERS + 1)
        self.known_head = nn.Linear(plan.width, COUNTS)
        self.count_head = nn.Linear(plan.width, COUNTS)
        self.trunk = TrainingTrunk(model, halves_pay(model.device.type))
        self.draw = torch.Generator()
        """Draws the negatives; seeded by the run at each step, so that a resumed run draws the same."""

    def forward(self, batch: Batch) -> Losses:
        """The losses of one batch; `total` is the one to go down, with a gradient."""
        device = self.event_head.weight.device
        row, at, token, weight, first = torch.from_numpy(batch.targets).to(device).unbind(1)
        wanted, slot = _in_rows(row, at, len(batch.ids))
        states, seen = self.trunk(
            torch.from_numpy(batch.ids).to(device),
            attention_mask(batch, device),
            torch.from_numpy(batch.position).to(device),
            wanted,
            (self.plan.event_layer, self.plan.count_layer),
        )
        logits, token = self._logits(states[row, slot], token)
        entropy = F.cross_entropy(logits, token, reduction="none")
        share = weight.float() / 100
        answer = (entropy * share).sum() / share.sum()
        event = _auxiliary(self.event_head, seen[self.plan.event_layer], batch.events)
        known = _auxiliary(self.known_head, seen[self.plan.event_layer], batch.known)
        count = _auxiliary(self.count_head, seen[self.plan.count_layer], batch.counts)
        running = _auxiliary(self.count_head, seen[self.plan.count_layer], batch.running)
        asked = first.bool()
        right = (logits.detach()[asked].argmax(-1) == token[asked]).float().mean().item()
        total = answer + self.plan.event_loss * (event + known) + self.plan.count_loss * (count + running)
        return Losses(
            total,
            entropy.detach()[asked].mean().item(),
            float(event.detach()),
            float(known.detach()),
            float(count.detach()),
            float(running.detach()),
            right,
            int(asked.sum()),
        )

    def _logits(self, states: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Logits over this batch's answers and some other rows, and the targets among them.

        The gradient reaches the answers' rows only.
        """
        weight = self.model.model.embed_tokens.weight
        rows, among = torch.unique(targets, return_inverse=True)
        others = torch.randint(len(weight), (NEGATIVES,), generator=self.draw).to(weight.device)
        others = others[~torch.isin(others, rows)]
        return torch.cat([states @ weight[rows].T, states @ weight[others].detach().T], 1), among


def _in_rows(row: Tensor, at: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """Places `at` of `row`, sorted by row, as [rows, most of a row], padded with 0; and each one's column."""
    counts = torch.bincount(row, minlength=rows)
    slot = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row]
    wanted = torch.zeros(rows, int(counts.max()), dtype=torch.long, device=row.device)
    wanted[row, slot] = at
    return wanted, slot


def _auxiliary(head: nn.Module, states: Tensor, labels: Any) -> Tensor:
    if not len(labels):
        return torch.zeros((), device=states.device)
    row, at, label = torch.from_numpy(labels).to(states.device).unbind(1)
    return F.cross_entropy(head(states[row, at]), label)
