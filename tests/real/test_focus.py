"""What a real model goes on with, in its chat template: against stock generation and plain forwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from probes import load_model, preset, run
from tests.oracle import log_prob

pytestmark = pytest.mark.real


def test_its_own_text_is_stock_generations_and_its_effects_plain_forwards(smollm2: Path) -> None:
    model, question = load_model(str(smollm2)), preset("crux-en").question()
    data = run("focus", model, question, {"unit": "sentence", "tokens": 12}).data
    prompt, stock = data["clean"]["prompt_ids"], model.loaded.model
    row = torch.tensor([prompt])
    whole = stock.generate(row, attention_mask=torch.ones_like(row), do_sample=False, max_new_tokens=12)
    ids = whole[0, len(prompt) :].tolist()
    written = model.tokenizer.decode(ids, skip_special_tokens=True)
    assert written.startswith(data["text"])
    assert data["text"] == written.split("\n")[0].rstrip()
    scored = data["scored"][0]["ids"]
    assert scored == ids[: len(scored)]
    clean = log_prob(stock, prompt, scored)
    assert data["log_prob"] == pytest.approx(clean, abs=1e-3)
    for one in data["rows"]:
        plain = log_prob(stock, one["prompt_ids"], scored)
        assert one["effect_log_prob"] == pytest.approx(plain - clean, abs=1e-3)
