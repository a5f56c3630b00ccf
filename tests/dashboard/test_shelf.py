"""Two models at once: neither waits for the other; one is let go only while nobody uses it."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

import probes.models
from dashboard.gate import Standing
from dashboard.limits import Limits
from dashboard.service import Service
from dashboard.shelf import STAYS, Choice, Shelf
from probes import load_model, run
from probes.asking.question import preset

SLOW = Choice("slow")
WORDS = {"mode": "delete", "unit": "word", "target": "top"}
PATIENCE = 120.0


class Held:
    """A fake model; all there are, are known."""

    alive: ClassVar[weakref.WeakSet[Held]] = weakref.WeakSet()

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self.alive.add(self)

    def describe(self) -> dict[str, Any]:
        return {}


class Loads:
    """`load_model` for tests: the built-in model is real where wanted, all others can be held up."""

    def __init__(self, *, real: bool = False) -> None:
        self.real = real
        self.made: list[str] = []
        self.slow = threading.Event()
        self.slow.set()
        self.begun = threading.Event()

    def __call__(self, spec: str, **given: Any) -> Any:
        others = sorted(model.spec for model in Held.alive if model.spec != "builtin")
        self.made.append(f"{spec} beside {others}")
        if spec == "builtin":
            return load_model(spec) if self.real else Held(spec)
        self.begun.set()
        assert self.slow.wait(PATIENCE)
        return Held(spec)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loads]:
    found = Loads()
    monkeypatch.setattr(probes.models, "load_model", found)
    Held.alive.clear()
    yield found
    found.slow.set()


def in_thread(work: Any) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_who_uses_one_model_does_not_hold_up_another(loads: Loads) -> None:
    shelf, told = Shelf(paths=True), list[Standing]()
    with shelf.lease(SLOW), shelf.lease(STAYS, told.append) as model:
        assert model.spec == "builtin"  # type: ignore[attr-defined]
    assert told == []


def test_loading_one_model_does_not_hold_up_runs_on_another(loads: Loads) -> None:
    shelf, told = Shelf(paths=True), list[Standing]()
    with shelf.lease(STAYS):
        pass
    loads.slow.clear()
    loading = in_thread(lambda: shelf.lease(SLOW).__enter__())
    assert loads.begun.wait(PATIENCE)
    with shelf.lease(STAYS, told.append):
        assert loading.is_alive()
    assert told == []
    loads.slow.set()
    loading.join(PATIENCE)


def test_a_run_finishes_before_its_model_is_let_go(loads: Loads) -> None:
    shelf, order, told = Shelf(paths=True), list[str](), list[Standing]()
    done, using = threading.Event(), threading.Event()

    def use() -> None:
        with shelf.lease(Choice("one")) as model:
            using.set()
            done.wait(PATIENCE)
            order.append(f"used {model.spec}")  # type: ignore[attr-defined]

    user = in_thread(use)
    assert using.wait(PATIENCE)

    def waiting(standing: Standing) -> None:
        told.append(standing)
        done.set()

    with shelf.lease(Choice("two"), waiting):
        order.append("two is here")
    user.join(PATIENCE)
    assert order == ["used one", "two is here"]
    assert told[0].ahead == 1
    assert told[-1] == Standing(0)
    assert loads.made == ["one beside []", "two beside []"]


def test_many_visitors_with_many_models_all_get_their_turn(loads: Loads) -> None:
    """Loads, evictions and runs of four models in eight threads: no deadlock, never two others at once."""
    shelf, done, most = Shelf(paths=True), list[str](), list[Standing]()
    specs = ["builtin", "one", "two", "three"]

    def visit(n: int) -> None:
        for turn in range(4):
            spec = specs[(n + turn) % len(specs)]
            with shelf.lease(Choice(spec)) as model:
                assert model.spec == spec  # type: ignore[attr-defined]
                most.append(sum(choice != STAYS for choice in list(shelf._kept)))
                time.sleep(0.001)
            del model
            done.append(spec)

    threads = [in_thread(lambda n=n: visit(n)) for n in range(8)]  # type: ignore[misc]
    for thread in threads:
        thread.join(60)
    assert len(done) == 8 * 4
    assert max(most) == 1
    assert sum(m.startswith("builtin") for m in loads.made) == 1


def test_a_load_that_fails_leaves_nobody_waiting(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(paths=True)

    def fails(spec: str, **_: Any) -> Any:
        raise OSError(spec)

    with monkeypatch.context() as patched:
        patched.setattr(probes.models, "load_model", fails)
        for _ in range(2):
            with pytest.raises(OSError, match="one"), shelf.lease(Choice("one")):
                pass
    with shelf.lease(Choice("one")) as model:
        assert model.spec == "one"  # type: ignore[attr-defined]


def test_the_built_in_model_answers_while_another_is_measured(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the service: a slow model under way for ever, the built-in one's study as if it were alone."""
    loads.real = True
    service, question = Service(None, Limits()), preset("coffee-en").question()
    begun, leave = threading.Event(), threading.Event()

    class Slow:
        """The built-in model in another's place, whose runs take until they are let go."""

        def __init__(self) -> None:
            self._model = load_model("builtin")

        def __getattr__(self, name: str) -> Any:
            return getattr(self._model, name)

        def score(self, prepared: Any, *rounds: Any) -> Any:
            begun.set()
            assert leave.wait(PATIENCE)
            return self._model.score(prepared, *rounds)

    slow = Slow()
    real = probes.models.load_model
    monkeypatch.setattr(
        probes.models, "load_model", lambda spec, **given: slow if spec == "slow" else real(spec, **given)
    )
    found: dict[str, Any] = {}

    def measure() -> None:
        found["slow"] = service.run("words", SLOW, question, WORDS)

    busy = in_thread(measure)
    assert begun.wait(PATIENCE)
    told: list[Standing] = []
    result = service.run("words", STAYS, question, WORDS, waiting=told.append)
    assert busy.is_alive()
    assert told == []
    leave.set()
    busy.join(PATIENCE)
    plain = run("words", load_model("builtin"), question, WORDS)
    for record in (result, found["slow"]):
        effects = [row["effect_log_prob"] for row in record.rows]
        assert effects == pytest.approx([row["effect_log_prob"] for row in plain.rows], abs=1e-4)
