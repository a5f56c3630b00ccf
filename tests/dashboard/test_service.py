"""What visitors share: one big model at a time, results by all that decides them, limits of a hosted page."""

from __future__ import annotations

import gc
import threading
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import streamlit

import probes.models
from dashboard import looks
from dashboard import study_options as inside
from dashboard.flights import Flight, GivenUp
from dashboard.kept import Results
from dashboard.limits import Limits
from dashboard.partial import Effects
from dashboard.service import Service, service
from dashboard.shelf import Choice
from dashboard.state import State
from probes import load_model, run
from probes.asking.question import preset
from probes.errors import LimitError, ModelError
from probes.record.results import ProbeResult
from probes.running.over import run_over
from probes.running.sets import questions_of
from probes.studies.parts import SIZES
from probes.text.passage import Passage

OPEN = Limits()
HOSTED = Limits.from_environment({"CRUX_HOSTED": "1"})
WORDS = {"mode": "delete", "unit": "word", "target": "top"}


class FakeModel:
    def __init__(self, spec: str) -> None:
        self.spec = spec

    def describe(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was loaded, and that nothing else was alive at that moment."""
    found: list[str] = []
    alive: weakref.WeakSet[FakeModel] = weakref.WeakSet()

    def fake(spec: str, **_: object) -> FakeModel:
        gc.collect()
        found.append(f"{spec} beside {sorted(model.spec for model in alive)}")
        model = FakeModel(spec)
        alive.add(model)
        return model

    monkeypatch.setattr(probes.models, "load_model", fake)
    return found


def test_a_model_is_released_before_the_next_is_loaded(loads: list[str]) -> None:
    service = Service(None, OPEN)
    for spec in ("builtin", "one", "two", "two", "builtin", "one"):
        service.model(Choice(spec))
    assert loads == [
        "builtin beside []",
        "one beside ['builtin']",
        "two beside ['builtin']",
        "one beside ['builtin']",
    ]


def test_another_device_or_format_is_another_model(loads: list[str]) -> None:
    service = Service(None, OPEN)
    service.model(Choice("one"))
    service.model(Choice("one", dtype="bfloat16"))
    assert len(loads) == 2
    assert service.loaded(Choice("one")) is None


@pytest.mark.parametrize("spec", ["/etc", "gpt2", "BUILTIN", "builtin/../x", ""])
def test_a_hosted_page_loads_only_what_is_allowed(spec: str, loads: list[str]) -> None:
    with pytest.raises(ModelError) as refused:
        Service(None, HOSTED).model(Choice(spec))
    assert "smollm2" in refused.value.say("zh")
    assert loads == []


def test_a_hosted_page_names_numbers_and_limits() -> None:
    service = Service(None, replace(HOSTED, characters=100, runs=10))
    question = preset("coffee-en").question()
    with pytest.raises(LimitError) as refused:
        service.run("words", Choice(), question, WORDS)
    assert refused.value.values == {"characters": len(question.passage.text), "most": 100}
    service = Service(None, replace(HOSTED, runs=10))
    with pytest.raises(LimitError) as refused:
        service.run("words", Choice(), question, WORDS)
    assert refused.value.values == {"runs": 61, "most": 10}


def test_a_page_of_ones_own_has_no_limits() -> None:
    own = Limits.from_environment({})
    own.check_model("/any/folder", "cuda")
    own.check_passage("x" * 1_000_000)
    own.check_runs(1_000_000)


def test_the_same_question_is_run_once() -> None:
    service = Service(None, OPEN)
    question = preset("coffee-en").question()
    first = service.run("words", Choice(), question, WORDS)
    assert service.run("words", Choice(), question, WORDS) is first
    assert service.known("words", Choice(), question, {**WORDS, "mode": "hide"}) is None
    assert service.known("words", Choice(), replace(question, question="How often?"), WORDS) is None
    assert service.known("words", Choice(dtype="float32"), question, WORDS) is None


def test_what_is_told_while_it_runs_is_what_the_record_says() -> None:
    model, question = load_model("builtin"), preset("coffee-en").question()
    so_far: dict[Any, float | None] = {}
    result = run("words", model, question, WORDS, on_outcome=Effects(question, "top", so_far))
    plain = run("words", model, question, WORDS)
    assert [row["answers"] for row in result.rows] == [row["answers"] for row in plain.rows]
    told = {tuple(row["spans"][0]): row["effect_log_prob"] for row in plain.rows}
    assert so_far == pytest.approx(told, abs=1e-6)


def test_trials_with_other_answers_tell_nothing_of_the_target() -> None:
    model, question = load_model("builtin"), preset("coffee-en").question()
    so_far: dict[Any, float | None] = {}
    result = run("questions", model, question, {}, on_outcome=Effects(question, "top", so_far))
    told = {tuple(row["spans"][0]): row["effect_log_prob"] for row in result.rows}
    assert so_far == pytest.approx(told, abs=1e-6)
    so_far.clear()
    run("focus", model, question, {}, on_outcome=Effects(question, "three times", so_far))
    assert so_far == {}


class Stop(BaseException):
    """As Streamlit stops a script."""


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """A run that has done a few steps waits until nobody follows it; set when it was given up."""
    found, real = threading.Event(), Flight.tell

    def tell(flight: Flight, done: int, total: int) -> None:
        try:
            if done > 5 and not found.is_set():
                with flight.changed:
                    flight.progress = done, total
                    flight.changed.notify_all()
                    assert flight.changed.wait_for(lambda: not flight._following, 60)
                flight.let_go()
            real(flight, done, total)
        except GivenUp:
            found.set()
            raise

    monkeypatch.setattr(Flight, "tell", tell)
    return found


def test_a_stop_keeps_what_was_found_and_the_next_run_is_the_same(
    tmp_path: Any, ended: threading.Event
) -> None:
    from probes.record.store import Store

    question = preset("coffee-en").question()
    service = Service(Store(tmp_path / "trials.sqlite"), OPEN)
    so_far: dict[Any, Any] = {}

    def stop(done: int, total: int) -> None:
        if done > 5:
            raise Stop

    with pytest.raises(Stop):
        service.run("words", Choice(), question, WORDS, on_progress=stop, effects=so_far)
    assert ended.wait(60)
    assert service.known("words", Choice(), question, WORDS) is None
    after = service.run("words", Choice(), question, WORDS)
    assert after.data["provenance"]["from_store"] > 0
    plain = run("words", load_model("builtin"), question, WORDS)
    for got, expected in zip(after.rows, plain.rows, strict=True):
        assert got["effect_log_prob"] == pytest.approx(expected["effect_log_prob"], abs=1e-4)


def test_heads_are_told_as_they_come_and_a_stop_keeps_them(tmp_path: Any, ended: threading.Event) -> None:
    from probes.record.store import Store

    question, options = preset("coffee-en").question(), inside.heads(State())
    service = Service(Store(tmp_path / "trials.sqlite"), OPEN)
    clean = service.run("ask", Choice(), question, inside.ask(State(), ()))
    so_far: dict[Any, Any] = {}

    def stop(done: int, total: int) -> None:
        if done > 3:
            raise Stop

    with pytest.raises(Stop):
        service.run("heads", Choice(), question, options, on_progress=stop, effects=so_far)
    assert ended.wait(60)
    again = Service(None, OPEN).run("ask", Choice(), question, inside.ask(State(), ()))
    assert again.data["answers"] == clean.data["answers"]
    exact = service.run("heads", Choice(), question, options)
    told = {(one.layer, one.head): value for one, value in so_far.items()}
    assert told
    for row in exact.rows:
        if (place := (row["layer"], row["head"])) in told:
            assert told[place] == pytest.approx(row["effect_log_prob"], abs=1e-4)


def test_a_look_is_kept_and_adds_up() -> None:
    service, question = Service(None, OPEN), preset("coffee-zh").question()
    look = service.attention(Choice(), question)
    assert service.attention(Choice(), question) is look
    assert "咖啡店" in look.words.labels
    first = next(layer for layer in look.weights if layer is not None)
    assert first.sum(-1) == pytest.approx(np.ones(first.shape[:2]), abs=1e-4)
    assert look.reading.weights[0].shape[1:] == (len(question.passage.words) + 1, len(question.passage.words))


def test_weights_that_do_not_fit_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "bytes_free", lambda: 1000)
    with pytest.raises(looks.NoRoom) as refused:
        Service(None, OPEN).attention(Choice(), preset("coffee-en").question())
    assert refused.value.needed > refused.value.free == 1000


def test_kept_results_are_bounded_by_their_size() -> None:
    results = Results()
    huge = ProbeResult("ask", {"prompt": "x" * 25_000_000})
    for key in "abc":
        results.put(key, huge)
    assert [results.get(key) is not None for key in "abc"] == [False, True, True]


def test_a_set_of_passages_is_the_runners_own() -> None:
    """The page's record of a set is that of `run_over`, and is kept apart from the passage's own."""
    service, question = Service(None, OPEN), preset("coffee-en").question()
    options, told = inside.layers(State()), list[tuple[int, int]]()
    found = service.run(
        "layers",
        Choice(),
        question,
        {**options, "over": 2},
        on_progress=lambda done, total: told.append((done, total)),
    )
    mine = run_over("layers", load_model("builtin"), questions_of("2", question), options, source="2")
    assert found.rows == mine.rows
    assert found.data["over"]["size"] == 2
    assert told[-1][0] == told[-1][1]
    assert "--over 2" in found.data["provenance"]["command_line"]
    assert "--preset coffee-en" in found.data["provenance"]["command_line"]
    assert service.known("layers", Choice(), question, options) is None
    assert 0 < service.seconds("layers", Choice(), question, {**options, "over": 2}, 24) < 60


@pytest.mark.parametrize(
    ("study", "options", "runs"),
    [
        ("layers", {**inside.layers(State()), "over": 50}, (SIZES["mean"] + 2 * 6) * 50),
        ("heads", {**inside.heads(State()), "over": 20}, 24 * 20),
        ("links", {**inside.links(State(), 100_000)}, 2 * 61 + 61 * 60 // 2),
        ("ask", {"at": "0-1", "control": 1000}, 1001),
        ("patch", {**inside.patch(State(site="head"), "walked into", "went past")}, 1 + 24 * 62),
    ],
)
def test_a_hosted_page_refuses_what_takes_too_many_runs(
    study: str, options: dict[str, Any], runs: int
) -> None:
    with pytest.raises(LimitError) as refused:
        Service(None, HOSTED).run(study, Choice(), preset("coffee-en").question(), options)
    assert refused.value.values == {"runs": runs, "most": 400}
    assert f"{runs:,}" in refused.value.say("zh")


def test_a_set_is_counted_by_its_own_passages_not_by_the_visitors() -> None:
    """A passage of two words does not make links in generated ones, of some ninety words each, cheap."""
    two = replace(preset("coffee-en").question(), passage=Passage("Hello there"))
    with pytest.raises(LimitError) as refused:
        Service(None, HOSTED).run("links", Choice(), two, {**inside.links_over(State()), "over": 10})
    words = [len(q.passage.words) for q in questions_of("10", two)]
    assert refused.value.values["runs"] == sum(2 * n + 100 for n in words)


@pytest.mark.parametrize(
    ("study", "options"),
    [
        ("words", WORDS),
        ("ask", {"drop": "walked,latte", "control": 20}),
        ("heads", inside.heads(State())),
        ("heads", inside.together(State())),
        ("heads", inside.heads(State(), estimate=True)),
        ("layers", inside.layers(State())),
        ("lens", inside.lens(State())),
        ("links", inside.links(State(), 30)),
        ("attention", inside.attention(State())),
        ("patch", inside.patch(State(site="attention"), "walked into", "went past")),
        ("layers", {**inside.layers(State()), "over": 2}),
    ],
)
def test_runs_are_counted_as_the_runner_makes_them(study: str, options: dict[str, Any]) -> None:
    """At least as many as it takes, and few more: a limit is neither slipped past nor met too early."""
    own, question = Service(None, OPEN), preset("coffee-en").question()
    own.model(Choice())
    counted = own.runs(study, Choice(), question, options)
    made = own.run(study, Choice(), question, options).data
    passages = made.get("over", {"size": 1})["size"]
    groups = len(made.get("groups", ()))  # of equal words, counted with their words
    ran = made["provenance"]["trials"] - passages - groups
    repeated = 5 * passages  # the clean run is asked for again with every batch, and run once
    assert ran - repeated <= counted
    assert counted <= (2 * ran if made.get("cumulative") else ran + repeated)


def test_the_service_outlives_a_visitor_who_clears_streamlits_caches() -> None:
    first = service()
    model = first.model(Choice())
    streamlit.cache_data.clear()
    streamlit.cache_resource.clear()
    assert service() is first
    assert service().model(Choice()) is model
