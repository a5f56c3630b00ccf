"""The pages of a class through AppTest: a teacher and two pupils; what the browser keeps is given by hand."""

from __future__ import annotations

import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.classroom import rooms as module
from dashboard.classroom.rooms import Rooms, rooms
from tests.dashboard.test_page import PAGE, query


@pytest.fixture(autouse=True)
def own_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_shared", Rooms())
    return


def opened(view: str, **query: str) -> AppTest:
    at = AppTest.from_file(str(PAGE), default_timeout=300)
    at.query_params["lang"] = query.get("lang", "en")
    at.run()
    at.switch_page(f"views/{view}.py")
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def token(at: AppTest, name: str) -> str:
    found: str = at.session_state["class_tokens"][name]
    return found


def pupil(code: str, kept: str = "", lang: str = "en") -> AppTest:
    """Who opens the link; `kept` is what the browser has kept of an earlier visit."""
    at = opened("join", room=code, lang=lang)
    at.session_state[f"keeper_{code}"] = {"kept": kept}
    at.run()
    assert not at.exception
    return at


def press(at: AppTest, *words: int) -> AppTest:
    sent = {"revision": 1, "order": list(words), "removed": sorted(words)}
    at.session_state["class_chips_1"] = {"selection": sent}
    return at.run()


def said(at: AppTest) -> str:
    every: list[Any] = [*at.markdown, *at.caption, *at.subheader, *at.info, *at.error, *at.success]
    return "\n".join(one.value.replace("\\", "") for one in every)


def test_a_lesson() -> None:
    teacher = opened("class_", lang="en")
    teacher.button(key="class_open").click().run()
    lead = rooms().lead(token(teacher, "lead"))
    assert lead is not None
    code = lead.code
    assert token(teacher, "lead") not in str(query(teacher))
    anna, ben = pupil(code), pupil(code, lang="zh")
    assert query(anna) == {"lang": "en", "room": code}
    assert token(anna, code) != token(ben, code)
    press(anna, 20, 3)
    assert "Your guess" in said(anna)
    anna.button(key="class_send").click().run()
    assert "Sent" in said(anna)
    again = pupil(code, kept=token(anna, code))
    assert again.session_state["class_tokens"][code] == token(anna, code)
    assert rooms().seat(code, token(anna, code)).sent == (20, 3)  # type: ignore[union-attr]
    until = time.monotonic() + 300
    while not rooms().lead(token(teacher, "lead")).measured:  # type: ignore[union-attr]
        assert time.monotonic() < until
        time.sleep(0.2)
    assert not ben.get("vega_lite_chart")
    teacher.run()
    assert [one.value for one in teacher.metric] == ["2", "1", "0"]
    teacher.button(key="class_reveal").click().run()
    teacher.run()
    assert "of 1 pressed each word" in said(teacher)
    anna.run()
    found = rooms().lead(token(teacher, "lead")).found  # type: ignore[union-attr]
    assert found is not None
    assert f"your average precision is **{found.precision_of((20, 3)):.2f}**" in said(anna)
    teacher.button(key="class_close").click().run()
    anna.run()
    assert "This class is over" in said(anna)


def test_a_code_that_is_none() -> None:
    assert "is no code of a class" in said(opened("join", room="<b>1"))
    assert "There is no class with the code BBBBBB" in said(pupil("BBBBBB"))
