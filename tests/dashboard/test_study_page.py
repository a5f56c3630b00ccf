"""The page of any study: options as they are declared, the record's sentence, picture and table, links."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.state import State, from_link, to_link
from probes import load_model, run
from probes.asking.question import preset
from probes.running.headline import headline
from probes.studies import STUDIES
from tests.dashboard.test_inside_pages import PAGE, opened, short
from tests.dashboard.test_page import query, state, title

__all__ = ["short"]


def measured(at: AppTest) -> AppTest:
    """With what the page offers done."""
    offers = [button for button in at.button if button.key and button.key.endswith("_measure")]
    return offers[0].click().run() if offers else at


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_is_drawn_from_what_it_declares(study: str) -> None:
    options = {"links": "budget=5", "pairs": "budget=120", "heads": "control=0&cumulative=0"}.get(study, "")
    at = measured(opened("study", lang="en", study=study, **({"options": options} if options else {})))
    assert not at.exception
    assert not at.error
    budget = {"links": 5, "pairs": 120}.get(study)
    settings = STUDIES[study].settings({"budget": budget} if budget else {})
    if study == "heads":
        settings |= {"control": 0, "cumulative": False}
    record = run(study, load_model("builtin"), preset("coffee-en").question(), settings)
    assert title(at) == headline(record.data, "en")
    assert len(at.get("vega_lite_chart")) == 1
    rows = STUDIES[study].tabled(record.data, "en").rows
    assert len(at.table[0].value) == min(20, len(rows)) if rows else not at.table
    names = {f"w_{study}_{option.name}" for option in STUDIES[study].options}
    assert names <= {w.key for kind in ("selectbox", "toggle", "text_input") for w in at.get(kind)}


def test_what_is_chosen_is_run_and_stands_in_the_link() -> None:
    at = opened("study", lang="zh", passage="coffee-zh")
    at.selectbox(key="w_words_unit").set_value("sentence").run()
    at.text_input(key="w_words_control").set_value("3").run()
    assert state(at).told == (("control", "3"), ("unit", "sentence"))
    assert query(at)["options"] == "control=3&unit=sentence"
    measured(at)
    question = preset("coffee-zh").question()
    record = run("words", load_model("builtin"), question, {"unit": "sentence", "control": 3})
    assert title(at) == headline(record.data, "zh")
    again = opened("study", **query(at))
    assert state(again).told == state(at).told
    at.selectbox(key="w_study").set_value("lens").run()
    assert state(at).told == ()
    assert "options" not in query(at)


def test_a_value_that_is_none_is_refused_in_words() -> None:
    at = opened("study", lang="en")
    at.text_input(key="w_words_control").set_value("many").run()
    assert not at.exception
    assert "control" in at.error[0].value
    at.text_input(key="w_words_control").set_value("").run()
    assert not at.error


@pytest.mark.parametrize(
    "link", [{"study": "dreams"}, {"options": "a=1&a=2"}, {"options": "x" * 3000}, {"options": "&" * 100}]
)
def test_a_link_that_names_no_study_or_option_is_noted(link: dict[str, str]) -> None:
    made, bad = from_link(link, State())
    assert [name for name, _ in bad] == list(link)
    assert (made.study, made.told) == ("words", ())


def test_an_option_that_there_is_not_is_refused_with_those_there_are() -> None:
    made, bad = from_link({"options": "colour=red"}, State())
    assert not bad
    assert to_link(made)["options"] == "colour=red"
    at = AppTest.from_file(str(PAGE), default_timeout=120)
    at.query_params["options"] = "colour=red"
    at.run()
    at.switch_page("views/study.py").run()
    assert not at.exception
    assert "colour" in at.error[0].value
