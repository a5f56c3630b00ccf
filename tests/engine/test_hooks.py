"""Every change to a module is gone when its block ends, however it ends."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from probes.engine import hooks


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 3)
        self.register_buffer("bias", torch.ones(1, dtype=torch.bool))

    def forward(self, hidden_states, attention_mask=None, scale=1.0):
        out = self.inner(hidden_states) * scale
        return out if attention_mask is None else out + attention_mask


class Stop(BaseException):
    pass


X = torch.randn(2, 4, 3)


@pytest.fixture
def block():
    torch.manual_seed(0)
    return Block().eval()


CHANGES = {
    "record": lambda b: hooks.recorded_arguments([b], ("scale",)),
    "calls": lambda b: hooks.recorded_calls([b]),
    "replace": lambda b: hooks.replaced_arguments([b], [{"scale": 3.0}]),
    "edit": lambda b: hooks.edited_inputs([b], [torch.zeros_like]),
    "read": lambda b: hooks.read_positions(b, torch.tensor([0]), torch.tensor([2])),
    "only": lambda b: hooks.only_positions(b, torch.tensor([0]), torch.tensor([2])),
    "forward": lambda b: hooks.replaced_forwards([b.inner], [lambda x: x]),
    "buffer": lambda b: hooks.replaced_buffers([b], "bias", torch.zeros(1, dtype=torch.bool)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Stop])
def test_undone_after_anything(block, change, error):
    before, bias, names = block(X), block.bias, set(vars(block.inner))

    def fail():
        with CHANGES[change](block):
            block(X)
            raise error

    with pytest.raises(error):
        fail()
    assert torch.equal(block(X), before)
    assert block.bias is bias
    assert set(vars(block.inner)) == names
    assert not block._forward_hooks
    assert not block._forward_pre_hooks


def test_arguments_are_found_by_place_and_by_name(block):
    mask = torch.ones(1)
    with hooks.recorded_arguments([block], ("attention_mask", "scale")) as seen:
        block(X, mask, scale=2.0)
    assert seen == [{"attention_mask": mask, "scale": 2.0}]


def test_replaced_by_place_and_by_name(block):
    wanted = block(X, None, 3.0)
    with hooks.replaced_arguments([block], [{"scale": 3.0, "attention_mask": None}]):
        assert torch.equal(block(X, torch.ones(1)), wanted)
        assert torch.equal(block(hidden_states=X, scale=7.0), wanted)


def test_nothing_to_replace_touches_nothing(block):
    with hooks.replaced_arguments([block], [{}]):
        assert not block._forward_pre_hooks


def test_calls_are_recorded_as_they_were(block):
    with hooks.edited_inputs([block], [torch.zeros_like]), hooks.recorded_calls([block]) as calls:
        out = block(X)
    ((given, got),) = calls
    assert torch.equal(given, torch.zeros_like(X))
    assert torch.equal(got, out)


def test_only_positions_runs_those_and_gives_zero_elsewhere(block):
    rows, columns = torch.tensor([0, 1, 1]), torch.tensor([3, 0, 2])
    whole, seen = block.inner(X), []
    block.inner.register_forward_hook(lambda _m, args, _out: seen.append(args[0].shape))
    with hooks.only_positions(block.inner, rows, columns):
        found = block.inner(X)
    wanted = torch.zeros_like(whole)
    wanted[rows, columns] = whole[rows, columns]
    assert torch.allclose(found, wanted, atol=1e-6)
    assert seen == [torch.Size([1, 3, 3])]


def test_somebody_else_s_forward_comes_back(block):
    theirs = block.inner.forward = lambda x: x + 1
    with hooks.replaced_forwards([block.inner], [lambda x: x]):
        assert torch.equal(block.inner(X), X)
    assert block.inner.forward is theirs
