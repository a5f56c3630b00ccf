"""While another visitor holds the model a page says so; when the wait is over, nothing says so any more."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from dashboard import service as shared
from dashboard import session
from dashboard.gate import Standing
from dashboard.kept import Results
from dashboard.limits import Limits
from dashboard.line import Ticket
from dashboard.service import Service
from dashboard.shelf import STAYS
from dashboard.state import State, to_link
from dashboard.widgets.places import Headline
from tests.dashboard.test_page import PAGE, title

HOSTED = Limits.from_environment({"CRUX_HOSTED": "1"})


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service of this test's own, which knows no result yet, its model loaded."""
    own = Service(None, Limits())
    own.model(STAYS)
    monkeypatch.setattr(shared, "_shared", [own])
    return own


@contextmanager
def held(shop: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Somebody else uses the model until the page has said so; what its headline was told."""
    begun, leave, told, real = threading.Event(), threading.Event(), list[int](), Headline.in_line

    def hold() -> None:
        with shop._shelf.line(STAYS).turn(Ticket("another visitor", 1.0)):
            begun.set()
            leave.wait(60)

    def in_line(line: Headline, standing: Standing) -> None:
        told.append(standing.ahead)
        real(line, standing)
        leave.set()

    monkeypatch.setattr(Headline, "in_line", in_line)
    other = threading.Thread(target=hold)
    other.start()
    begun.wait(10)
    try:
        yield told
    finally:
        leave.set()
        other.join(60)


def said(at: AppTest) -> str:
    """Everything of the page that could tell of a wait."""
    return " ".join(str(element.value) for element in [*at.subheader, *at.caption, *at.error])


@pytest.mark.parametrize("view", ["explore", "heads", "links", "layers"])
def test_the_line_is_told_and_goes_when_the_wait_is_over(
    shop: Service, view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in {"lang": "en", "passage": "coffee-en", "budget": "5"}.items():
        at.query_params[name] = value
    if view != "explore":
        at.run()
        shop._results = Results()
        at.switch_page(f"views/{view}.py")
    with held(shop, monkeypatch) as told:
        at.run()
    assert not at.exception
    assert told[-2:] == [1, 0]
    assert "Waiting" not in said(at)
    assert title(at)


def test_who_lost_the_connection_for_good_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that waited for them would keep its thread, and all of its session, for ever."""
    there, now = [False], [1000.0]
    server = SimpleNamespace(is_active_session=lambda _: there[0])
    monkeypatch.setattr(session, "Runtime", SimpleNamespace(exists=lambda: True, instance=lambda: server))
    monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=lambda: now[0]))
    here = session.visitor().here
    assert not here()
    now[0] += session.KEPT - 1
    assert not here()
    there[0] = True  # back in time: as if nothing had been
    assert here()
    there[0] = False
    now[0] += session.KEPT
    assert not here()
    now[0] += session.KEPT + 1
    with pytest.raises(StopException):
        here()
    kept = inspect.signature(MemorySessionStorage).parameters["ttl_seconds"].default
    assert kept == session.KEPT


def test_what_cannot_be_asked_is_said_at_once(shop: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The passage is beyond the window, which is found out without a turn: nobody waits to be refused."""
    at = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in to_link(State(text="I walked into the bakery. " * 200)).items():
        at.query_params[name] = value
    with held(shop, monkeypatch) as told:
        at.run()
    assert told == []
    assert len(at.error) == 1
    assert not at.subheader
    assert "Waiting" not in said(at)


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        (State(text="I walked. " * 300), ("3,000", "2,000")),
        (State(question="Why? " * 101), ("505", "500")),
        (State(instruction="x" * 501), ("501", "500")),
        (State(prefix="x" * 501), ("501", "500")),
        (State(answers=";".join(f"{n}=n{n}" for n in range(21))), ("21", "20")),
        (State(answers="a=" + "=".join(f"way {n}" for n in range(201)) + ";b"), ("202", "200")),
        (State(answers=f"a={'x' * 201};b"), ("201", "200")),
        (State(splits=tuple(range(1, 102))), ("101", "100")),
        (State(out=frozenset(range(2_001))), ("2,001", "2,000")),
        (State(swap="x" * 501, swap_to="y"), ("501", "500")),
    ],
)
def test_a_hosted_page_tells_number_and_limit_before_the_work(
    chosen: State, numbers: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a link asks for; nothing is loaded, and there is a way on."""
    hosted = Service(None, HOSTED)
    monkeypatch.setattr(shared, "_shared", [hosted])
    at = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in to_link(chosen).items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    told = at.error[0].value.replace("\\", "")  # as it reads: Markdown's own signs are escaped
    assert all(number in told for number in numbers), told
    assert hosted.loaded(STAYS) is None
    assert len(at.button) > 1  # beside that of the model


def test_what_is_typed_is_held_to_the_same_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_shared", [Service(None, replace(HOSTED, characters=400))])
    at = AppTest.from_file(str(PAGE), default_timeout=120).run()
    at.text_input(key="w_question").set_value("x" * 501).run()
    assert "501" in at.error[0].value
    next(b for b in at.button if b.label == "As it was at first").click().run()
    assert not at.error
    at.selectbox(key="w_passage").set_value("own").run()
    at.text_area(key="own_text").set_value("I went. " * 60)
    next(b for b in at.button if b.label == "Use this passage").click().run()
    assert "480" in at.error[0].value


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "..\\..\\boot.ini", "x" * 3000, "no ending"])
def test_a_file_of_any_name_is_read(name: str) -> None:
    at = AppTest.from_file(str(PAGE), default_timeout=120).run()
    at.selectbox(key="w_passage").set_value("own").run()
    at.file_uploader(key="own_file").upload(name, b"caf\xe9")
    next(b for b in at.button if b.label == "Use this passage").click().run()
    assert not at.exception
    assert "byte 4" in at.error[0].value
    assert "etc" not in at.error[0].value
    assert len(at.error[0].value) < 300
