"""What the engine changes and reads inside a model, against plain forwards, on every tiny architecture."""

from __future__ import annotations

import contextlib
import functools
import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from probes.engine.edits import Knockout, Replace
from probes.engine.jobs import Job
from probes.errors import CapabilityError
from tests import inside_oracle as oracle
from tests.arch.cases import CHUNKS, CLEAN
from tests.arch.configs import CONFIGURATIONS, LAYERS, built
from tests.arch.inside_cases import (
    ANSWERS,
    BY_LENGTH,
    EDITABLE,
    FAN,
    FEW,
    FORK,
    JOB,
    LAST,
    NO_EDIT,
    NO_WEIGHTS,
    ONE,
    OTHER,
    SITES,
    attending,
    cases,
    engine_of,
    expected,
    fresh,
    places,
    possible,
    ran,
    sites,
    tolerance,
    wrong,
)
from tests.inside_oracle import Cut, Put
from tests.oracle import log_prob, log_prob_hidden


@pytest.fixture(scope="module", params=EDITABLE)
def tiny(request):
    return CONFIGURATIONS[request.param]


@pytest.mark.parametrize("how", CHUNKS)
def test_every_number_is_the_oracle_s(tiny, how):
    """All cases in the fast way; in the plain ones some, in each model others."""
    asked = possible(tiny)
    every = {"auto": 1, "batches": 4, "reference": 8}[how]
    some = list(asked)[EDITABLE.index(tiny.name) % every :: every]
    assert not wrong(tiny.name, ran(engine_of(tiny.name), {case: asked[case] for case in some}, how))


def test_every_edit_shows(tiny):
    """Negative control: an engine that left an edit out could not pass."""
    truths = expected(tiny.name)
    for case, inside in cases(tiny.name).items():
        clean = {JOB: "clean", ONE: "clean, one answer", FORK: "clean, forked"}.get(replace(inside, edits=()))
        if clean is not None and inside.edits:
            moved = np.abs(np.subtract(truths[case], truths[clean])).max()
            assert moved > 3 * tolerance(tiny.name), f"{case} moves the answers by {moved:.1e} only"


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_cannot_be_done_is_refused(name):
    """By every way alike, and by the very architectures that cannot: the others are compared above."""
    tiny = CONFIGURATIONS[name]
    asked = [inside for case, inside in cases(name).items() if case not in possible(tiny)]
    asked += [
        replace(JOB, edits=(Replace(layer, site, head=0 if site == "head" else None),))
        for layer in range(LAYERS)
        for site in SITES
        if (site, layer) not in sites(name)
    ]
    if not attending(name):
        asked.append(replace(JOB, edits=(Knockout((LAST,), (18,)),)))
    if name in NO_EDIT:
        asked += [replace(JOB, edits=(Replace(layer, "block", positions=(9,)),)) for layer in range(LAYERS)]
    for inside in asked:
        for how in CHUNKS:
            with pytest.raises(CapabilityError):
                list(engine_of(name).run([JOB, inside], how=how))


@pytest.mark.parametrize("name", FEW)
def test_together_as_alone(name):
    """A trial's numbers do not depend on the trials beside it, nor on their order."""
    engine, some = engine_of(name), dict(list(possible(CONFIGURATIONS[name]).items())[1::6])
    together = ran(engine, dict(reversed(some.items())))
    for case, inside in some.items():
        alone = ran(engine, {case: inside})[case]
        assert together[case] == pytest.approx(alone, abs=1e-5, rel=1e-5), case


def test_no_edit_is_the_clean_run(tiny):
    engine = engine_of(tiny.name)
    something = replace(JOB, edits=(Replace(0, "block", positions=(9,)),))
    beside = dict(engine.run([JOB, something]))
    run = engine.run([something, JOB, something, JOB])
    found = dict(run)
    assert run.report.how == tiny.how
    assert tuple(found[1]) == tuple(found[3]) == tuple(beside[0])
    (_, alone), *_ = engine.run([JOB])
    assert tuple(beside[0]) == pytest.approx(tuple(alone), abs=tolerance(tiny.name))


