"""The weights that training can go on from fit the code beside them."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, PreTrainedTokenizerFast

import probes
from probes.training.model import carry_over, new_model
from probes.training.plan import Plan

START = Path(probes.__file__).parent / "training" / "start"


def test_no_word_and_no_weight_is_lost_by_going_on(tokenizer: PreTrainedTokenizerFast) -> None:
    assert AutoTokenizer.from_pretrained(START).get_vocab() == tokenizer.get_vocab()
    model = new_model(Plan(), tokenizer)
    carry_over(model, tokenizer, START)
    kept = load_file(START / "model.safetensors")
    found = model.state_dict()
    assert set(kept) == set(found) - {"lm_head.weight"}
    assert all(torch.equal(found[name], tensor.float()) for name, tensor in kept.items())
