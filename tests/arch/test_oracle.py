"""Who watches the oracle: its way of hiding against masks written out by hand, where those can be trusted."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.arch.configs import CONFIGURATIONS, built
from tests.arch.sizes import WINDOW
from tests.oracle import hidden_from_later_rows, log_prob, log_prob_hidden

PROMPT = tuple(3 + (7 * i * i + 5 * i) % 120 for i in range(22))
CONTINUATION = (11, 40, 99)
HIDDEN = {0, 9, 10, 21}
LENGTH = len(PROMPT) + len(CONTINUATION) - 1


def mask_by_hand(window: int | None) -> torch.Tensor:
    """[1, 1, query, key], 0 or the lowest float: causal, windowed, hidden keys for themselves alone."""
    mask = torch.full((LENGTH, LENGTH), torch.finfo(torch.float32).min)
    for query in range(LENGTH):
        for key in range(query + 1):
            near = window is None or query - key < window
            if near and (key == query or key not in HIDDEN):
                mask[query, key] = 0
    return mask[None, None]


@pytest.mark.parametrize(
    ("name", "masks"),
    [
        ("gpt2", mask_by_hand(None)),
        ("llama", mask_by_hand(None)),
        ("qwen3", mask_by_hand(None)),
        ("mistral", mask_by_hand(WINDOW)),
        ("mistral:eager", mask_by_hand(WINDOW)),
        ("gemma3_text", {"full_attention": mask_by_hand(None), "sliding_attention": mask_by_hand(WINDOW)}),
        ("gpt_oss", {"full_attention": mask_by_hand(None), "sliding_attention": mask_by_hand(WINDOW)}),
    ],
)
def test_hiding_after_the_softmax_is_masking_before_it(name, masks):
    model = built(name)
    with torch.no_grad():
        row = torch.tensor([[*PROMPT, *CONTINUATION[:-1]]])
        log_probs = model(row, attention_mask=masks, use_cache=False).logits[0].log_softmax(-1)
    masked = sum(log_probs[len(PROMPT) + k - 1, token].item() for k, token in enumerate(CONTINUATION))
    assert log_prob_hidden(model, PROMPT, CONTINUATION, HIDDEN, layers=4) == pytest.approx(masked, abs=2e-5)
    assert abs(masked - log_prob(model, PROMPT, CONTINUATION)) > 0.01


@pytest.mark.parametrize("name", ["llama", "mistral", "gemma3_text"])
def test_implementations_of_attention_agree(name):
    fused, spelled_out = built(name), built(f"{name}:eager")
    clean = log_prob(fused, PROMPT, CONTINUATION)
    assert log_prob(spelled_out, PROMPT, CONTINUATION) == pytest.approx(clean, abs=2e-5)
    hidden = log_prob_hidden(fused, PROMPT, CONTINUATION, HIDDEN, layers=4)
    again = log_prob_hidden(spelled_out, PROMPT, CONTINUATION, HIDDEN, layers=4)
    assert again == pytest.approx(hidden, abs=2e-5)


def test_renormalised_by_hand():
    """Three positions that share attention 1 : 2 : 5; the second is hidden from the third."""
    scores = torch.tensor([[[1.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 2.0, 5.0]]]).log()
    with hidden_from_later_rows(3, {1}) as edit:
        rows = F.softmax(scores, dim=-1)[0]
    assert rows[1].tolist() == pytest.approx([1 / 5, 3 / 5, 1 / 5])  # its own row reads it still
    assert rows[2].tolist() == pytest.approx([1 / 6, 0, 5 / 6])
    assert edit.removed == pytest.approx(2 / 8)


def test_sink_stays_in_the_sum():
    """One column more than rows: what nobody may read goes to the sink as to any other column."""
    scores = torch.tensor([[[2.0, 1.0, 1.0], [2.0, 4.0, 2.0]]]).log()
    with hidden_from_later_rows(2, {0}):
        rows = F.softmax(scores, dim=-1)[0]
    assert rows[1].tolist() == pytest.approx([0, 4 / 6, 2 / 6])


@pytest.mark.parametrize("name", [name for name, tiny in CONFIGURATIONS.items() if tiny.attends])
def test_hiding_nothing_is_the_plain_forward(name):
    layers = CONFIGURATIONS[name].attends
    plain = log_prob(built(name), PROMPT, CONTINUATION)
    hidden = log_prob_hidden(built(name), PROMPT, CONTINUATION, (), layers=layers)
    assert hidden == pytest.approx(plain, abs=5e-5)


def test_hiding_in_a_model_without_attention_is_noticed():
    with pytest.raises(AssertionError, match="attention calls"):
        log_prob_hidden(built("mamba"), PROMPT, CONTINUATION, HIDDEN)


def test_functions_are_put_back():
    found = F.softmax, torch.softmax, F.scaled_dot_product_attention
    log_prob_hidden(built("llama"), PROMPT, CONTINUATION, HIDDEN)
    assert found == (F.softmax, torch.softmax, F.scaled_dot_product_attention)
