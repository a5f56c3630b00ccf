"""Several threads on one model: each gets what it gets alone, and the model is left as it was."""

from __future__ import annotations

import gc
import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch

from probes import AnswerSet, Passage, Question, load_model, run
from probes.engine.execute import Engine
from probes.engine.turns import Turns, turns_of

QUESTION = Question(
    Passage("I walked into the shop. Then I left the shop."),
    "How many times did I go to the shop?",
    AnswerSet.parse("0=never;1=once=one time;2=twice"),
    right="1",
)
OPTIONS: dict[str, dict[str, Any]] = {
    "ask": {"drop": "walked", "control": 3},
    "words": {"mode": "hide"},
    "heads": {"cumulative": False, "control": 0, "ablate_mode": "mean"},
    "links": {},
    "attention": {},
    "layers": {},
    "lens": {},
    "patch": {"change": "walked", "to": "looked"},
}
SEARCHES: dict[str, dict[str, Any]] = {
    "minimal": {"lead": 0.05, "control": 3},
    "pairs": {"control": 2},
    "questions": {"other": "Who walked?", "other_answers": "I=I;you=you"},
    "frequency": {"added": 1, "draws": 2},
    "focus": {"mode": "hide"},
    "baselines": {},
}
"""Studies that ask in many rounds, or with other answers; each beside itself and one that looks inside."""
PAIRS = [
    *itertools.combinations_with_replacement(OPTIONS, 2),
    *((study, other) for study in SEARCHES for other in (study, "lens")),
]
EXACT = 5e-5


@pytest.fixture(scope="module")
def model() -> Any:
    return load_model("builtin")


@pytest.fixture(scope="module")
def alone(model: Any) -> dict[str, list[float]]:
    return {study: numbers(model, study) for study in OPTIONS | SEARCHES}


def numbers(model: Any, study: str) -> list[float]:
    """Every number of a record's rows and of its clean run, in order."""
    data = run(study, model, QUESTION, (OPTIONS | SEARCHES)[study]).data
    return list(leaves([data.get("rows"), data.get("answers"), data.get("clean", {}).get("answers")]))


def leaves(value: Any) -> Iterator[float]:
    """All numbers that are no whole ones, in lists and tables of any depth."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, float):
        yield value


def together(*jobs: Any) -> list[Any]:
    """What each job returns, all begun at the same moment, each in a thread of its own."""
    start = threading.Barrier(len(jobs))

    def begun(job: Any) -> Any:
        start.wait(timeout=60)
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(timeout=300) for future in [pool.submit(begun, job) for job in jobs]]


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_two_studies_at_once_give_what_they_give_alone(
    model: Any, alone: dict[str, list[float]], pair: tuple[str, str]
) -> None:
    found = together(*(lambda study=study: numbers(model, study) for study in pair))
    for study, values in zip(pair, found, strict=True):
        assert values == pytest.approx(alone[study], abs=EXACT)


def test_four_threads_of_all_studies_leave_the_model_as_it_was(
    model: Any, alone: dict[str, list[float]]
) -> None:
    """Each thread runs two studies, so that all eight are under way; then all once more, alone."""

    def some(first: int) -> dict[str, list[float]]:
        return {study: numbers(model, study) for study in list(OPTIONS)[first::4]}

    jobs = [lambda first=first: some(first) for first in range(4)]
    for found in [*together(*jobs), *(job() for job in jobs)]:
        for study, values in found.items():
            assert values == pytest.approx(alone[study], abs=EXACT)


def test_loads_beside_each_other_and_beside_runs(model: Any, alone: dict[str, list[float]]) -> None:
    """Loads change settings of the whole process, the default number type among them."""

    def loaded(dtype: str) -> Any:
        return load_model("builtin", dtype=dtype)

    runs = [lambda study=study: numbers(model, study) for study in ("ask", "lens", "heads")]
    loads = [lambda dtype=dtype: loaded(dtype) for dtype in ("float32", "bfloat16", "float32", "bfloat16")]
    for _ in range(2):
        found = together(*runs, *loads)
        for study, values in zip(("ask", "lens", "heads"), found, strict=False):
            assert values == pytest.approx(alone[study], abs=EXACT)
        fresh = found[len(runs)]
        assert numbers(fresh, "ask") == pytest.approx(alone["ask"], abs=EXACT)
    assert torch.get_default_dtype() == torch.float32


def test_an_examination_beside_runs(model: Any, alone: dict[str, list[float]]) -> None:
    other = load_model("builtin")
    found = together(
        other.examine_anew, lambda: numbers(other, "lens"), other.examine_anew, lambda: numbers(other, "ask")
    )
    assert found[1] == pytest.approx(alone["lens"], abs=EXACT)
    assert found[3] == pytest.approx(alone["ask"], abs=EXACT)


def test_a_model_that_is_let_go_does_not_stay_in_memory() -> None:
    def lives(kind: type) -> int:
        gc.collect()
        return sum(issubclass(type(thing), kind) for thing in gc.get_objects())

    before = lives(Engine), lives(torch.nn.Module)
    numbers(load_model("builtin"), "ask")
    assert (lives(Engine), lives(torch.nn.Module)) == before


def test_all_engines_of_one_model_share_its_lock(model: Any) -> None:
    weights = model.loaded.model
    assert Engine(weights, known=model.engine.findings).lock is model.engine.lock is turns_of(weights)


def test_turns_go_round_in_the_order_of_asking() -> None:
    turns, order = Turns(), []
    asked = [threading.Event() for _ in range(3)]

    def wanting(name: int) -> None:
        asked[name].set()
        with turns:
            order.append(name)

    threads = [threading.Thread(target=wanting, args=(name,)) for name in range(3)]
    with turns, turns:  # a holder may take it again
        for name, thread in enumerate(threads):
            thread.start()
            asked[name].wait(5)
            while len(turns._line) <= name:
                time.sleep(0.001)
    with turns:  # behind all who asked before
        order.append(3)
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3]


def test_who_gives_up_waiting_keeps_nobody_waiting() -> None:
    turns = Turns()
    with turns:
        assert together(lambda: turns.acquire(timeout=0.01)) == [False]
    assert together(lambda: turns.acquire(timeout=5)) == [True]


def test_a_turn_that_is_lent_goes_to_all_who_wait_and_comes_back_as_deep_as_it_was() -> None:
    turns, order = Turns(), []

    def wanting(name: int) -> None:
        with turns:
            order.append(name)

    threads = [threading.Thread(target=wanting, args=(name,)) for name in range(3)]
    with turns, turns:
        turns.lend()  # nobody waits
        for name, thread in enumerate(threads):
            thread.start()
            while len(turns._line) <= name:
                time.sleep(0.001)
        assert order == []
        turns.lend()
        assert order == [0, 1, 2]
        assert together(lambda: turns.acquire(timeout=0.01)) == [False]
    for thread in threads:
        thread.join(5)
    assert together(lambda: turns.acquire(timeout=5)) == [True]


def test_a_turn_is_given_back_by_its_holder_alone() -> None:
    turns = Turns()

    def not_held() -> None:
        with pytest.raises(RuntimeError):
            turns.release()

    with turns:
        together(not_held)


def test_the_turn_of_a_thread_that_has_ended_is_handed_on() -> None:
    turns = Turns()
    lost = threading.Thread(target=turns.acquire)
    lost.start()
    lost.join(5)
    assert turns.acquire(timeout=30)
    turns.release()
    assert together(lambda: turns.acquire(timeout=5)) == [True]
