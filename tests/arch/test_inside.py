"""What the engine changes and reads inside a model, against plain forwards, on every tiny architecture."""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor

from probes.engine.execute import Engine
from probes.engine.interventions import InsideJob, Knockout, Replace
from probes.engine.jobs import Job
from probes.engine.tree import fan_of
from probes.errors import CapabilityError
from tests import inside_oracle as oracle
from tests.arch.cases import CHUNKS, CLEAN, replaced
from tests.arch.configs import CONFIGURATIONS, LAYERS, Tiny, built
from tests.inside_oracle import Cut, Put
from tests.modulestate import state
from tests.oracle import log_prob, log_prob_hidden

# Two answers begin alike: nodes 22 (token 40) and 23 (token 7) are theirs, in the fork as well.
ANSWERS = ((11,), (40, 9), (40, 7, 5))
JOB, ONE, FORK = Job(CLEAN, ANSWERS), Job(CLEAN, ANSWERS[:1]), Job(CLEAN, ANSWERS[1:])
LAST, FAN = len(CLEAN) - 1, len(CLEAN)  # the position read for the first token; the first node after it
OTHER = (*replaced(9, 77)[:15], 78, *CLEAN[16:])  # as long as the clean prompt
SITES = ("head", "attention", "mlp", "block")
TOLERANCE = 1e-4  # in units of the logits' spread, which is one nat or more here

PER_HEAD = ("one head knocked out", "heads of two layers knocked out")
ONE_ANSWER = {  # seen in one answer already; the others are asked for two that fork
    *("block zeroed, last layer", "block patched", "block patched at the answer", "mlp zeroed, first layer"),
    *("mlp zeroed, last layer", "attention zeroed, first layer", "head zeroed, last layer"),
    *("head zeroed at the answer", "two heads zeroed", "one pair knocked out"),
}
FOR_FEW = {  # what goes wrong in the engine rather than in a model
    *("block patched at the answer", "mlp zeroed in two layers", "two heads of a layer zeroed"),
    *("head and feed-forward zeroed", "head zeroed inside the answers", "head zeroed, other answers"),
    *("head zeroed in another prompt", "head zeroed and a position hidden", "last layer knocked out"),
    *("all that came before knocked out", "heads of two layers knocked out", "knocked out and a head zeroed"),
    "knocked out and a block patched",
}
NO_MASK_PER_HEAD = {"xglm", "doge"}  # their masks have one row for all query heads, or one a key head
NO_EDIT = {"mamba"}  # nothing in it could be proved at load
NO_WEIGHTS = {"falcon", "falcon:alibi"}  # asked for its weights it computes something else, and is found out
BY_LENGTH = {"llama:rope-dynamic-outgrown", "phi3:longrope"}  # a longer text changes what was said before
EDITABLE = [name for name in CONFIGURATIONS if name not in NO_EDIT]
# One of each way to be special: for what need not be asked everywhere.
FEW = ["gpt2", "opt", "bloom", "mpt", "gpt_neo", "falcon", "mistral", "gemma4_text", "gpt_oss", "deepseek_v3"]
FEW += ["llama:rope-dynamic", "phi3:longrope", "qwen3_next", "falcon_h1"]


@pytest.fixture(scope="module", params=EDITABLE)
def tiny(request):
    return CONFIGURATIONS[request.param]


def fresh(tiny: Tiny):
    """The model, asked for the first time where an earlier forward would matter."""
    return tiny.build() if tiny.stateful else built(tiny.name)


@functools.cache
def engine_of(name: str) -> Engine:
    """One with small chunks, where it matters that most job lists take several."""
    return Engine(built(name), chunk_tokens=48 if name in FEW else 400)


@functools.cache
def attending(name: str) -> list[int]:
    """Layers with softmax attention."""
    if not CONFIGURATIONS[name].attends:
        return []
    found = oracle.attention(fresh(CONFIGURATIONS[name]), CLEAN)
    return [layer for layer, weights in enumerate(found) if weights is not None]


@functools.cache
def sites(name: str) -> set[tuple[str, int]]:
    """(site, layer) of all that can be changed: without softmax there are no heads."""
    model = fresh(CONFIGURATIONS[name])
    softmax = {(site, layer) for site in ("head", "attention") for layer in attending(name)}
    others = {(site, layer) for site in ("mlp", "block") for layer in range(LAYERS)}
    return softmax | {(site, layer) for site, layer in others if oracle.has(model, site, layer)}


