"""What the tests of training share: the tokenizer, and a network that is small and not trained."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from probes.training.model import new_model
from probes.training.plan import Plan
from probes.training.tokenizer import build


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return build()


@pytest.fixture(scope="session")
def small() -> Plan:
    return Plan(width=32, layers=3, heads=2, inner=48)


@pytest.fixture(scope="module")
def model(small: Plan, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """With norms that are not all alike, or folding them into matrices could not go wrong."""
    made = new_model(small, tokenizer).eval()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "norm" in name:
                parameter.uniform_(0.2, 1.5)
    return made
