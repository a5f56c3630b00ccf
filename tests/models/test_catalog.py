"""The catalogue's sizes: those of the published configurations give the published number of parameters."""

from __future__ import annotations

import pytest
import torch

from probes.models import catalog
from probes.models.looking import on_this_machine
from probes.models.memory import bytes_needed
from probes.models.source import resolve

KINDS = {"qwen3": "qwen3", "qwen2.5": "qwen2", "gemma": "gemma3_text"}


@pytest.mark.parametrize("entry", catalog.entries(), ids=lambda entry: entry.name)
def test_shapes_are_those_of_the_published_weights(entry: catalog.CatalogEntry) -> None:
    from transformers import AutoConfig, AutoModelForCausalLM

    kind = next((kind for start, kind in KINDS.items() if entry.name.startswith(start)), "llama")
    tied = entry.name != "minicpm5-1b"
    config = AutoConfig.for_model(kind, **entry.shape, tie_word_embeddings=tied)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert sum(weight.numel() for weight in model.parameters()) == entry.parameters
    assert bytes_needed(entry.parameters, entry.shape, 4) > 4 * entry.parameters


def test_nothing_is_here_that_was_not_brought() -> None:
    assert on_this_machine(resolve("qwen3-0.6b")) is None
    assert on_this_machine(resolve("builtin")) is not None
