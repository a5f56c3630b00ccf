"""Smallest set, Order & words, Pairs; guessing first and the ten strongest on Explore."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.state import State, from_link, to_link
from probes import load_model, preset, run
from probes.numbers import percent
from probes.ranks import average_precision
from probes.running.headline import headline
from tests.dashboard.test_inside_pages import opened, short
from tests.dashboard.test_page import query, state, title
from tests.dashboard.test_study_page import measured

__all__ = ["short"]
EN = preset("coffee-en").question()


def pressed(at: AppTest, key: str) -> AppTest:
    return at.button(key=key).click().run()


def said(at: AppTest) -> list[str]:
    return [one.value.replace("\\", "") for one in [*at.markdown, *at.caption]]


# ---- smallest set


def test_words_are_struck_step_by_step_and_put_back() -> None:
    at = measured(opened("smallest", lang="en"))
    assert not at.exception
    assert not at.error
    record = run("minimal", load_model("builtin"), EN)
    assert title(at) == headline(record.data, "en")
    steps = record.data["steps"]
    assert len(steps) > 4
    assert any(text.startswith(f"Step 0 of {len(steps) - 1}: 61 of 61 left") for text in said(at))
    at = pressed(at, "strike_on")
    told = next(text for text in said(at) if text.startswith("Step 1 "))
    share = next(a["probability"] for a in steps[1]["answers"] if a["answer"] == "1")
    assert f"{len(steps[1]['kept'])} of 61" in told
    assert percent(share).replace(">", "") in told
    at = pressed(at, "strike_end")
    assert any(f"Step {len(steps) - 1} of" in text for text in said(at))
    assert at.button(key="strike_on").disabled
    at = pressed(at, "strike_back")
    at = pressed(at, "strike_start")
    assert at.button(key="strike_back").disabled
    assert at.table[0].value.shape[0] == len(record.rows)


def test_the_lead_that_is_asked_for_is_in_the_link_and_may_be_too_much() -> None:
    at = opened("smallest", lang="en")
    at.text_input(key="w_minimal_lead").set_value("50").run()
    assert not at.exception
    assert "50.00 are asked for" in at.error[0].value.replace("\\", "")
    assert query(at)["chosen"] == "minimal.lead=50"
    again, bad = from_link(query(at), State())
    assert not bad
    assert again.chosen == (("minimal.lead", "50"),) == state(at).chosen
    at.text_input(key="w_minimal_lead").set_value("").run()
    assert "chosen" not in query(at)


def test_what_is_chosen_on_one_page_troubles_no_other() -> None:
    at = opened("study", lang="en", chosen="minimal.lead=50&order.moved=word&nonsense.x=1")
    assert not at.error
    assert not at.exception
    assert state(at).told == ()


# ---- order & words


@pytest.mark.parametrize("tab", ["", "definition", "counterfactual", "frequency", "questions"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_tab_tells_its_study(tab: str, lang: str) -> None:
    at = measured(opened("order", lang=lang, passage=f"coffee-{lang}", **({"tab": tab} if tab else {})))
    assert not at.exception
    assert not at.error
    record = run(tab or "order", load_model("builtin"), preset(f"coffee-{lang}").question())
    assert title(at) == headline(record.data, lang)
    assert len(at.get("vega_lite_chart")) == 1
    assert at.table


def test_cards_are_shuffled_reversed_and_moved() -> None:
    at = measured(opened("order", lang="en"))
    at = pressed(at, "cards_reverse")
    assert state(at).chosen == (("order.order", "4,3,2,1"),)
    assert any(text.startswith("In the order 4 3 2 1 the model says “once”") for text in said(at))
    at = pressed(at, "cards_shuffle")
    at = pressed(at, "cards_back")
    assert state(at).chosen == ()
    at.session_state["cards"] = {"moved": {"revision": "", "order": [1, 0, 2, 3]}}
    at.run()
    assert state(at).chosen == (("order.order", "2,1,3,4"),)


@pytest.mark.parametrize(
    "sent", [[1, 0], [0, 0, 1, 2], ["a"] * 4, "0123", None, [True, False, 2, 3], [9, 8, 7, 6]]
)
def test_what_a_client_makes_up_moves_no_card(sent: object) -> None:
    at = opened("order", lang="en")
    at.session_state["cards"] = {"moved": {"revision": "", "order": sent}}
    at.run()
    assert not at.exception
    assert state(at).chosen == ()


def test_words_of_ones_own_are_asked_about() -> None:
    at = opened("order", lang="en", tab="counterfactual")
    at.text_input(key="w_counterfactual_change").set_value("walked").run()
    at.text_input(key="w_counterfactual_to").set_value("ran; <b>jumped</b>").run()
    assert not at.exception
    cells = at.table[0].value.to_string()
    assert "ran" in cells
    assert "<b>" not in cells.replace("\\<", ""), "what is written is never markup"
    at.text_input(key="w_counterfactual_change").set_value("elephant").run()
    assert "elephant" in at.error[0].value


# ---- pairs


def test_pairs_have_arcs_four_runs_a_map_and_a_table() -> None:
    at = measured(opened("pairs", lang="zh", passage="bookshop-zh", chosen="pairs.budget=300"))
    assert not at.exception
    assert not at.error
    question = preset("bookshop-zh").question()
    record = run("pairs", load_model("builtin"), question, {"budget": 300})
    assert title(at) == headline(record.data, "zh")
    acting = [row for row in record.rows if row["kind"] != "apart"]
    assert len(at.selectbox(key="w_pair").options) == len(acting)
    four = at.table[0].value
    assert four.shape[0] == 4
    at.selectbox(key="w_pair").select_index(len(acting) - 1).run()
    assert not at.exception


# ---- explore: guess first


def test_a_guess_is_told_how_good_it_was() -> None:
    at = opened("explore", lang="en")
    at.toggle(key="w_predict").set_value(True).run()
    assert "What does this answer hang on?" in title(at)
    assert not at.get("vega_lite_chart"), "no number is shown before the guess"
    words = EN.passage.words
    walked = next(word.index for word in words if word.text == "walked")
    revision = at.session_state["visit"].guess_revision
    for sent in ([walked], [walked, 3]):
        at.session_state["guess"] = {"selection": {"revision": revision, "removed": sent}}
        at.run()
    at = pressed(at, "reveal")
    assert not at.exception
    rows = run("words", load_model("builtin"), EN).rows
    changing = {row["index"] for row in rows if row["no_change"] is False}
    precision = average_precision([walked, 3], changing)
    told = next(text for text in said(at) if "average precision" in text)
    assert f"1 of the {len(changing)} words" in told
    assert f"**{precision:.2f}**" in told
    assert any(text.startswith("Missed: ") for text in said(at))
    assert any(text.startswith("Pressed, and hardly moving it: ") for text in said(at))
    at = pressed(at, "guess_again")
    assert "What does this answer hang on?" in title(at)


def test_average_precision_by_hand() -> None:
    assert average_precision([4, 7, 9], {4, 9}) == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert average_precision([1, 2], {4}) == 0
    assert average_precision([4], {4, 5}) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="nothing"):
        average_precision([1], set())


# ---- explore: the ten strongest


def test_the_ten_strongest_are_shown_where_they_stand() -> None:
    at = opened("explore", lang="en", find="10")
    assert not at.exception
    assert state(at).find == 10
    assert to_link(state(at))["find"] == "10"
    record = run("words", load_model("builtin"), EN, {"find": 10})
    assert title(at) == headline(record.data, "en")
    at = pressed(at, "find_all")
    assert state(at).find == 0
