"""Whatever is done inside a model is undone: after failures, after stops, and between threads."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from probes.engine.execute import Engine
from probes.errors import CapabilityError
from tests import inside_oracle as oracle
from tests.arch.cases import CHUNKS, CLEAN
from tests.arch.configs import CONFIGURATIONS
from tests.arch.inside_cases import FEW, JOB, ONE, engine_of, expected, possible, ran, tolerance, wrong
from tests.modulestate import state


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
    (_, first), *_ = engine.run([JOB])
    before = state(model)

    def unchanged():
        assert state(model) == before
        (_, again), *_ = engine.run([JOB])
        assert tuple(again) == tuple(first)

    for how, moment in (("auto", 1), ("auto", 6), ("batches", 1), ("reference", 2)):
        _fail_inside(engine, model, asked, how, moment)
        unchanged()
    for how in CHUNKS:
        with pytest.raises(Stop):
            list(engine.run(asked, how=how, on_progress=_interrupt))
        unchanged()
        run = iter(engine.run(asked, how=how))
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
            list(engine.run(asked, how=how))
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
        return [dict(engine.run([JOB]))[0] for _ in range(6)]

    expected(name)  # the oracle's own hooks are not for company
    with ThreadPoolExecutor(3) as pool:
        reading = pool.submit(read)
        editing = [pool.submit(edit, half) for half in halves]
    for done in editing:
        assert not [line for found in done.result() for line in wrong(name, found)]
    for numbers in reading.result():
        assert tuple(numbers) == pytest.approx(expected(name)["clean"], abs=tolerance(name))


# Who watches the oracle: each of its edits a second way, where there is one.
