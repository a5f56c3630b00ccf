"""The page through AppTest: what is chosen, shown, and written into the link; tests/browser has the rest."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.state import State, to_link
from probes import load_model, run
from probes.asking.question import preset
from probes.models.source import BUILTIN
from probes.running.headline import headline

PAGE = Path(__file__).resolve().parents[2] / "dashboard" / "page.py"


def opened(**query: str) -> AppTest:
    at = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


def state(at: AppTest) -> State:
    found: State = at.session_state["visit"].state
    return found


def title(at: AppTest) -> str:
    """The headline, what makes it plain taken off."""
    said = re.sub(r":color\[(\\?.)\]", r"\1", at.subheader[0].value)
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", said)


def press(at: AppTest, *numbers: int) -> AppTest:
    """As the chips post it: all that are out."""
    revision = at.session_state["visit"].revision
    at.session_state["passage"] = {"selection": {"revision": revision, "removed": list(numbers)}}
    at.run()
    assert not at.exception
    return at


def query(at: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()}


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    """The records that the page must show, made without the page."""
    model, question = load_model("builtin"), preset("coffee-en").question()
    walked = next(w for w in question.passage.words if w.text == "walked")
    at = f"{walked.start}-{walked.end}"
    return {
        "words": run("words", model, question).data,
        "ask": run("ask", model, question, {"at": at, "control": 0}).data,
        "walked": walked.index,
    }


def test_it_opens_on_the_coffee_shop_with_the_records_headline(recorded: dict[str, Any]) -> None:
    at = opened()
    assert title(at) == headline(recorded["words"], "en")
    assert query(at) == {"lang": "en", "passage": "coffee-en", "v": "1"}
    assert len(at.get("vega_lite_chart")) == 2


def test_a_press_moves_the_answer_and_is_in_the_link(recorded: dict[str, Any]) -> None:
    at = press(opened(), recorded["walked"])
    assert title(at) == headline(recorded["ask"], "en")
    assert query(at)["out"] == str(recorded["walked"])
    assert "walked" in at.caption[0].value or any("walked" in c.value for c in at.caption)


def test_undo_redo_and_put_back(recorded: dict[str, Any]) -> None:
    at = opened()
    assert at.button(key="undo").disabled
    first = title(at)
    press(at, recorded["walked"])
    press(at, recorded["walked"], 0)
    at.button(key="undo").click().run()
    assert state(at).out == {recorded["walked"]}
    at.button(key="undo").click().run()
    assert (state(at).out, title(at)) == (frozenset(), first)
    at.button(key="redo").click().run()
    at.button(key="redo").click().run()
    assert state(at).out == {0, recorded["walked"]}
    assert at.button(key="redo").disabled
    at.button(key="put_back").click().run()
    assert state(at).out == frozenset()
    at.button(key="undo").click().run()
    assert state(at).out == {0, recorded["walked"]}


def test_a_press_from_before_an_undo_is_not_taken(recorded: dict[str, Any]) -> None:
    at = press(opened(), 0)
    stale = at.session_state["visit"].revision
    at.button(key="undo").click().run()
    at.session_state["passage"] = {"selection": {"revision": stale, "removed": [0, 1]}}
    at.run()
    assert state(at).out == frozenset()


def test_the_noise_words_go_and_the_answer_stays(recorded: dict[str, Any]) -> None:
    at = opened()
    at.button(key="noise").click().run()
    question = preset("coffee-en").question()
    words = question.passage.words
    assert state(at).out == {w.index for w in words if question.role_of(w.span) == "noise"}
    assert "more it says “once”" in title(at)


def test_a_link_restores_all() -> None:
    wanted = State(
        lang="zh", preset="coffee-zh", mode="hide", unit="sentence", target="3", groups=True,
        out=frozenset({0, 2}), pin=frozenset({1}), question="我去咖啡店几次？", prefix="我去了",
    )  # fmt: skip
    at = opened(**to_link(wanted))
    assert state(at) == wanted
    assert query(at) == to_link(wanted)
    assert at.text_input(key="w_question").value == "我去咖啡店几次？"
    assert at.selectbox(key="w_unit").value == "sentence"
    assert at.selectbox(key="w_target").value == "3"


@pytest.mark.parametrize(
    "text", ["0=never;\n1=once\n2=twice", "0=never\n1=once\n2=twice", "0=never;1=once;2=twice"]
)
def test_the_answers_box_takes_one_answer_a_line(text: str) -> None:
    at = opened(lang="en", passage="coffee-en")
    at.text_area[0].set_value(text)
    next(button for button in at.button if button.label == "Ask like this").click().run()
    assert not at.error
    assert state(at).answers == "0=never;1=once;2=twice"


def test_a_bad_link_falls_back_with_a_note() -> None:
    at = opened(lang="en", mode="shred", passage="no-such", out="5", unit="word")
    assert [w.value for w in at.warning if "shred" in w.value]
    assert [w.value for w in at.warning if "no" in w.value and "such" in w.value]
    assert state(at).mode == "delete"
    assert state(at).out == {5}


def test_numbers_beyond_the_passage_are_dropped_from_a_link() -> None:
    at = opened(out="3.4000", pin="4000")
    assert (state(at).out, state(at).pin) == ({3}, frozenset())


def test_the_language_switch_keeps_the_rest() -> None:
    at = press(opened(), 3)
    at.segmented_control(key="w_lang").set_value("zh").run()
    assert not at.exception
    assert state(at) == State(lang="zh", out=frozenset({3}))
    assert "模型回答" in title(at)
    at.segmented_control(key="w_lang").set_value("en").run()
    assert title(at).startswith("The model says")


def test_another_passage_mode_and_unit() -> None:
    at = press(opened(), 3)
    at.segmented_control(key="w_mode").set_value("hide").run()
    assert (state(at).out, state(at).mode) == ({3}, "hide")
    assert "hidden" in title(at)
    at.selectbox(key="w_unit").set_value("token").run()
    assert state(at).out == frozenset()
    assert "tokens hardly change" in title(at)
    at.selectbox(key="w_passage").set_value("crux-zh").run()
    assert not at.exception
    assert (state(at).preset, state(at).unit) == ("crux-zh", "token")


def test_the_question_can_be_changed_in_place() -> None:
    at = opened()
    at.text_input(key="w_question").set_value("How many times did I go to the bakery?").run()
    assert state(at).question == "How many times did I go to the bakery?"
    assert query(at)["q"].endswith("bakery?")
    at.text_input(key="w_question").set_value("   ").run()
    assert state(at).question is None


def test_a_passage_of_ones_own_is_kept_beside_the_presets() -> None:
    text, asked = (
        "I walked into the bakery. Anna stayed at home.",
        "How many times did Anna go to the bakery?",
    )
    at = opened(lang="en", passage="coffee-en")
    at.selectbox(key="w_passage").set_value("own").run()
    at.text_area(key="own_text").set_value(text)
    at.text_input(key="own_question").set_value(asked)
    at.button[[b.label for b in at.button].index("Use this passage")].click().run()
    assert "was trained to count my own visits" not in "".join(w.value for w in at.warning)
    at.selectbox(key="w_passage").set_value("coffee-en").run()
    assert "text" not in query(at)
    assert "edit_own" not in [button.key for button in at.button]
    at.selectbox(key="w_passage").set_value("own").run()
    assert at.text_input(key="w_question").value == asked
    assert not [area for area in at.text_area if area.key == "own_text"]
    at.button(key="edit_own").click().run()
    assert at.text_area(key="own_text").value == text
    assert at.text_input(key="own_question").value == asked
    longer = text + " Then Anna went to the bakery twice, and Anna went again."
    at.text_area(key="own_text").set_value(longer)
    at.button[[b.label for b in at.button].index("Use this passage")].click().run()
    assert at.text_input(key="w_question").value == asked
    assert "was trained to count my own visits" in "".join(w.value for w in at.warning)
    assert not at.exception


def test_what_the_model_does_not_take_is_not_offered_and_a_link_that_asks_for_it_is_told() -> None:
    at = opened(lang="en", passage="coffee-en", prefix="I was there")
    assert "is not sent" in "".join(w.value for w in at.warning)
    fields = {field.label: field for field in at.text_input}
    assert fields["Instruction"].disabled
    assert fields["The answer begins with"].disabled
    at = opened(lang="en", passage="coffee-en", prefix="I was there", template="plain")
    assert "is not sent" not in "".join(w.value for w in at.warning)
    fields = {field.label: field for field in at.text_input}
    assert fields["The answer begins with"].value == "I was there"


def test_a_passage_of_ones_own() -> None:
    at = opened()
    at.selectbox(key="w_passage").set_value("own").run()
    at.text_area(key="own_text").set_value("I walked into the bakery. Then I went to the bakery again.")
    at.text_input(key="own_question").set_value("How many times did I go to the bakery?")
    at.button[[b.label for b in at.button].index("Use this passage")].click().run()
    assert not at.exception
    assert state(at).text.startswith("I walked")
    assert "text" in query(at)
    assert "passage" not in query(at)
    restored = opened(**query(at))
    assert state(restored) == state(at)
    assert title(restored) == title(at)


@pytest.mark.parametrize("text", ["", "   \n ", "\u3000"])
def test_an_empty_passage_is_refused_in_words(text: str) -> None:
    at = opened()
    at.selectbox(key="w_passage").set_value("own").run()
    at.text_area(key="own_text").set_value(text)
    at.button[[b.label for b in at.button].index("Use this passage")].click().run()
    assert not at.exception
    assert [e.value for e in at.error] == ["The passage has no text."]
    assert state(at).text == ""


def test_a_file_that_is_no_text_is_refused_with_the_place() -> None:
    at = opened()
    at.selectbox(key="w_passage").set_value("own").run()
    at.file_uploader(key="own_file").upload("passage.txt", b"caf\xe9")
    at.button[[b.label for b in at.button].index("Use this passage")].click().run()
    assert "byte 4" in at.error[0].value


def test_a_file_is_read_as_utf8() -> None:
    at = opened()
    at.selectbox(key="w_passage").set_value("own").run()
    at.file_uploader(key="own_file").upload("passage.md", "\ufeff我走进咖啡店。".encode())
    at.button[[b.label for b in at.button].index("Use this passage")].click().run()
    assert not at.exception
    assert state(at).text == "我走进咖啡店。"


@pytest.mark.parametrize("text", ["?!… —", "</script><b>x</b>", "👩‍👩‍👧", "שלום עולם", "word " * 2000])
def test_odd_passages_are_answered_or_refused_in_words(text: str) -> None:
    at = opened(**to_link(State(text=text)))
    assert not at.exception
    assert state(at).text == text
    assert at.error or at.subheader


def test_too_long_for_the_window_says_both_numbers_and_what_to_do() -> None:
    at = opened(**to_link(State(text="I walked into the bakery. " * 200)))
    window = json.loads((BUILTIN / "config.json").read_text(encoding="utf-8"))["max_position_embeddings"]
    assert str(window) in at.error[0].value
    next(b for b in at.button if b.label == "Change the passage").click().run()
    assert at.text_area(key="own_text").value.startswith("I walked")


@pytest.mark.parametrize("spec", ["/no/such/folder", "not a model!", "..", "x" * 300])
def test_a_model_that_is_none_is_refused_with_a_way_back(spec: str) -> None:
    at = opened(model=spec)
    assert at.error
    back = [b for b in at.button if b.label == "Back to the built-in model"]
    back[0].click().run()
    assert state(at).model == "builtin"
    assert not at.error


def test_a_link_alone_downloads_nothing() -> None:
    at = opened(model="somebody/some-model")
    assert not at.exception
    assert [b.label for b in at.button if b.label == "Download and load it"]


def test_words_are_joined_and_split_by_hand() -> None:
    at = opened()
    at.toggle(key="w_cutting").set_value(True).run()
    words = preset("coffee-en").passage.words
    shop = next(w for w in words if w.text == "shop")
    revision = at.session_state["visit"].revision
    at.session_state["cutting"] = {
        "selection": {"revision": revision, "removed": [shop.index - 1, shop.index]}
    }
    at.run()
    at.button(key="join").click().run()
    assert not at.exception
    assert state(at).joins == ((shop.start - 7, shop.end),)
    at.button(key="cutting_done").click().run()
    assert query(at)["joins"] == f"{shop.start - 7}-{shop.end}"
    assert "60 words" in title(at)


def test_another_cut_is_offered_where_the_dictionary_is_unsure() -> None:
    at = opened(lang="zh")
    at.selectbox(key="w_passage").set_value("own").run()
    at.text_area(key="own_text").set_value("小明天去咖啡店。我走进咖啡店。")
    at.text_input(key="own_question").set_value("我去了几次咖啡店？")
    at.button[[b.label for b in at.button].index("用这段短文")].click().run()
    at.toggle(key="w_cutting").set_value(True).run()
    offered = next(button for button in at.button if str(button.key).startswith("unsure_"))
    assert offered.label == "小 · 明天 → 小明 · 天"
    offered.click().run()
    assert not at.exception
    assert state(at).joins == ((0, 2), (2, 3))


def test_the_answers_can_be_pinned() -> None:
    at = press(opened(), 3)
    at.button(key="pin").click().run()
    press(at, 5)
    assert (state(at).pin, query(at)["pin"]) == ({3}, "3")
    at.button(key="pin").click().run()
    assert state(at).pin is None


def test_models_tells_what_is_loaded() -> None:
    at = opened()
    at.switch_page("views/models.py").run()
    assert not at.exception
    assert "Built-in model is loaded: self-check passed" in title(at)
    assert len(at.table) == 1
    assert "| held-out arrival verbs | ≥ 85 |" in at.expander[-1].markdown[0].value
    at.segmented_control(key="w_lang").set_value("zh").run()
    assert not at.exception
    assert "自检通过" in title(at)
    assert "| 没见过的到达动词 | ≥ 85 |" in at.expander[-1].markdown[0].value