@functools.cache
def cases(name: str) -> Mapping[str, InsideJob]:
    """Everything one model is asked."""
    tiny, layers = CONFIGURATIONS[name], attending(name)
    model = fresh(tiny)
    edits: dict[str, tuple[Replace | Knockout, ...]] = {
        "block zeroed at a position, first layer": (Replace(0, "block", positions=(9,)),),
        "block zeroed, last layer": (Replace(LAYERS - 1, "block", positions=(4, LAST)),),
        "block patched": (Replace(1, "block", positions=(9, LAST), value=taken(name, "block", 1, 9, LAST)),),
        "block patched at the answer": (
            Replace(2, "block", positions=(LAST,), value=taken(name, "block", 2, LAST)[0]),
        ),
        "block replaced, answers included": (
            Replace(
                2, "block", positions=(18, FAN, FAN + 1), value=drawn(3, oracle.width(model, "block", 2))
            ),
        ),
    }
    if oracle.has(model, "mlp", 0):
        edits |= _feed_forward_cases(name)
    if layers:
        edits |= _head_cases(name, layers) | _cut_cases(layers)
    asked = {"clean": InsideJob(JOB), "clean, one answer": InsideJob(ONE), "clean, forked": InsideJob(FORK)}
    for case, changes in edits.items():
        asked[case] = InsideJob(ONE if case in ONE_ANSWER else FORK, changes)
    if layers:
        head = asked["head zeroed, first layer"].edits
        asked["head zeroed in another prompt"] = InsideJob(Job(CLEAN[:17], ANSWERS), head)
        asked["head zeroed, other answers"] = InsideJob(Job(CLEAN, ((64, 65), (11,), (11,))), head)
        asked["head zeroed and a position hidden"] = InsideJob(Job(CLEAN, ANSWERS, frozenset({18})), head)
    return {case: inside for case, inside in asked.items() if name in FEW or case not in FOR_FEW}


def _feed_forward_cases(name: str) -> dict[str, tuple[Replace, ...]]:
    return {
        "mlp zeroed, first layer": (Replace(0, "mlp"),),
        "mlp zeroed, last layer": (Replace(LAYERS - 1, "mlp"),),
        "mlp patched": (Replace(1, "mlp", positions=(15, LAST), value=taken(name, "mlp", 1, 15, LAST)),),
        "mlp zeroed in two layers": (Replace(1, "mlp"), Replace(3, "mlp", positions=(LAST,))),
    }


def _head_cases(name: str, layers: list[int]) -> dict[str, tuple[Replace, ...]]:
    first, last = layers[0], layers[-1]
    width = oracle.width(fresh(CONFIGURATIONS[name]), "head", first)
    return {
        "attention zeroed, first layer": (Replace(first, "attention"),),
        "attention zeroed, last layer": (Replace(last, "attention"),),
        "attention patched": (
            Replace(first, "attention", positions=(9, 18), value=taken(name, "attention", first, 9, 18)),
        ),
        "head zeroed, first layer": (Replace(first, "head", head=1),),
        "head zeroed, last layer": (Replace(last, "head", head=2),),
        "head zeroed at positions": (Replace(first, "head", head=1, positions=(14, 17, 18, 20)),),
        "head zeroed at the answer": (Replace(first, "head", head=1, positions=(LAST,)),),
        "head zeroed inside the answers": (Replace(first, "head", head=1, positions=(FAN,)),),
        "two heads zeroed": (Replace(first, "head", head=0), Replace(last, "head", head=3)),
        "two heads of a layer zeroed": (Replace(last, "head", head=0), Replace(last, "head", head=3)),
        "head replaced": (Replace(first, "head", head=3, value=drawn(width)),),
        "head replaced at positions": (
            Replace(first, "head", head=0, positions=(18, LAST, FAN), value=drawn(3, width)),
        ),
        "head and feed-forward zeroed": (Replace(last, "head", head=1), Replace(last, "mlp")),
    }


def _cut_cases(layers: list[int]) -> dict[str, tuple[Replace | Knockout, ...]]:
    first, last = layers[0], layers[-1]
    answers, before = (LAST, FAN, FAN + 1), (15, 16, 17, 18)
    return {
        "one pair knocked out": (Knockout((LAST,), (18,)),),
        "spans knocked out": (Knockout((10, 11, 12, 20, LAST), (8, 9, 10, 19)),),
        "answers knocked out": (Knockout(answers, (17, 18, LAST, FAN)),),
        "all that came before knocked out": (Knockout((LAST,), tuple(range(LAST + 1))),),
        "one layer knocked out": (Knockout(answers, before, layers=(first,)),),
        "last layer knocked out": (Knockout(answers, before, layers=(last,)),),
        "one head knocked out": (Knockout(answers, before, layers=(first,), heads=(2,)),),
        "heads of two layers knocked out": (
            Knockout(answers, before, layers=(first,), heads=(0, 3)),
            Knockout((LAST,), (18,), layers=(last,), heads=(1,)),
        ),
        "knocked out and a head zeroed": (Knockout((LAST,), before), Replace(first, "head", head=1)),
        "knocked out and a block patched": (
            Knockout(answers, before, layers=(last,)),
            Replace(0, "block", positions=(9,)),
        ),
    }


