"""Readers who share one loaded model never see each other's jobs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from probes.engine.execute import Engine
from tests.arch.cases import EDITS, HIDES, TOLERANCE, differences, expected
from tests.arch.configs import built

SETS = [EDITS, HIDES, {**HIDES, **EDITS}]


@pytest.mark.parametrize("name", ["llama", "gpt_neo", "mistral", "qwen3_next"])
def test_threads_get_each_its_own_numbers(name):
    engine = Engine(built(name), chunk_tokens=24)
    together = threading.Barrier(len(SETS))

    def score(jobs):
        together.wait(timeout=60)
        return [dict(engine.run(list(jobs.values()))) for _ in range(3)]

    with ThreadPoolExecutor(len(SETS)) as pool:
        answers = list(pool.map(score, SETS))
    for jobs, rounds in zip(SETS, answers, strict=True):
        for found in rounds:
            assert not differences(jobs, found, expected(name), TOLERANCE)


def test_reader_who_stops_does_not_stop_others():
    engine = Engine(built("mistral"), chunk_tokens=24)
    together = threading.Barrier(2)

    def stopped():
        together.wait(timeout=60)
        for _ in range(5):
            with pytest.raises(KeyboardInterrupt):
                dict(engine.run(list(HIDES.values()), on_progress=interrupt))

    def interrupt(done, total):
        raise KeyboardInterrupt

    def patient():
        together.wait(timeout=60)
        return [dict(engine.run(list(EDITS.values()))) for _ in range(5)]

    with ThreadPoolExecutor(2) as pool:
        stopping, reading = pool.submit(stopped), pool.submit(patient)
    stopping.result()
    for found in reading.result():
        assert not differences(EDITS, found, expected("mistral"), TOLERANCE)
