"""The network: a stock Llama, how it starts, and the losses that train it.

What made it learn, each found by a failed run without it: embeddings start large (std 0.5) and the writes of
each layer small (output projections scaled by 1/sqrt(2 L)), or token identity drowns under the first layer's
output and the asked place is ignored; the final norm starts at 0.1, so the first logits are calm; the tied
head passes no gradient to rows that are no answer, or the softmax drags all words to one side. Two auxiliary
heads, thrown away afterwards, say in the middle of the network what an event counts and how many visits the
asked place has. Attention itself is never supervised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, LlamaConfig, LlamaForCausalLM
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

from probes.training.examples import OTHERS, Batch
from probes.training.plan import Plan
from probes.training.tokenizer import WINDOW

EMBEDDING_STD = 0.5
FINAL_NORM = 0.1
COUNTS = 6


NEGATIVES = 1024
"""Rows of the tied head, besides the answers', that a step's softmax runs over."""


def precise_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    """Scaled dot-product attention in single precision, whatever the matrix products around it run in."""
    kind = query.dtype
    with torch.autocast("cpu", enabled=False):
        out = F.scaled_dot_product_attention(
            query.float(), key.float(), value.float(), attn_mask=attention_mask, scale=kwargs.get("scaling")
        )
    return out.transpose(1, 2).contiguous().to(kind), None


AttentionInterface.register("precise", precise_attention)
AttentionMaskInterface.register("precise", sdpa_mask)


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
    model = LlamaForCausalLM._from_config(config, attn_implementation="precise")
    with torch.no_grad():
        model.model.embed_tokens.weight.normal_(0, EMBEDDING_STD)
        model.model.embed_tokens.weight[tokenizer.mask_token_id] = 0
        model.model.norm.weight.fill_(FINAL_NORM)
        for block in model.model.layers:
            block.self_attn.o_proj.weight.mul_((2 * plan.layers) ** -0.5)
            block.mlp.down_proj.weight.mul_((2 * plan.layers) ** -0.5)
    return model


def attention_mask(batch: Batch) -> Tensor:
    """[rows, 1, length, length]: 0 where a query may read a key (the passage, its own branch, nothing
    hidden but itself), else very low.
    """
    branch = torch.from_numpy(batch.branch)
    length = branch.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    shared = (branch[:, None, :] == 0) | (branch[:, None, :] == branch[:, :, None])
    readable = ~torch.from_numpy(batch.hidden)[:, None, :]
    itself = torch.eye(length, dtype=torch.bool)
    return torch.where(shared & causal & (readable | itself), 0.0, torch.finfo(torch.float32).min)[:, None]


@dataclass(slots=True)
class Losses:
    """What one batch gave; `right` of `asked` first answer tokens were right."""

    total: Tensor
    answer: float
    event: float
    count: float
    right: float
    asked: int


class Trainer(nn.Module):
    """The model with its auxiliary heads."""

    def __init__(self, model: LlamaForCausalLM, plan: Plan, end: int):
        super().__init__()
        self.model, self.plan, self.end = model, plan, end
        self.event_head = nn.Linear(plan.width, OTHERS + 1)
        self.count_head = nn.Linear(plan.width, COUNTS)
        self.seen: dict[int, Tensor] = {}
        self.draw = torch.Generator()
        """Draws the negatives; seeded by the run at each step, so that a resumed run draws the same."""
        for depth in (plan.event_layer, plan.count_layer):
            model.model.layers[depth - 1].register_forward_hook(self._keep(depth))

    def _keep(self, depth: int) -> Any:
        def hook(_module: nn.Module, _args: Any, output: Any) -> None:
            self.seen[depth] = output[0] if isinstance(output, tuple) else output

        return hook

    def forward(self, batch: Batch) -> Losses:
        states = self.model.model(
            input_ids=torch.from_numpy(batch.ids),
            attention_mask=attention_mask(batch),
            position_ids=torch.from_numpy(batch.position),
            use_cache=False,
        ).last_hidden_state
        row, at, token, weight, first = torch.from_numpy(batch.targets).unbind(1)
        logits, token = self._logits(states[row, at].float(), token)
        entropy = F.cross_entropy(logits, token, reduction="none")
        share = weight.float() / 100
        answer = (entropy * share).sum() / share.sum()
        event = self._auxiliary(self.event_head, self.plan.event_layer, batch.events)
        count = self._auxiliary(self.count_head, self.plan.count_layer, batch.counts)
        asked = first.bool()
        right = (logits.detach()[asked].argmax(-1) == token[asked]).float().mean().item()
        total = answer + self.plan.event_loss * event + self.plan.count_loss * count
        return Losses(
            total,
            entropy.detach()[asked].mean().item(),
            float(event.detach()),
            float(count.detach()),
            right,
            int(asked.sum()),
        )

    def _logits(self, states: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Logits over this batch's answers and some other rows, and the targets among them.

        The gradient reaches the answers' rows only.
        """
        weight = self.model.model.embed_tokens.weight
        rows, among = torch.unique(targets, return_inverse=True)
        others = torch.randint(len(weight), (NEGATIVES,), generator=self.draw)
        others = others[~torch.isin(others, rows)]
        return torch.cat([states @ weight[rows].T, states @ weight[others].detach().T], 1), among

    def _auxiliary(self, head: nn.Module, depth: int, labels: Any) -> Tensor:
        if not len(labels):
            return torch.zeros(())
        row, at, label = torch.from_numpy(labels).unbind(1)
        return F.cross_entropy(head(self.seen[depth][row, at]).float(), label)
