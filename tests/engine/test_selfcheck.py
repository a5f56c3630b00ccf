"""Models that break a rule on purpose: the self-check has to notice, and refuse what it would get wrong."""

from __future__ import annotations

import pytest
import torch

from probes.engine.execute import Engine
from probes.engine.jobs import Job
from probes.errors import CapabilityError, ModelError
from tests.arch.configs import CONFIGURATIONS
from tests.oracle import log_prob

TEXT = tuple(3 + (11 * i * i + 5 * i) % 120 for i in range(20))
JOBS = [Job(TEXT, ((20,), (31, 40)))] + [
    Job(TEXT[:i] + TEXT[i + 1 :], ((20,), (31, 40))) for i in range(0, 20, 4)
]


@pytest.fixture
def model():
    return CONFIGURATIONS["llama"].build()


def refused(engine):
    return {name for name in engine.anatomy.capabilities if not engine.anatomy.can(name)}


def failed(engine):
    return {finding.name for finding in engine.anatomy.findings if not finding.ok}


def wrapped(module, change):
    """Let `module` return `change(its output)` from its own forward: no hook, as a modelling file would."""
    inner = module.forward
    module.forward = lambda *args, **kwargs: change(inner(*args, **kwargs))


def test_nothing_is_refused_where_nothing_is_wrong(model):
    engine = Engine(model)
    assert refused(engine) == set()
    assert failed(engine) == set()
    assert len({finding.name for finding in engine.anatomy.findings}) == 14


def test_heads_that_do_not_add_up(model):
    wrapped(model.model.layers[2].self_attn.o_proj, lambda out: out.relu())
    engine = Engine(model)
    assert "heads" in refused(engine)
    assert "heads_add_up" in failed(engine)
    assert engine.anatomy.why_not("heads").key == "heads_refused"


def test_a_head_that_is_never_used(model):
    with torch.no_grad():
        model.model.layers[0].self_attn.o_proj.weight[:, : model.config.head_dim] = 0
    engine = Engine(model)
    assert "zeroing_moves" in failed(engine)


def test_a_block_that_reads_past_its_mask(model):
    """A running mean over earlier positions, beside the attention: causal, and not to be branched."""

    def running_mean(out):
        counts = torch.arange(1, out.shape[1] + 1).view(1, -1, 1)
        return out + 0.3 * out.cumsum(1) / counts

    wrapped(model.model.layers[1].mlp, running_mean)
    engine = Engine(model)
    assert [layer.reads_only_masked for layer in engine.anatomy.layers] == [True, False, True, True]
    assert engine.anatomy.why_not("share_prefixes").key == "tree_recurrent"
    assert engine.anatomy.can("pad")
    run = engine.run(JOBS)
    found = dict(run)
    assert run.report.how == "batches"
    for index, job in enumerate(JOBS):
        assert found[index] == pytest.approx(
            [log_prob(model, job.ids, end) for end in job.continuations], abs=1e-4
        )


def test_a_model_that_looks_ahead(model):
    """Every position sees the mean of all: neither tree nor padding is exact, only texts of equal length."""
    wrapped(model.model.layers[1].mlp, lambda out: out + 0.3 * out.mean(1, keepdim=True))
    engine = Engine(model)
    assert {"share_prefixes", "pad"} <= refused(engine)
    run = engine.run(JOBS)
    found = dict(run)
    assert run.report.how == "batches"
    for index, job in enumerate(JOBS):
        assert found[index] == pytest.approx(
            [log_prob(model, job.ids, end) for end in job.continuations], abs=1e-4
        )


def test_masks_that_are_not_obeyed(model):
    """Attention that drops the mask it is handed cannot hide anything."""
    for layer in model.model.layers:
        attention, inner = layer.self_attn, layer.self_attn.forward
        attention.forward = lambda *args, inner=inner, **kwargs: inner(
            *args, **{**kwargs, "attention_mask": None}
        )
    engine = Engine(model)
    assert {"hide", "share_prefixes"} <= refused(engine)
    with pytest.raises(CapabilityError):
        engine.run([Job(TEXT, ((20,),), frozenset({3}))])


def test_a_head_that_cannot_be_read_at_chosen_positions(model):
    """Logits that depend on how many positions are asked for: they are all computed then."""
    wrapped(model.lm_head, lambda out: out + 0.01 * out.shape[1])
    engine = Engine(model)
    assert "read" in refused(engine)
    run = engine.run(JOBS)
    found = dict(run)
    assert len(found) == len(JOBS)


def test_a_tail_that_mixes_positions_is_run_whole():
    model = CONFIGURATIONS["llama"].build()
    assert Engine(model).anatomy.tail == "model.layers.3.mlp"
    wrapped(model.model.layers[3].mlp, lambda out: out + 0.2 * out.cumsum(1))
    assert Engine(model).anatomy.tail is None


def test_no_stack_of_blocks():
    model = CONFIGURATIONS["llama"].build()
    model.config.num_hidden_layers = 9
    with pytest.raises(ModelError) as refusal:
        Engine(model)
    assert refusal.value.values["layers"] == 9