def test_after_the_answer_is_read_nothing_changes(tiny):
    """Node 23 is read for the last token of the third answer alone: the other answers come before it."""
    late: list[Replace | Knockout] = [
        Replace(layer, "block", positions=(FAN + 1,)) for layer in (0, LAYERS - 1)
    ]
    if attending(tiny.name):
        late.append(Replace(attending(tiny.name)[0], "head", head=1, positions=(FAN + 1,)))
        late.append(Knockout((FAN + 1,), (18, LAST)))
    found = dict(engine_of(tiny.name).run([JOB, *(replace(JOB, edits=(e,)) for e in late)]))
    for index, edit in enumerate(late, start=1):
        assert tuple(found[index][:2]) == tuple(found[0][:2]), edit
        assert found[index][2] != found[0][2], edit


def test_record(tiny):
    job = Job(CLEAN, ((11,), (40,))) if tiny.name in BY_LENGTH else JOB
    record, there = engine_of(tiny.name).record(job), sites(tiny.name)
    for site, layer in itertools.product(SITES, range(LAYERS)):
        assert (record.values[site][layer] is not None) == ((site, layer) in there), (site, layer)
    for k, continuation in enumerate(job.continuations):
        wanted = oracle.values(fresh(tiny), [*job.ids, *continuation[:-1]], sorted(there))
        for (site, layer), rows in wanted.items():
            found = record.values[site][layer]
            if found is not None:
                seen, off = found[list(places(job, k))], 1e-4 * rows.std().item()
                torch.testing.assert_close(seen, rows, rtol=1e-4, atol=off, msg=f"{site} of layer {layer}")


def test_record_taken_from_one_run_patches_another(tiny):
    """A whole block handed on by the other prompt, up to the answer, makes its answers the other prompt's."""
    engine, job = engine_of(tiny.name), Job(OTHER, ((11,), (40,)))
    source = engine.record(job).values["block"][1]
    (_, patched), *_ = engine.run(
        [replace(Job(CLEAN, job.continuations), edits=(Replace(1, "block", value=source),))]
    )
    wanted = [log_prob(fresh(tiny), OTHER, continuation) for continuation in job.continuations]
    if tiny.name != "gemma4_text":  # there a layer reads the token itself, and keys of the layers below
        assert patched == pytest.approx(wanted, abs=tolerance(tiny.name))


def test_lens(tiny):
    job = Job(CLEAN, (ANSWERS[0], ANSWERS[2]))
    found = engine_of(tiny.name).lens(job)
    assert found.shape == (LAYERS + 1, 2)
    for k, continuation in list(enumerate(job.continuations))[0 if tiny.name in FEW else 1 :]:
        wanted = [sum(tokens) for tokens in oracle.lens(fresh(tiny), CLEAN, continuation)]
        assert found[:, k].tolist() == pytest.approx(wanted, abs=tolerance(tiny.name))
        assert wanted[-1] == log_prob(fresh(tiny), CLEAN, continuation)


