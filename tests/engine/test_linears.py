"""Packed linear maps: the same numbers, where the tree or a batch runs, and never for changed weights."""

from __future__ import annotations

import pytest
import torch

from probes.engine import linears
from probes.engine.execute import Engine
from probes.engine.jobs import Job
from tests.arch.configs import CONFIGURATIONS

TEXT = tuple(3 + (11 * i * i + 5 * i) % 120 for i in range(26))
JOBS = [Job(TEXT, ((20,), (31, 40)))] + [
    Job(TEXT[:i] + TEXT[i + 1 :], ((20,), (31, 40))) for i in range(0, 26, 4)
]

pytestmark = pytest.mark.skipif(not linears._available(), reason="this build of torch has no oneDNN")


@pytest.fixture(params=["llama", "gpt2", "gpt_neox"])
def model(request, monkeypatch):
    """Weights of any size are packed, whatever the clock says."""
    monkeypatch.setattr(linears, "_FEWEST_WEIGHTS", 1)
    monkeypatch.setattr(linears, "_WORTH", 0.0)
    return CONFIGURATIONS[request.param].build()


def test_same_numbers(model):
    packed, own = Engine(model), Engine(model, packed_linears="off")
    assert own.linears is None
    truth = dict(own.run(JOBS, how="reference"))
    for how in ("auto", "batches"):
        found = dict(packed.run(JOBS, how=how))
        assert max(abs(a - b) for i in truth for a, b in zip(found[i], truth[i], strict=True)) < 1e-4


def test_bytes_are_those_of_the_second_copy(model):
    packed = linears.pack_linears([model.get_decoder()], 16, 1.5)
    weights = [m.weight for m in model.get_decoder().modules() if type(m).__name__ in ("Linear", "Conv1D")]
    assert packed.bytes == sum(weight.nbytes for weight in weights)


def test_used_while_applied_and_never_after(model):
    engine = Engine(model)
    seen = []
    for map_ in engine.linears._maps:
        assert callable(map_)
    engine.linears._maps = [lambda x, f=f: (seen.append(1), f(x))[1] for f in engine.linears._maps]
    dict(engine.run(JOBS, how="reference"))
    assert not seen
    dict(engine.run(JOBS))
    assert seen
    assert not any("forward" in vars(module) for module in model.modules())


def test_changed_weights_are_not_run_from_the_old_copy(model):
    engine = Engine(model)
    with torch.no_grad():
        for layer in engine.anatomy.layers:
            for parameter in model.get_submodule(layer.block).parameters():
                parameter.mul_(1.1)
    run = engine.run(JOBS)
    found, truth = dict(run), dict(engine.run(JOBS, how="reference"))
    assert run.report.how == "tree"
    assert max(abs(a - b) for i in truth for a, b in zip(found[i], truth[i], strict=True)) < 1e-4


def test_a_packed_map_that_is_wrong_is_not_used(model, monkeypatch):
    packed = linears._packed
    monkeypatch.setattr(linears, "_packed", lambda module, rows: lambda x: 1.001 * packed(module, rows)(x))
    assert Engine(model).linears is None


def test_what_is_no_gain_or_does_not_fit_is_left(model, monkeypatch):
    monkeypatch.setattr(linears, "_WORTH", 1e9)
    assert Engine(model).linears is None
    monkeypatch.setattr(linears, "_WORTH", 0.0)
    assert Engine(model).linears is not None
    monkeypatch.setattr(linears, "free_bytes", lambda: 1000)
    assert Engine(model).linears is None


def test_only_float32_on_a_cpu(model):
    assert Engine(model.to(torch.bfloat16)).linears is None


def test_a_replaced_forward_is_left_alone(model):
    linear = next(m for m in model.get_decoder().modules() if type(m).__name__ in ("Linear", "Conv1D"))
    linear.forward = linear.forward
    packed = linears.pack_linears([model.get_decoder()], 16, 1.5)
    assert linear not in packed._modules
