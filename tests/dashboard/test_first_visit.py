"""Who comes for the first time: what Crux is, the tour, percentages before nats."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from dashboard.state import State, from_link, to_link
from dashboard.widgets.tour import STOPS
from tests.dashboard.test_hang_pages import pressed, said
from tests.dashboard.test_page import PAGE, query, state

WHAT = "What does a language model's answer hang on?"


def first(**link: str) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in link.items():
        at.query_params[name] = value
    return at.run()


def test_the_first_page_says_what_crux_is_until_it_is_put_away() -> None:
    at = first(lang="en")
    assert any(WHAT in text for text in said(at))
    at = pressed(at, "tour_away")
    assert not any(WHAT in text for text in said(at))
    assert not at.exception
    assert any("语言模型的回答取决于什么" in text for text in said(first(lang="zh")))


def test_the_tour_goes_through_its_pages_and_ends() -> None:
    at = pressed(first(lang="en"), "tour_begin")
    seen = []
    for number in range(len(STOPS)):
        told = [text for text in said(at) if text.startswith(f"**{number + 1} of {len(STOPS)}.**")]
        assert len(told) == 1, number
        assert not at.exception
        seen.append(told[0])
        if number + 1 < len(STOPS):
            at = pressed(at, "tour_next")
    assert len(set(seen)) == len(STOPS)
    at = pressed(pressed(at, "tour_back"), "tour_next")
    at = pressed(at, "tour_end")
    assert not any(" of 7.**" in text for text in said(at))
    assert not any(WHAT in text for text in said(at))
    assert "tour" not in "".join(query(at))


def test_effects_are_in_percentage_points_until_nats_are_chosen() -> None:
    at = first(lang="en")
    assert state(at).measure == "points"
    assert "in" not in query(at)
    at = at.segmented_control(key="w_measure").set_value("nats").run()
    assert not at.exception
    assert state(at).measure == "nats"
    assert query(at)["in"] == "nats"


def test_the_unit_of_effects_is_in_the_link() -> None:
    link = to_link(State(measure="nats"))
    assert from_link(link, State())[0].measure == "nats"
    assert from_link({"in": "litres"}, State()) == (State(), [("in", "litres")])
