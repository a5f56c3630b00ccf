"""Whatever happens while an engine runs, the module is afterwards what it was before."""

from __future__ import annotations

import pytest
import torch
from transformers import AttentionInterface

from probes.engine.execute import Engine
from tests.arch.cases import CHUNKS, CLEAN, jobs_for
from tests.arch.configs import CONFIGURATIONS
from tests.modulestate import state, tensors

# Every way an engine might want to reach in: masks, alibi, a mask that is a buffer, windows, sinks, a vision
# tower that must stay out of it, recurrence, and no attention at all.
NAMES = ["llama", "bloom", "falcon:alibi", "gpt_neo", "mistral", "gemma3", "gpt_oss"]
NAMES += ["llama:rope-dynamic", "phi3:longrope", "qwen3_next", "mamba"]
CASES = ["clean", "middle deleted", "replaced by more", "one hidden", "hidden and deleted"]


class Stop(BaseException):
    """Neither Exception nor KeyboardInterrupt: how a web page is stopped."""


@torch.no_grad()
def logits(model):
    return model(torch.tensor([CLEAN]), use_cache=False).logits


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def jobs(name):
    return [job for case, job in jobs_for(CONFIGURATIONS[name]).items() if case in CASES]


@pytest.fixture
def model(name):
    """A model that must come out of the test as it went in, with somebody else's hook on it."""
    model = CONFIGURATIONS[name].build()
    model.get_output_embeddings().register_forward_hook(lambda *call: None)
    told = logits(model)  # a first forward may well fill in what a module keeps for later
    before = state(model), {name: tensor.clone() for name, tensor in tensors(model)}
    yield model
    assert state(model) == before[0]
    assert all(torch.equal(tensor, before[1][name]) for name, tensor in tensors(model))
    assert torch.equal(logits(model), told)


@pytest.mark.parametrize("how", CHUNKS)
def test_after_a_run(model, jobs, how):
    dict(Engine(model, chunk_tokens=CHUNKS[how]).run(jobs, how=how))


STOPS = [*((how, KeyboardInterrupt) for how in CHUNKS), ("auto", ZeroDivisionError), ("auto", Stop)]


@pytest.mark.parametrize(("how", "stop"), STOPS)
def test_after_being_stopped(model, jobs, how, stop):
    def on_progress(done, total):
        raise stop

    with pytest.raises(stop):
        dict(Engine(model, chunk_tokens=CHUNKS[how]).run(jobs, how=how, on_progress=on_progress))


@pytest.mark.parametrize("how", CHUNKS)
def test_after_a_forward_fails(model, jobs, how):
    """Not the caller but the model gives up, in the middle of its third forward."""
    engine = Engine(model, chunk_tokens=CHUNKS[how])
    calls = []

    def fail(*call):
        calls.append(call)
        if len(calls) == 3:
            raise KeyboardInterrupt

    theirs = list(model.get_decoder().modules())[-1].register_forward_hook(fail)
    try:
        with pytest.raises(KeyboardInterrupt):
            dict(engine.run(jobs, how=how))
    finally:
        theirs.remove()


def test_after_a_reader_walks_away(model, jobs):
    run = iter(Engine(model, chunk_tokens=24).run(jobs))
    next(run)
    del run


def _hook(model):
    model.get_decoder().register_forward_pre_hook(lambda *call: None)


def _forward(model):
    inner = list(model.modules())[-1]
    inner.forward = inner.forward


def _buffer(model):
    rotary = model.get_decoder().rotary_emb
    rotary.inv_freq = rotary.inv_freq.clone()


def _setting(model):
    model.config._attn_implementation = "eager"


def _registry(model):
    AttentionInterface.register("left behind", _hook)


@pytest.mark.parametrize("leave", [_hook, _forward, _buffer, _setting, _registry, torch.nn.Module.train])
def test_what_is_left_behind_would_be_noticed(leave):
    """Negative control of the comparison itself."""
    model = CONFIGURATIONS["llama"].build()
    before = state(model)
    assert state(model) == before
    try:
        leave(model)
        assert state(model) != before
    finally:
        AttentionInterface._global_mapping.pop("left behind", None)