def drawn(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(7))


def taken(name: str, site: str, layer: int, *positions: int) -> Tensor:
    """What the other prompt has there."""
    found = oracle.values(fresh(CONFIGURATIONS[name]), OTHER, [(site, layer)])
    return found[site, layer][list(positions)]


def told(job: Job, k: int, edits: tuple[Replace | Knockout, ...]) -> list[Put | Cut]:
    """The same in positions of one text: the prompt and continuation `k`."""
    place = places(job, k)
    changes: list[Put | Cut] = [Cut(tuple(place.values()), tuple(sorted(job.hidden)))] if job.hidden else []
    for edit in edits:
        if isinstance(edit, Knockout):
            queries, keys = (
                [place[node] for node in nodes if node in place] for nodes in (edit.queries, edit.keys)
            )
            changes.append(Cut(tuple(queries), tuple(keys), edit.layers, edit.heads))
            continue
        value, at = edit.value, None
        if edit.positions is not None:
            rows = [row for row, node in enumerate(edit.positions) if node in place]
            at = tuple(place[edit.positions[row]] for row in rows)
            value = value if value is None or value.dim() == 1 else value[rows]
        changes.append(Put(edit.site, edit.layer, edit.head, at, value))
    return changes


def places(job: Job, k: int) -> dict[int, int]:
    """Node number to position in the text of continuation `k`."""
    n = len(job.ids)
    return {i: i for i in range(n)} | {
        n + node: n + i for i, node in enumerate(fan_of(job.continuations).path(k))
    }


@functools.cache
def expected(name: str) -> dict[str, tuple[float, ...]]:
    return {case: truth(CONFIGURATIONS[name], asked) for case, asked in cases(name).items()}


def truth(tiny: Tiny, asked: InsideJob) -> tuple[float, ...]:
    return tuple(
        oracle.log_prob(fresh(tiny), asked.job.ids, continuation, told(asked.job, k, asked.edits))
        for k, continuation in enumerate(asked.job.continuations)
    )


def possible(tiny: Tiny) -> dict[str, InsideJob]:
    """What this architecture does not refuse."""
    refused = PER_HEAD if tiny.name in NO_MASK_PER_HEAD else ()
    return {case: inside for case, inside in cases(tiny.name).items() if case not in refused}


@functools.cache
def tolerance(name: str) -> float:
    with torch.no_grad():
        logits = fresh(CONFIGURATIONS[name])(torch.tensor([CLEAN]), use_cache=False).logits[0, -1]
    return TOLERANCE * max(1.0, logits.std().item())


def wrong(name: str, found: Mapping[str, tuple[float, ...]]) -> list[str]:
    """One line a case that is missing or further from the truth than rounding explains."""
    lines = []
    for case, got in found.items():
        off = np.abs(np.subtract(got, expected(name)[case])).max()
        if not off <= tolerance(name):
            lines.append(f"{case}: engine {got}, oracle {expected(name)[case]}, off by {off:.2e}")
    return lines


def ran(engine: Engine, asked: Mapping[str, InsideJob], how: str = "auto") -> dict[str, tuple[float, ...]]:
    """The engine's numbers; each case once."""
    run = engine.intervene(list(asked.values()), how=how)
    names, pairs = list(asked), list(run)
    assert sorted(index for index, _ in pairs) == list(range(len(names)))
    assert run.report.how == how if how != "auto" else run.report.how in ("tree", "batches")
    assert run.report.why is None or run.report.why.key != "way_failed", run.report.why
    return {names[index]: tuple(numbers) for index, numbers in pairs}


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
        clean = {JOB: "clean", ONE: "clean, one answer", FORK: "clean, forked"}.get(inside.job)
        if clean is not None and inside.edits:
            moved = np.abs(np.subtract(truths[case], truths[clean])).max()
            assert moved > 3 * tolerance(tiny.name), f"{case} moves the answers by {moved:.1e} only"


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_what_cannot_be_done_is_refused(name):
    """By every way alike, and by the very architectures that cannot: the others are compared above."""
    tiny = CONFIGURATIONS[name]
    asked = [inside for case, inside in cases(name).items() if case not in possible(tiny)]
    asked += [
        InsideJob(JOB, (Replace(layer, site, head=0 if site == "head" else None),))
        for layer in range(LAYERS)
        for site in SITES
        if (site, layer) not in sites(name)
    ]
    if not attending(name):
        asked.append(InsideJob(JOB, (Knockout((LAST,), (18,)),)))
    if name in NO_EDIT:
        asked += [InsideJob(JOB, (Replace(layer, "block", positions=(9,)),)) for layer in range(LAYERS)]
    for inside in asked:
        for how in CHUNKS:
            with pytest.raises(CapabilityError):
                list(engine_of(name).intervene([InsideJob(JOB), inside], how=how))


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
    nothing = InsideJob(JOB)
    something = InsideJob(JOB, (Replace(0, "block", positions=(9,)),))
    (_, alone), *_ = engine.intervene([nothing])
    run = engine.intervene([something, nothing, something, nothing])
    found = dict(run)
    assert run.report.how == tiny.how
    assert tuple(found[1]) == tuple(found[3]) == tuple(alone)
    (_, scored), *_ = engine.score([JOB])
    assert tuple(alone) == pytest.approx(tuple(scored), abs=tolerance(tiny.name))


