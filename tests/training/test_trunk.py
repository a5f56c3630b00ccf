"""The layers as training runs them are those of the stock model, and so are their gradients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from probes.training.examples import Batch, ExampleSource, collate, encode
from probes.training.model import attention_mask, carry_over, new_model
from probes.training.overlap import Forbidden
from probes.training.plan import Plan
from probes.training.trunk import TrainingTrunk, _attention, _HalfAttention


@pytest.fixture(scope="module")
def batch(tokenizer: PreTrainedTokenizerFast) -> Batch:
    source = ExampleSource(5, Forbidden([]))
    examples = [encode(source.asked(2, 0.8), tokenizer) for _ in range(5)]
    return collate([one for one in examples if one is not None], tokenizer.pad_token_id)


def stock(model: LlamaForCausalLM, batch: Batch) -> tuple[Tensor, ...]:
    """Hidden states behind the embeddings and every layer; the last one behind the final norm."""
    found = model.model(
        input_ids=torch.from_numpy(batch.ids),
        attention_mask=attention_mask(batch),
        position_ids=torch.from_numpy(batch.position),
        output_hidden_states=True,
    ).hidden_states
    assert found is not None
    return tuple(found)


def ours(
    model: LlamaForCausalLM, batch: Batch, wanted: Tensor, keep: tuple[int, ...]
) -> tuple[Tensor, dict[int, Tensor]]:
    ids, position = torch.from_numpy(batch.ids), torch.from_numpy(batch.position)
    return TrainingTrunk(model)(ids, attention_mask(batch), position, wanted, keep)


@pytest.mark.parametrize("keep", [(1, 2), (2, 3)])
def test_states_are_those_of_the_stock_model(
    model: LlamaForCausalLM, batch: Batch, keep: tuple[int, ...]
) -> None:
    rows = torch.arange(len(batch.ids))[:, None]
    wanted = torch.randint(0, 40, (len(batch.ids), 4), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        states, seen = ours(model, batch, wanted, keep)
        expected = stock(model, batch)
    real = torch.from_numpy(batch.branch) >= 0  # padding reads nothing that matters
    assert torch.allclose(states, expected[-1][rows, wanted], atol=1e-5)
    assert torch.allclose(seen[keep[0]][real], expected[keep[0]][real], atol=1e-5)
    assert set(seen) == set(keep)


def test_gradients_are_those_of_the_stock_model(model: LlamaForCausalLM, batch: Batch) -> None:
    rows = torch.arange(len(batch.ids))[:, None]
    wanted = torch.full((len(batch.ids), 2), 17)
    pull = torch.randn(
        len(batch.ids), 2, model.config.hidden_size, generator=torch.Generator().manual_seed(2)
    )
    found = []
    for states in (ours(model, batch, wanted, (1,))[0], stock(model, batch)[-1][rows, wanted]):
        model.zero_grad()
        (states * pull).sum().backward()
        found.append({name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})
    assert found[0].keys() == found[1].keys()
    for name, grad in found[0].items():
        assert torch.allclose(grad, found[1][name], atol=1e-4 * float(grad.abs().max()) + 1e-7), name


def test_halves_are_close_to_the_stock_model(model: LlamaForCausalLM, batch: Batch) -> None:
    """In bfloat16 states and gradients are off by a rounding (2 ** -9) or a few, not by more."""
    wanted = torch.full((len(batch.ids), 2), 17)
    ids, position = torch.from_numpy(batch.ids), torch.from_numpy(batch.position)
    found = []
    for half in (False, True):
        model.zero_grad()
        trunk = TrainingTrunk(model, half)
        states, seen = trunk(ids, attention_mask(batch), position, wanted, (1, 2))
        (states.sum() + seen[2][:, :9].sum()).backward()
        grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        found.append((states.detach(), grads))
    (exact, exact_grads), (rough, rough_grads) = found
    assert not torch.equal(exact, rough)
    assert torch.allclose(rough, exact, atol=0.03 * float(exact.abs().max()))
    for name, grad in exact_grads.items():
        assert float((rough_grads[name] - grad).norm()) < 0.04 * float(grad.norm()), name


@pytest.mark.parametrize("length", [1, 2, 7, 31])
def test_attention_in_parts_is_attention(length: int) -> None:
    """The parts that queries are taken in lose no key, whatever the length."""
    draw = torch.Generator().manual_seed(length)
    query, key, value = (torch.randn(2, 3, length, 8, generator=draw, requires_grad=True) for _ in range(3))
    lowest = torch.finfo(torch.float32).min
    mask = torch.zeros(2, 1, length, length).masked_fill(~torch.ones(length, length).tril().bool(), lowest)
    pull, found = torch.randn(2, 3, length, 8, generator=draw), []
    for attend in (_attention, _HalfAttention.apply):
        mixed = attend(query, key, value, mask, True)
        found.append([mixed, *torch.autograd.grad(mixed, (query, key, value), pull)])
    for exact, rough in zip(*found, strict=True):
        assert torch.allclose(rough, exact, atol=0.02 * float(exact.detach().abs().max()) + 1e-6)


def test_weights_are_carried_over_by_piece(
    model: LlamaForCausalLM, small: Plan, tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    """From a tokenizer that lacks a piece and numbers the rest otherwise."""
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    vocabulary = tokenizer.get_vocab()
    renamed = {"▁park": "▁unheard", "▁zoo": "▁park"}

    class Renumbered:
        """The same tokenizer but for two pieces."""

        mask_token_id, bos_token_id = tokenizer.mask_token_id, tokenizer.bos_token_id
        eos_token_id, pad_token_id = tokenizer.eos_token_id, tokenizer.pad_token_id

        def __len__(self) -> int:
            return len(tokenizer)

        def get_vocab(self) -> dict[str, int]:
            return {renamed.get(piece, piece): number for piece, number in vocabulary.items()}

    fresh = new_model(replace(small, seed=9), Renumbered())
    before = fresh.model.embed_tokens.weight.detach().clone()
    carry_over(fresh, Renumbered(), tmp_path)
    after, old = fresh.model.embed_tokens.weight, model.model.embed_tokens.weight
    park, zoo = vocabulary["▁park"], vocabulary["▁zoo"]
    assert torch.equal(after[park], before[park])
    assert torch.equal(after[zoo], old[park])
    assert torch.equal(after[tokenizer.mask_token_id], old[tokenizer.mask_token_id])
    assert fresh.lm_head.weight is after
    assert torch.equal(fresh.model.layers[1].mlp.up_proj.weight, model.model.layers[1].mlp.up_proj.weight)
