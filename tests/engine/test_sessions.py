"""Rounds of one question: what many calls find is what one finds, for little more work, and checked."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from probes.engine import by_tree
from probes.engine.by_tree import Sessions
from probes.engine.edits import Replace
from probes.engine.execute import Engine
from probes.engine.jobs import Job
from tests.arch.configs import CONFIGURATIONS, built

TEXT = tuple(3 + (11 * i * i + 5 * i) % 120 for i in range(26))
ENDS = ((20,), (31, 40), (31, 41, 7))
CLEAN = Job(TEXT, ENDS)
DELETED = [Job(TEXT[:i] + TEXT[i + 1 :], ENDS) for i in range(1, 25)]
NAMES = [name for name in ("llama", "gpt2", "mistral", "bloom", "gpt_neo") if name in CONFIGURATIONS]


@pytest.fixture(params=NAMES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return Engine(built(request.param), chunk_tokens=60)


@pytest.fixture
def rounds() -> Sessions:
    return Engine.sessions()


def in_rounds(engine: Engine, rounds: Sessions) -> tuple[list[tuple[float, ...]], list[int], int]:
    """What each round finds, how many checks it made, and all forwards."""
    found, checks, forwards = [], [], 0
    for job in DELETED:
        run = engine.run([CLEAN, job], sessions=rounds)
        found.append(dict(run)[1])
        checks.append(len(run.report.checks))
        forwards += run.report.forwards
    return found, checks, forwards


def test_rounds_find_what_one_call_finds(engine: Engine, rounds: Sessions) -> None:
    together = dict(Engine(engine.model, chunk_tokens=60, known=engine.findings).run([CLEAN, *DELETED]))
    found, checks, forwards = in_rounds(engine, rounds)
    for number, values in enumerate(found, 1):
        assert values == pytest.approx(together[number], abs=1e-4)
    checked = [number for number, count in enumerate(checks) if count]
    assert checked == [0, 1, 3, 7, 15]
    plain = len(ENDS) * sum(map(bool, checks)) * 2
    assert forwards <= 1 + 2 * len(DELETED) + plain


def test_the_clean_prompt_is_the_same_in_every_round(engine: Engine, rounds: Sessions) -> None:
    runs = [dict(engine.run([CLEAN, job], sessions=rounds))[0] for job in DELETED[:6]]
    assert len(set(runs)) == 1


def test_a_round_that_needs_more_than_is_kept_begins_anew(engine: Engine, rounds: Sessions) -> None:
    dict(engine.run([CLEAN, DELETED[0]], sessions=rounds))
    longer = Job((*TEXT[:9], 60, 61, 62, *TEXT[9:]), ENDS)
    found = dict(engine.run([CLEAN, longer], sessions=rounds))
    alone = dict(engine.run([CLEAN, longer], how="reference"))
    assert found[1] == pytest.approx(alone[1], abs=1e-4)


def test_a_check_that_fails_is_made_again_in_the_next_round(
    engine: Engine, rounds: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong is never kept: every round falls back and says so, until it is right again."""
    right = [dict(engine.run([CLEAN, job], how="reference"))[1] for job in DELETED[:4]]
    own = by_tree._ClimbedTrunk.climb

    def wrong(self: by_tree._ClimbedTrunk, chunk: by_tree.Chunk) -> list[by_tree.Scored]:
        found = own(self, chunk)
        return [
            by_tree.Scored(one.stem, tuple(tuple(v - 1 for v in path) for path in one.values))
            for one in found
        ]

    monkeypatch.setattr(by_tree._ClimbedTrunk, "climb", wrong)
    for job, values in zip(DELETED[:4], right, strict=True):
        run = engine.run([CLEAN, job], sessions=rounds)
        assert dict(run)[1] == pytest.approx(values, abs=1e-4)
        assert run.report.how == "batches"
        assert run.report.why is not None
    monkeypatch.undo()
    run = engine.run([CLEAN, DELETED[0]], sessions=rounds)
    assert dict(run)[1] == pytest.approx(right[0], abs=1e-4)
    assert run.report.how == "tree"


def test_rounds_of_two_questions_at_once_do_not_meet(engine: Engine, rounds: Sessions) -> None:
    other = Job(tuple(reversed(TEXT)), ENDS)
    others = [Job(other.ids[:i] + other.ids[i + 1 :], ENDS) for i in range(1, 12)]
    asked = [(CLEAN, DELETED[:11]), (other, others)]
    alone = [[dict(engine.run([c, job], how="reference"))[1] for job in jobs] for c, jobs in asked]
    seen: dict[int, list[tuple[float, ...]]] = {}

    def ask(place: int) -> None:
        clean, jobs = asked[place]
        seen[place] = [dict(engine.run([clean, job], sessions=rounds))[1] for job in jobs]

    threads = [threading.Thread(target=ask, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for place, values in enumerate(alone):
        for found, expected in zip(seen[place], values, strict=True):
            assert found == pytest.approx(expected, abs=1e-4)


def test_no_more_trunks_are_kept_than_told(engine: Engine, rounds: Sessions) -> None:
    for start in range(5):
        jobs = [Job(TEXT[start:], ENDS), Job(TEXT[start + 1 :], ENDS)]
        dict(engine.run(jobs, sessions=rounds))
    assert len(rounds._kept) == by_tree.Sessions.KEPT


def test_rounds_inside_are_checked_at_first_and_with_each_new_kind(engine: Engine) -> None:
    checks = []
    kinds = [Replace(0, "head", 0), Replace(0, "head", 1), Replace(1, "head", 0), Replace(1, "mlp")]
    kinds += [Replace(2, "mlp"), Replace(2, "head", 1)]
    for edit in kinds:
        run = engine.run([CLEAN, replace(CLEAN, edits=(edit,))])
        dict(run)
        checks.append(bool(run.report.checks))
    assert checks == [True, True, False, True, False, False]
