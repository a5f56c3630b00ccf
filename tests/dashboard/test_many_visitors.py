"""Many visitors at one service: each gets what they get alone, and short runs pass long ones."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import probes.models
from dashboard import study_options
from dashboard.flights import Visitor
from dashboard.gate import Standing
from dashboard.limits import Limits
from dashboard.line import SHORT
from dashboard.service import Service
from dashboard.shelf import STAYS, Choice
from dashboard.state import State
from probes import load_model, run
from probes.asking.question import preset
from probes.running import runner
from tests.test_two_at_once import leaves

PATIENT = 60.0
WORDS = {"mode": "delete", "unit": "word", "target": "top"}
HIDE = {**WORDS, "mode": "hide"}
ASK = {"mode": "delete", "target": "top", "at": "0-1", "control": 0}
OTHER = Choice(dtype="float32")
"""The built-in model once more, as one of the others."""
EXACT = 1e-4


def numbers(record: Any) -> list[float]:
    """Every number of a record's rows and answers, in order."""
    return list(leaves([record.data.get("rows"), record.data.get("answers")]))


def test_twelve_on_two_models_each_get_what_they_get_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long and short, the same and others, all begun at once; all but `ask` are taken for long ones."""
    service, question = Service(None, Limits()), preset("coffee-en").question()
    monkeypatch.setattr(
        Service, "seconds", lambda self, study, *_: 1.0 if study == "ask" else 10 * SHORT, raising=True
    )
    asked = [
        ("words", WORDS), ("words", HIDE), ("ask", ASK), ("heads", study_options.heads(State())),
        ("words", WORDS), ("layers", study_options.layers(State())),
    ]  # fmt: skip
    model = load_model("builtin")
    alone = [numbers(run(study, model, question, options)) for study, options in asked]
    start = threading.Barrier(2 * len(asked))

    def visit(place: int) -> list[float]:
        study, options = asked[place % len(asked)]
        start.wait(PATIENT)
        return numbers(service.run(study, OTHER if place >= len(asked) else STAYS, question, options))

    with ThreadPoolExecutor(2 * len(asked)) as pool:
        found = list(pool.map(visit, range(2 * len(asked))))
    for place, got in enumerate(found):
        assert got == pytest.approx(alone[place % len(asked)], abs=EXACT)
    assert not service._flights._flying
    assert all(leases._count == 0 for leases in service._shelf._leases.values())


class Slow:
    """The built-in model, whose runs of many words take until they are let go."""

    def __init__(self) -> None:
        self._model = load_model("builtin")
        self.begun, self.leave = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def score(self, prepared: Any, *rounds: Any) -> Any:
        if len(prepared) > 10:
            self.begun.set()
            assert self.leave.wait(PATIENT)
        return self._model.score(prepared, *rounds)


def test_a_pressed_word_and_what_is_known_pass_a_long_run(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, service, question = Slow(), Service(None, Limits()), preset("coffee-en").question()
    monkeypatch.setattr(probes.models, "load_model", lambda spec, **_: slow)
    monkeypatch.setattr(Service, "seconds", lambda self, study, *_: 1.0 if study == "ask" else 10 * SHORT)
    known = service.run("ask", STAYS, question, ASK)
    told: list[Standing] = []
    found: dict[str, Any] = {}

    def measure() -> None:
        found["long"] = service.run("words", STAYS, question, WORDS)

    long = threading.Thread(target=measure)
    long.start()
    try:
        assert slow.begun.wait(PATIENT)
        assert service.run("ask", STAYS, question, ASK, waiting=told.append) is known
        pressed = {**ASK, "at": "2-8"}
        answered = service.run("ask", STAYS, question, pressed, waiting=told.append)
        assert long.is_alive()
        assert told == []
        alone = run("ask", load_model("builtin"), question, pressed)
        assert numbers(answered) == pytest.approx(numbers(alone), abs=EXACT)
    finally:
        slow.leave.set()
        long.join(PATIENT)
    alone = run("words", load_model("builtin"), question, WORDS)
    assert numbers(found["long"]) == pytest.approx(numbers(alone), abs=EXACT)


def test_a_second_long_run_of_a_visitor_is_told_that_it_waits_for_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow, service, question = Slow(), Service(None, Limits()), preset("coffee-en").question()
    monkeypatch.setattr(probes.models, "load_model", lambda spec, **_: slow)
    monkeypatch.setattr(Service, "seconds", lambda self, *_: 10 * SHORT)
    me = Visitor("me")
    first = threading.Thread(target=lambda: service.run("words", STAYS, question, WORDS, visitor=me))
    first.start()
    assert slow.begun.wait(PATIENT)
    told: list[Standing] = []

    def waiting(standing: Standing) -> None:
        told.append(standing)
        slow.leave.set()

    service.run("words", STAYS, question, HIDE, visitor=me, waiting=waiting)
    first.join(PATIENT)
    assert told[0].own
    assert told[-1] == Standing(0)


def test_what_a_long_run_waited_is_not_counted_as_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On clocks that only go on while somebody listens, that is while others use the model."""
    now = [1000.0]
    monkeypatch.setattr(runner, "_clocks", lambda: (now[0], 2 * now[0]))

    def listens(done: int, total: int) -> None:
        now[0] += 100.0

    made = run("words", load_model("builtin"), preset("coffee-en").question(), WORDS, on_progress=listens)
    assert now[0] > 1000.0
    assert made.data["provenance"]["seconds"] == pytest.approx(0)
    assert made.data["provenance"]["cpu_seconds"] == pytest.approx(0)
