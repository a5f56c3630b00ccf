"""The ways of running agree, fall back where they must, say so, and leave a plain model plain."""

from __future__ import annotations

import json
import math
import threading

import pytest
import torch

from probes.engine import by_tree, execute
from probes.engine.execute import Engine
from probes.engine.forward import Forwards
from probes.engine.jobs import Job
from probes.errors import CapabilityError
from tests.arch.configs import CONFIGURATIONS, built
from tests.oracle import log_prob

NAMES = [
    "gpt2",
    "llama",
    "mistral",
    "gemma3",
    "bloom",
    "mpt",
    "gpt_neo",
    "falcon:alibi",
    "gpt_oss",
    "qwen3_next",
]
NAMES += ["mamba", "deepseek_v3"]
TEXT = tuple(3 + (11 * i * i + 5 * i) % 120 for i in range(26))
ENDS = ((20,), (31, 40), (31, 41, 7))
DELETED = [Job(TEXT, ENDS)] + [Job(TEXT[:i] + TEXT[i + 1 + i % 2 :], ENDS) for i in range(0, 26, 3)]
HIDDEN = [Job(TEXT, ENDS, frozenset({i, i + 1})) for i in range(0, 24, 5)]


@pytest.fixture(scope="module", params=NAMES)
def engine(request):
    return Engine(built(request.param), chunk_tokens=60)


def furthest(one, other):
    return max(abs(a - b) for job in one for a, b in zip(one[job], other[job], strict=True))


def test_all_ways_agree(engine):
    jobs = DELETED + (HIDDEN if engine.anatomy.can("hide") else [])
    ways = {how: dict(engine.run(jobs, how=how)) for how in ("reference", "batches", "auto")}
    assert furthest(ways["reference"], ways["batches"]) < 1e-4
    assert furthest(ways["reference"], ways["auto"]) < 1e-4


@torch.no_grad()
def test_reference_is_the_bare_model_bit_for_bit(engine):
    job = DELETED[0]
    (found,) = [scores for _, scores in engine.run([job], how="reference")]
    for score, end in zip(found, job.continuations, strict=True):
        logits = engine.model(torch.tensor([[*job.ids, *end[:-1]]]), use_cache=False).logits[0].double()
        log_probs = logits[len(job.ids) - 1 :].log_softmax(-1)
        assert score == pytest.approx(
            sum(log_probs[i, token].item() for i, token in enumerate(end)), rel=1e-12
        )


def test_hiding_nothing_is_the_clean_run(engine):
    jobs = [Job(TEXT, ENDS), Job(TEXT, ENDS, frozenset())]
    for how in ("reference", "batches", "auto"):
        one, two = (scores for _, scores in sorted(engine.run(jobs, how=how)))
        assert one == two


def test_hiding_what_comes_last_changes_no_first_token(engine):
    """A position always sees itself: the token after the prompt is read off its last position."""
    if not engine.anatomy.can("hide"):
        pytest.skip("no attention")
    jobs = [Job(TEXT, ENDS), Job(TEXT, ENDS, frozenset({len(TEXT) - 1}))]
    scores = dict(engine.run(jobs))
    assert scores[0][0] == pytest.approx(scores[1][0], abs=1e-5)  # one token long
    assert abs(scores[0][2] - scores[1][2]) > 1e-3  # the others' later tokens do lose sight of it


def test_anatomy_of(engine):
    anatomy = engine.anatomy
    config = engine.model.config.get_text_config()
    assert len(anatomy.layers) == config.num_hidden_layers
    json.dumps(anatomy.as_dict())
    for layer in anatomy.attention_layers:
        projection = engine.model.get_submodule(layer.projection)
        width = (
            projection.in_features if isinstance(projection, torch.nn.Linear) else projection.weight.shape[0]
        )
        assert layer.heads * layer.head_width == width
        assert layer.heads == config.num_attention_heads
    assert all(finding.ok for finding in anatomy.findings if anatomy.can("share_prefixes"))


def test_key_value_heads_and_missing_heads():
    llama = Engine(built("llama")).anatomy
    assert [layer.kv_heads for layer in llama.layers] == [2, 2, 2, 2]
    mixed = Engine(built("qwen3_next")).anatomy
    assert [layer.heads for layer in mixed.layers] == [None, 4, None, 4]
    assert [layer.reads_only_masked for layer in mixed.layers] == [False, True, False, True]
    assert mixed.why_not("share_prefixes").key == "tree_recurrent"
    mamba = Engine(built("mamba")).anatomy
    assert mamba.attention_layers == ()
    assert {name for name in mamba.capabilities if not mamba.can(name)} == {
        "share_prefixes",
        "hide",
        "hide_by_head",
        "heads",
        "blocks",
        "restart",
    }


def test_hide_is_refused_before_anything_runs():
    with pytest.raises(CapabilityError) as refusal:
        Engine(built("mamba")).run(HIDDEN)
    assert refusal.value.key == "hide_unsupported"
    assert refusal.value.say("zh") != str(refusal.value)


def test_a_model_in_training_is_refused():
    model = CONFIGURATIONS["llama"].build().train()
    with pytest.raises(ValueError, match="evaluation mode"):
        Engine(model)


def test_nothing_to_do():
    run = Engine(built("llama")).run([])
    assert list(run) == []
    assert run.report.forwards == 0


