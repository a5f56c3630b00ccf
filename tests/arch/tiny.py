"""A tiny random decoder: what to build, and what an engine may do with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedModel

LAYERS = 4
SPECIAL = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}


@dataclass(frozen=True, slots=True)
class Tiny:
    """One row: what to build, and what an engine may do with it.

    `how` is the way "auto" must take; `attends` counts the layers with softmax attention, the only ones where
    a position can be hidden; `stateful` marks models whose forward depends on the forwards before it.
    """

    name: str
    settings: Mapping[str, Any]
    how: str = "tree"
    attends: int = LAYERS
    attention: str | None = None  # implementation; None: the one transformers picks
    stateful: bool = False

    @property
    def architecture(self) -> str:
        return self.name.partition(":")[0]

    def build(self, seed: int = 0) -> PreTrainedModel:
        """The model with seeded random weights, in fp32 and eval mode."""
        config = CONFIG_MAPPING[self.architecture](**{**SPECIAL, **self.settings})
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config, attn_implementation=self.attention)
        model = model.float().eval().requires_grad_(False)
        _spread_weights(model, torch.Generator().manual_seed(seed + 1))
        return model


def _spread_weights(model: PreTrainedModel, random: torch.Generator) -> None:
    """Redraw the weights so that attention is uneven and every position matters.

    As initialised (standard deviation 0.02) all tokens look alike and effects sink into rounding.
    """
    embedding = model.get_input_embeddings().weight
    for name, parameter in model.named_parameters():
        owner = type(model.get_submodule(name.rpartition(".")[0])).__name__

        def draw(deviation: float, parameter: torch.Tensor = parameter) -> torch.Tensor:
            return torch.randn(parameter.shape, generator=random) * deviation

        if parameter is embedding or "sinks" in name:
            parameter.copy_(draw(1.0))
        elif parameter.dim() >= 2 and ("weight" in name or "experts" in name) and "conv" not in name:
            fan_in = parameter.shape[0] if owner == "Conv1D" else parameter.shape[-1]
            parameter.copy_(draw(1.2 / math.sqrt(fan_in)))
        elif parameter.dim() == 1 and ("norm" in name or "ln_" in name):
            parameter.add_(draw(0.1))
        elif parameter.dim() == 1 and name.endswith("bias") and "dt_" not in name:  # time steps: memory
            parameter.copy_(draw(0.1))
