"""The engine against the oracle, number by number, on every tiny architecture and in every way of running."""

from __future__ import annotations

import itertools

import pytest
import torch

from probes.engine.execute import Engine
from probes.engine.jobs import Job
from probes.errors import CapabilityError
from tests.arch.cases import (
    ANSWERS,
    CHUNKS,
    CLEAN,
    EDITS,
    HIDES,
    SAME,
    TOLERANCE,
    differences,
    expected,
    jobs_for,
    without,
)
from tests.arch.configs import CONFIGURATIONS, built


@pytest.fixture(scope="module", params=list(CONFIGURATIONS))
def tiny(request):
    return CONFIGURATIONS[request.param]


@pytest.mark.parametrize("how", CHUNKS)
def test_every_number_is_the_oracle_s(tiny, how):
    jobs = jobs_for(tiny)
    run = Engine(built(tiny.name), chunk_tokens=CHUNKS[how]).run(list(jobs.values()), how=how)
    pairs = list(run)
    assert sorted(index for index, _ in pairs) == list(range(len(jobs)))  # each job once
    assert not differences(jobs, dict(pairs), expected(tiny.name), TOLERANCE)

    report = run.report
    assert report.how == (tiny.how if how == "auto" else how)
    assert (report.why is None) == (report.how == ("tree" if how == "auto" else how))
    assert 0 <= report.noise_floor < TOLERANCE
    for check in report.checks:
        assert check.found == pytest.approx(check.expected, abs=TOLERANCE)
    assert report.forwards > 0
    assert report.tokens_run < report.tokens_plain or report.how != "tree"


def test_truths_differ(tiny):
    """Negative control: a job's numbers are not those of any other job, so that a mix-up cannot pass."""
    truths = expected(tiny.name)
    for one, other in itertools.combinations(truths, 2):
        if {one, other} in SAME or len(truths[one]) != len(truths[other]):
            continue
        apart = max(abs(a - b) for a, b in zip(truths[one], truths[other], strict=True))
        assert apart > 10 * TOLERANCE, f"{one} and {other} differ by {apart:.1e} only"


def test_shifted_truths_fail(tiny):
    """Negative control: the comparison itself notices when job and number are out of step."""
    truths = expected(tiny.name)
    names = list(truths)
    found = dict(enumerate(truths.values()))
    assert not differences(names, found, truths, TOLERANCE)
    shifted = dict(zip(names, itertools.islice(itertools.cycle(truths.values()), 1, None), strict=False))
    assert len(differences(names, found, shifted, TOLERANCE)) > len(names)


def test_hiding_needs_attention():
    tiny = CONFIGURATIONS["mamba"]
    for how in CHUNKS:
        with pytest.raises(CapabilityError):
            dict(Engine(built(tiny.name)).run([EDITS["clean"], HIDES["one hidden"]], how=how))


# One of each way a mask, a cache or a position can go wrong; for what need not be asked everywhere.
FEW = ["gpt2", "bloom", "mpt", "gpt_neo", "mistral", "gemma3", "gpt_oss", "deepseek_v3", "qwen3_next"]


@pytest.mark.parametrize("chunk_tokens", [1, 5, 60, 4096, None])
@pytest.mark.parametrize("name", FEW)
def test_chunk_size_changes_no_number(name, chunk_tokens):
    jobs = jobs_for(CONFIGURATIONS[name])
    run = Engine(built(name), chunk_tokens=chunk_tokens).run(list(jobs.values()))
    assert not differences(jobs, dict(run), expected(name), TOLERANCE)
    assert run.report.how == CONFIGURATIONS[name].how


@pytest.mark.parametrize("name", FEW)
def test_order_and_company_change_no_number(name):
    """Each job alone, and all of them backwards: no first job, and no neighbour, is special."""
    jobs = jobs_for(CONFIGURATIONS[name])
    engine = Engine(built(name), chunk_tokens=48)
    backwards = list(reversed(jobs))
    found = dict(engine.run([jobs[case] for case in backwards]))
    assert not differences(backwards, found, expected(name), TOLERANCE)
    for case, job in jobs.items():
        assert not differences([case], dict(engine.run([job])), expected(name), TOLERANCE)


@pytest.mark.parametrize("name", FEW)
def test_sharing_saves_tokens(name):
    """One token deleted at each position in turn, the case the tree is made for."""
    jobs = [EDITS["clean"]] + [Job(without(i), ANSWERS) for i in range(len(CLEAN))]
    run = Engine(built(name)).run(jobs)
    found = dict(run)
    assert len(found) == len(jobs)
    if CONFIGURATIONS[name].how == "tree":
        # the clean path once, half of it again for each deletion, and the answers; against each pair in full
        assert run.report.tokens_run < run.report.tokens_plain / 4
        assert run.report.forwards < len(jobs) * len(ANSWERS) / 2


def test_progress_counts_up_to_all():
    seen = []
    jobs = list(jobs_for(CONFIGURATIONS["llama"]).values())
    list(Engine(built("llama"), chunk_tokens=24).run(jobs, on_progress=lambda *now: seen.append(now)))
    done = [now for now, _ in seen]
    assert len(seen) > 1
    assert done == sorted(done)
    assert {of for _, of in seen} == {seen[-1][0]}


@pytest.mark.parametrize("name", FEW)
def test_greedy_takes_the_likeliest_token_each_time(name):
    model, ids = built(name), list(CLEAN)
    end = model.config.get_text_config().eos_token_id
    with torch.no_grad():
        while len(ids) < len(CLEAN) + 6 and ids[-1] != end:
            ids.append(model(torch.tensor([ids]), use_cache=False).logits[0, -1].argmax().item())
    wanted = tuple(token for token in ids[len(CLEAN) :] if token != end)
    assert Engine(model).greedy(CLEAN, 6) == wanted
