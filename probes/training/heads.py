"""How many attention heads matter: each mean-ablated alone, then together, the least needed first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from probes.training.cases import Case, accuracy
from probes.training.scoring import Scorer

Head = tuple[int, int]
"""Layer and head, both from 0."""
MATTERS = 0.05
"""A head matters if accuracy falls by more than this without it."""


def _projections(scorer: Scorer) -> list[Any]:
    return [block.self_attn.o_proj for block in scorer.model.model.layers]


@contextmanager
def _before(scorer: Scorer, change: Any) -> Iterator[None]:
    """Run `change(layer, input)` on what each layer's heads hand to the output projection; None leaves it."""

    def hook(layer: int) -> Any:
        return lambda _module, args: (made,) if (made := change(layer, args[0])) is not None else None

    handles = [module.register_forward_pre_hook(hook(i)) for i, module in enumerate(_projections(scorer))]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def mean_outputs(scorer: Scorer, cases: Sequence[Case]) -> list[Tensor]:
    """For each layer the mean of its heads' outputs over every position of `cases`, [width]."""
    sums: dict[int, Tensor] = {}
    seen: dict[int, int] = {}

    def record(layer: int, values: Tensor) -> None:
        flat = values.reshape(-1, values.shape[-1])
        sums[layer] = sums.get(layer, torch.zeros(flat.shape[1])) + flat.sum(0)
        seen[layer] = seen.get(layer, 0) + len(flat)

    with _before(scorer, record):
        scorer.probabilities([case.item for case in cases])
    return [sums[layer] / seen[layer] for layer in sorted(sums)]


@contextmanager
def ablated(scorer: Scorer, heads: Sequence[Head], means: Sequence[Tensor]) -> Iterator[None]:
    """The model with `heads` set to their mean output."""
    config = scorer.model.config
    size = config.hidden_size // config.num_attention_heads

    def change(layer: int, values: Tensor) -> Tensor | None:
        mine = [head for at, head in heads if at == layer]
        if not mine:
            return None
        values = values.clone()
        for head in mine:
            values[..., head * size : (head + 1) * size] = means[layer][head * size : (head + 1) * size]
        return values

    with _before(scorer, change):
        yield


def head_table(scorer: Scorer, cases: Sequence[Case]) -> dict[str, Any]:
    """Accuracy with each head mean-ablated, how many matter alone, and how many are needed together."""
    config = scorer.model.config
    means = mean_outputs(scorer, cases)

    def share(heads: Sequence[Head]) -> float:
        with ablated(scorer, heads, means):
            return float(accuracy(scorer, cases)[0]["share"])

    base = share([])
    alone = {
        (layer, head): share([(layer, head)])
        for layer in range(config.num_hidden_layers)
        for head in range(config.num_attention_heads)
    }
    order = sorted(alone, key=lambda head: -alone[head])
    gone = 0
    while gone < len(order) and share(order[: gone + 1]) >= base - MATTERS:
        gone += 1
    return {
        "accuracy": base,
        "without": {f"L{layer}H{head}": value for (layer, head), value in alone.items()},
        "heads that matter": sum(value < base - MATTERS for value in alone.values()),
        "heads needed together": len(order) - gone,
    }