def test_report_counts_what_was_run():
    run = Engine(built("llama"), chunk_tokens=60).run(DELETED)
    calls = []
    hook = (
        built("llama")
        .get_decoder()
        .register_forward_pre_hook(
            lambda _module, args, kwargs: calls.append(kwargs["input_ids"].numel()), with_kwargs=True
        )
    )
    try:
        assert len(dict(run)) == len(DELETED)
    finally:
        hook.remove()
    report = run.report
    assert (report.forwards, report.tokens_run) == (len(calls), sum(calls))
    assert report.tokens_plain == sum(len(job.ids) + len(end) - 1 for job in DELETED for end in ENDS)
    assert report.tokens_run < report.tokens_plain / 3
    assert report.seconds > 0
    assert 0 < len(report.checks) <= 3
    assert 0 < report.noise_floor < 1e-4


def noisy(method, size):
    """A forward whose logits are off by `size` in one place."""

    def run(self, *args, **kwargs):
        logits = method(self, *args, **kwargs)
        logits[..., 20] += size
        return logits

    return run


def test_a_wrong_tree_is_noticed_and_replaced(monkeypatch):
    engine = Engine(built("llama"), chunk_tokens=60)
    truth = dict(engine.run(DELETED, how="reference"))
    monkeypatch.setattr(Forwards, "packed", noisy(Forwards.packed, 0.05))
    run = engine.run(DELETED)
    found = dict(run)
    assert run.report.how == "batches"
    assert run.report.why.key == "way_failed"
    assert run.report.why.values["way"] == "tree"
    assert furthest(found, truth) < 1e-4
    assert not all(check.ok for check in run.report.checks)


def test_a_tree_that_breaks_half_way_is_finished_in_batches(monkeypatch):
    engine = Engine(built("llama"), chunk_tokens=30)
    truth = dict(engine.run(DELETED, how="reference"))
    packed, calls = Forwards.packed, []

    def breaks(self, *args):
        calls.append(1)
        if len(calls) == 5:
            raise RuntimeError("out of memory")
        return packed(self, *args)

    monkeypatch.setattr(Forwards, "packed", breaks)
    run = engine.run(DELETED)
    results = list(run)
    assert sorted(index for index, _ in results) == list(range(len(DELETED)))  # nothing twice, nothing lost
    assert furthest(dict(results), truth) < 1e-4
    assert run.report.how == "batches"
    assert "out of memory" in run.report.why.values["error"]


def test_wrong_batches_give_way_to_the_plain_loop(monkeypatch):
    engine = Engine(built("mamba"), chunk_tokens=100)
    truth = dict(engine.run(DELETED, how="reference"))
    plain = Forwards.plain

    def off_when_many(self, ids, *args):
        logits = plain(self, ids, *args)
        return logits + torch.randn_like(logits) if len(ids) > 1 else logits

    monkeypatch.setattr(Forwards, "plain", off_when_many)
    run = engine.run(DELETED)
    found = dict(run)
    assert run.report.how == "reference"
    assert furthest(found, truth) < 1e-4


def test_an_interrupt_is_no_reason_to_try_another_way(monkeypatch):
    def interrupted(*_args):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(execute, "score_tree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(Engine(built("llama")).run(DELETED))


def test_nan_is_never_taken_for_exact(monkeypatch):
    engine = Engine(built("llama"), chunk_tokens=60)
    monkeypatch.setattr(Forwards, "packed", noisy(Forwards.packed, math.nan))
    run = engine.run(DELETED)
    assert all(math.isfinite(score) for scores in dict(run).values() for score in scores)
    assert run.report.how == "batches"


def test_results_wait_for_the_checks(monkeypatch):
    """Nothing computed the fast way is given out before the checks have held."""
    engine = Engine(built("llama"), chunk_tokens=20)
    order = []
    verify = by_tree._verify
    monkeypatch.setattr(by_tree, "_verify", lambda *args: (order.append("check"), verify(*args)))
    for index, _ in engine.run(DELETED):
        order.append(index)
    assert order[0] == "check"


def test_the_lock_is_free_between_results():
    engine = Engine(built("llama"), chunk_tokens=20)
    run = engine.run(DELETED)
    next(run)
    got = []
    thread = threading.Thread(target=lambda: got.append(engine.lock.acquire(timeout=5)))
    thread.start()
    thread.join()
    assert got == [True]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_noisy_and_says_so(dtype):
    engine = Engine(CONFIGURATIONS["llama"].build().to(dtype))
    assert all(finding.ok for finding in engine.anatomy.findings)
    run = engine.run(DELETED + HIDDEN)
    found, truth = dict(run), dict(engine.run(DELETED + HIDDEN, how="reference"))
    assert run.report.how == "tree"
    # What was off in the few that are checked may be nothing by chance; what may be off is said.
    assert run.report.noise_floor <= run.report.checks[0].tolerance
    assert run.report.checks[0].tolerance > 8 * torch.finfo(dtype).eps
    assert furthest(found, truth) < 40 * torch.finfo(dtype).eps


def test_lengths_that_change_the_positions_are_not_mixed():
    """Beyond the trained length dynamic frequencies depend on the text's length, and outlive the call."""
    tiny = CONFIGURATIONS["llama:rope-dynamic"]
    engine = Engine(tiny.build())
    limit = engine.anatomy.length_limit
    assert limit is not None
    long = tuple(3 + i % 100 for i in range(limit + 5))
    jobs = [Job(long, ENDS), Job(long[:-3], ENDS), Job(long[:6], ENDS), Job(long[2:], ENDS)]
    run = engine.run(jobs)
    found = dict(run)
    assert run.report.how == "batches"
    assert run.report.why.key == "tree_length"
    for index, job in enumerate(jobs):
        truth = [log_prob(tiny.build(), job.ids, end) for end in job.continuations]
        assert found[index] == pytest.approx(truth, abs=1e-4)
    assert engine.run([Job(long[:6], ENDS)]).report.how == "tree"