def test_after_the_answer_is_read_nothing_changes(tiny):
    """Node 23 is read for the last token of the third answer alone: the other answers come before it."""
    late: list[Replace | Knockout] = [
        Replace(layer, "block", positions=(FAN + 1,)) for layer in (0, LAYERS - 1)
    ]
    if attending(tiny.name):
        late.append(Replace(attending(tiny.name)[0], "head", head=1, positions=(FAN + 1,)))
        late.append(Knockout((FAN + 1,), (18, LAST)))
    found = dict(engine_of(tiny.name).intervene([InsideJob(JOB), *(InsideJob(JOB, (e,)) for e in late)]))
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
    (_, patched), *_ = engine.intervene(
        [InsideJob(Job(CLEAN, job.continuations), (Replace(1, "block", value=source),))]
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


class Stop(BaseException):
    """Neither Exception nor KeyboardInterrupt."""


def _interrupt(done: int, total: int) -> None:
    raise Stop


@pytest.mark.parametrize("name", FEW[2:12])
def test_left_as_found(name):
    """After a failing forward, a stopped run and an abandoned one: no hook left, the same clean run."""
    tiny = CONFIGURATIONS[name]
    model = tiny.build()
    engine, asked = Engine(model, chunk_tokens=24), list(possible(tiny).values())[::8]
    (_, first), *_ = engine.intervene([InsideJob(JOB)])
    before = state(model)

    def unchanged():
        assert state(model) == before
        (_, again), *_ = engine.intervene([InsideJob(JOB)])
        assert tuple(again) == tuple(first)

    for how, moment in (("auto", 1), ("auto", 6), ("batches", 1), ("reference", 2)):
        _fail_inside(engine, model, asked, how, moment)
        unchanged()
    for how in CHUNKS:
        with pytest.raises(Stop):
            list(engine.intervene(asked, how=how, on_progress=_interrupt))
        unchanged()
        run = iter(engine.intervene(asked, how=how))
        next(run)
        del run
        unchanged()
    for read in (engine.record, engine.lens, lambda job: engine.gradients(job, (1.0,))):
        read(ONE)
        unchanged()
    with contextlib.suppress(CapabilityError):
        engine.attention(CLEAN)
    unchanged()


def _fail_inside(engine, model, asked, how, moment):
    """The last block gives up in the middle of a forward."""
    calls = []

    def fail(*call):
        calls.append(call)
        if len(calls) == moment:
            raise Stop

    theirs = oracle.blocks(model)[-1].register_forward_pre_hook(fail)
    try:
        with pytest.raises(Stop):
            list(engine.intervene(asked, how=how))
    finally:
        theirs.remove()


@pytest.mark.parametrize("name", ["gpt_neo", "mistral", "qwen3_next"])
def test_threads_never_see_each_other_s_edits(name):
    engine = engine_of(name)
    asked = possible(CONFIGURATIONS[name])
    halves = [dict(list(asked.items())[1::4]), dict(list(asked.items())[3::4])]
    together = threading.Barrier(3)

    def edit(half):
        together.wait(timeout=60)
        return [ran(engine, half) for _ in range(2)]

    def read():
        together.wait(timeout=60)
        return [dict(engine.score([JOB]))[0] for _ in range(6)]

    expected(name)  # the oracle's own hooks are not for company
    with ThreadPoolExecutor(3) as pool:
        reading = pool.submit(read)
        editing = [pool.submit(edit, half) for half in halves]
    for done in editing:
        assert not [line for found in done.result() for line in wrong(name, found)]
    for numbers in reading.result():
        assert tuple(numbers) == pytest.approx(expected(name)["clean"], abs=tolerance(name))


# Who watches the oracle: each of its edits a second way, where there is one.


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
        (_, found), *_ = engine_of(tiny.name).intervene([InsideJob(JOB, (Replace(layer, "head", head=1),))])
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
