"""A real model: the engine's numbers are those of a plain loop of forwards, word by word."""

from __future__ import annotations

import pytest
import torch

from probes.asking.question import preset
from probes.engine.execute import Engine
from probes.engine.jobs import Job
from tests.modulestate import state
from tests.oracle import log_prob, log_prob_hidden

pytestmark = pytest.mark.real

TOLERANCE = 1e-4  # nats, fp32
ANSWERS = (" once", " twice", " three times")
WORDS = ("Yesterday", "favourite", "shop to", "walked", "window", "content", "came", "home")


@pytest.fixture(scope="module")
def loaded(smollm2):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(smollm2, dtype=torch.float32).eval().requires_grad_(False)
    return model, AutoTokenizer.from_pretrained(smollm2)


@pytest.fixture(scope="module")
def prompt():
    coffee = preset("coffee-en")
    return f"{coffee.text}\nQuestion: {coffee.ask}\nAnswer: {coffee.answer_prefix}"


def tokens(tokenizer, text):
    return tuple(tokenizer(text, add_special_tokens=False).input_ids)


@pytest.fixture(scope="module")
def jobs(loaded, prompt):
    """The clean prompt, then for each word the prompt without it and the prompt with it hidden."""
    tokenizer = loaded[1]
    continuations = tuple(tokens(tokenizer, answer) for answer in ANSWERS)
    for answer, continuation in zip(ANSWERS, continuations, strict=True):
        assert tokens(tokenizer, prompt + answer) == tokens(tokenizer, prompt) + continuation
    offsets = tokenizer(prompt, add_special_tokens=False, return_offsets_mapping=True).offset_mapping
    ids = tokens(tokenizer, prompt)
    jobs = {"clean": Job(ids, continuations)}
    for word in WORDS:
        start = prompt.index(word)
        end = start + len(word)
        touched = frozenset(i for i, (a, b) in enumerate(offsets) if a < end and b > start)
        jobs[f"{word} deleted"] = Job(tokens(tokenizer, prompt[:start] + prompt[end + 1 :]), continuations)
        jobs[f"{word} hidden"] = Job(ids, continuations, touched)
    return jobs


@pytest.fixture(scope="module")
def truths(loaded, jobs):
    model = loaded[0]
    layers = model.config.num_hidden_layers
    return {
        name: [
            log_prob_hidden(model, job.ids, continuation, job.hidden, layers=layers)
            if job.hidden
            else log_prob(model, job.ids, continuation)
            for continuation in job.continuations
        ]
        for name, job in jobs.items()
    }


@pytest.mark.parametrize("how", ["tree", "batches"])
def test_engine_is_the_plain_loop(loaded, jobs, truths, how):
    run = Engine(loaded[0]).run(list(jobs.values()), how="auto" if how == "tree" else how)
    found = dict(run)
    assert {name: found[i] for i, name in enumerate(jobs)} == {
        name: pytest.approx(truth, abs=TOLERANCE) for name, truth in truths.items()
    }
    assert run.report.how == how


def test_left_as_found(loaded, jobs):
    """Weights large enough for the engine's faster arithmetic, which must be gone when it is done."""
    model = loaded[0]
    row = torch.tensor([jobs["clean"].ids])
    with torch.no_grad():
        told, before = model(row, use_cache=False).logits, state(model)
        dict(Engine(model).run(list(jobs.values())[:3]))
        assert state(model) == before
        assert torch.equal(model(row, use_cache=False).logits, told)


def test_words_matter(truths):
    """Negative control: what is taken away moves the answers by far more than the tolerance."""
    clean = truths["clean"]
    effects = {
        name: max(abs(a - b) for a, b in zip(truth, clean, strict=True))
        for name, truth in truths.items()
        if name != "clean"
    }
    assert min(effects.values()) > 20 * TOLERANCE, effects
    assert len({tuple(truth) for truth in truths.values()}) == len(truths)
