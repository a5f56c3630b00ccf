"""What a module is made of, to be compared before and after somebody has worked with it."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel


def state(model: PreTrainedModel) -> tuple[Any, ...]:
    """All that patching could leave behind: hooks, forwards, attributes, other tensors, registries."""
    modules = {}
    for name, module in model.named_modules():
        tables = {key: dict(value) for key, value in vars(module).items() if key.endswith("_hooks")}
        attributes = {key: id(value) for key, value in vars(module).items() if not isinstance(value, dict)}
        modules[name] = (id(module), module.training, tables, attributes)
    held = {name: (id(tensor), tensor.dtype, tensor.requires_grad) for name, tensor in tensors(model)}
    functions = F.softmax, F.scaled_dot_product_attention, F.linear, torch.softmax, type(model).forward
    registries = dict(AttentionInterface()), dict(AttentionMaskInterface())
    settings = model.config.to_dict(), model.config._attn_implementation
    return modules, held, functions, registries, settings


def tensors(model: PreTrainedModel) -> list[tuple[str, torch.Tensor]]:
    return [*model.named_parameters(), *model.named_buffers()]