def test_attention(tiny):
    engine = engine_of(tiny.name)
    if not tiny.attends or tiny.name in NO_WEIGHTS:
        with pytest.raises(CapabilityError):
            engine.attention(CLEAN)
        return
    wanted = oracle.attention(fresh(tiny), CLEAN)
    for layer, (got, weights) in enumerate(zip(engine.attention(CLEAN), wanted, strict=True)):
        assert (got is None) == (weights is None), layer
        if weights is not None:
            assert got.dtype == torch.float32
            torch.testing.assert_close(got, weights, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", [name for name in FEW if name not in BY_LENGTH])
def test_gradients(name):
    """Of a weighted sum of log-probabilities, by what is added to the heads: nothing, here."""
    tiny, weights = CONFIGURATIONS[name], (1.0, -0.5, 2.0)
    _, found = engine_of(name).gradients(JOB, weights)
    wanted = [torch.zeros_like(one) if one is not None else None for one in found]
    for k, weight in enumerate(weights):
        for layer, gradient in _gradients(fresh(tiny), k, attending(name)).items():
            wanted[layer][list(places(JOB, k))] += weight * gradient
    for layer in range(LAYERS):
        assert (found[layer] is not None) == (layer in attending(name))
        if found[layer] is not None:
            size = wanted[layer].abs().max().item()
            torch.testing.assert_close(found[layer], wanted[layer], rtol=1e-4, atol=1e-4 * size)


def _gradients(model, k: int, layers: list[int]) -> dict[int, Tensor]:
    row, continuation = [*CLEAN, *ANSWERS[k][:-1]], list(ANSWERS[k])
    with contextlib.ExitStack() as stack:
        added = {}
        for layer in layers:
            columns = oracle.width(model, "head", layer) * oracle.heads(model)
            added[layer] = nothing = torch.zeros(len(row), columns, requires_grad=True)
            change = functools.partial(torch.Tensor.add_, other=nothing)
            stack.enter_context(oracle.changing(model, "head", layer, change))
        log_probs = model(torch.tensor([row]), use_cache=False).logits[0, LAST:].log_softmax(-1)
    total = log_probs[range(len(continuation)), continuation].sum()
    return dict(zip(added, torch.autograd.grad(total, list(added.values())), strict=True))


def test_head_without_weights_is_head_without_values(tiny):
    """And never a slice of the projection's output, which is the negative control."""
    model, continuation = fresh(tiny), ANSWERS[-1]
    for layer in attending(tiny.name)[-1:]:
        hooked = oracle.log_prob(model, CLEAN, continuation, [Put("head", layer, 1)])
        with oracle.zero_columns(model, layer, 1):
            assert log_prob(model, CLEAN, continuation) == pytest.approx(hooked, abs=1e-5)
        sliced = oracle.output_slice_zeroed(model, CLEAN, continuation, layer, 1)
        assert abs(sliced - hooked) > 10 * tolerance(tiny.name)


def test_output_slice_is_not_what_the_engine_zeroes(tiny):
    for layer in attending(tiny.name)[:1]:
        (_, found), *_ = engine_of(tiny.name).run([replace(JOB, edits=(Replace(layer, "head", head=1),))])
        sliced = oracle.output_slice_zeroed(fresh(tiny), CLEAN, ANSWERS[-1], layer, 1)
        assert abs(sliced - found[-1]) > 10 * tolerance(tiny.name)


@pytest.mark.parametrize("name", FEW)
def test_what_is_put_back_changes_nothing(name):
    tiny = CONFIGURATIONS[name]
    model, text, continuation = fresh(tiny), [*CLEAN, *ANSWERS[-1][:-1]], ANSWERS[-1]
    plain = log_prob(model, CLEAN, continuation)
    edits: list[Put | Cut] = []
    for (site, layer), found in oracle.values(model, text, sorted(sites(name))).items():
        size = oracle.width(model, site, layer)
        for head in range(oracle.heads(model)) if site == "head" else [None]:
            part = slice((head or 0) * size, (head or 0) * size + size)
            edits.append(Put(site, layer, head, None, found[:, part]))
    assert oracle.log_prob(model, CLEAN, continuation, edits) == plain
    if tiny.attends:
        assert oracle.log_prob(model, CLEAN, continuation, [Cut((5,), (5,))]) == pytest.approx(
            plain, abs=5e-5
        )


def test_cutting_all_later_rows_is_hiding():
    for name in ("llama", "bloom", "gpt_oss"):
        cut = Cut(tuple(range(24)), (9, 18))
        hidden = log_prob_hidden(built(name), CLEAN, ANSWERS[-1], (9, 18), layers=LAYERS)
        assert oracle.log_prob(built(name), CLEAN, ANSWERS[-1], [cut]) == pytest.approx(hidden, abs=3e-5)


@pytest.mark.parametrize("name", ["llama:eager", "mistral:eager", "gemma3_text:eager"])
def test_attention_is_what_the_model_reports(name):
    with torch.no_grad():
        reported = built(name)(torch.tensor([CLEAN]), output_attentions=True, use_cache=False).attentions
    for eager, fused in zip(
        reported, oracle.attention(built(name.removesuffix(":eager")), CLEAN), strict=True
    ):
        torch.testing.assert_close(fused, eager[0], rtol=1e-4, atol=1e-6)


def test_lens_is_the_norm_and_the_head():
    model, (token,) = built("llama"), ANSWERS[0]
    found = oracle.values(model, CLEAN, [("block", layer) for layer in range(LAYERS)])
    with torch.no_grad():
        states = [model.get_input_embeddings()(torch.tensor(CLEAN)), *found.values()]
        by_hand = [model.lm_head(model.model.norm(h[-1])).log_softmax(-1)[token].item() for h in states]
    found = [row[0] for row in oracle.lens(model, CLEAN, ANSWERS[0])]
    assert found == pytest.approx(by_hand, abs=1e-5)
