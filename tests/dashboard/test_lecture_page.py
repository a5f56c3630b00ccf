"""The page Lecture, scene by scene, and records opened from a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import session
from dashboard.state import SCENES, State, from_link, to_link
from dashboard.widgets import lecture_guess
from dashboard.widgets.record_table import ROWS
from probes import load_model, preset, run
from probes.locale import LANGUAGES, say
from probes.report import NAMED_FILE
from probes.running.claims import CLAIMS
from probes.running.headline import headline
from probes.running.lecture import lecture
from tests.dashboard.test_inside_pages import PAGE, opened, short
from tests.dashboard.test_page import query, title

__all__ = ["short"]


def predicted(at: AppTest, scene: str, outcome: str) -> AppTest:
    return at.button_group(key=f"lecture_predict_{scene}").set_value(outcome).run()


def test_the_scenes_are_the_lectures_claims() -> None:
    assert sorted(SCENES[:-1]) == sorted(claim.id for claim in CLAIMS)
    assert SCENES[-1] == "end"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_scene_is_predicted_first_and_then_measured(lang: str) -> None:
    at = opened("lecture", lang=lang, passage=f"coffee-{lang}", scene="L1")
    assert not at.exception
    assert say("lecture.L1_says", lang) in title(at).replace("\\", "")
    assert not at.get("vega_lite_chart")
    assert any(preset(f"coffee-{lang}").text[:12] in one.value.replace("\\", "") for one in at.markdown)
    at = predicted(at, "L1", "holds")
    assert not at.exception
    assert not at.error
    row = lecture(load_model("builtin"), language=lang, claims="L1").data["rows"][0]
    told = [one.value.replace("\\", "") for one in [*at.markdown, *at.caption]]
    assert any(say(f"lecture.verdict_{row['verdict']}", lang) in one for one in told)
    assert len(at.get("vega_lite_chart")) == 1
    assert any(command in at.code[0].value for command in row["commands"])
    assert not at.get("button_group") or all(one.key != "lecture_predict_L1" for one in at.button_group)


def test_arrows_lead_from_scene_to_scene_and_the_link_says_where() -> None:
    at = opened("lecture", lang="en")
    assert at.button(key="lecture_back").disabled
    at = at.button(key="lecture_next").click().run()
    assert query(at)["scene"] == SCENES[1]
    again, bad = from_link(query(at), State())
    assert (again.scene, bad) == (SCENES[1], [])
    at = at.button(key="lecture_back").click().run()
    assert "scene" not in query(at)
    last = opened("lecture", lang="en", scene="end")
    assert last.button(key="lecture_next").disabled
    assert last.info
    _, bad = from_link({"scene": "L99"}, State())
    assert bad == [("scene", "L99")]


def test_the_score_counts_what_was_foreseen() -> None:
    at = predicted(opened("lecture", lang="en", scene="L1"), "L1", "holds")
    at = at.button(key="lecture_next").click().run()
    for _ in SCENES[SCENES.index("L2") : -1]:
        at = at.button(key="lecture_next").click().run()
    assert not at.exception
    assert any("1 of 1" in one.value for one in at.markdown)
    assert at.table[0].value.shape[0] == 1


# ---- predictions by words


def words_pressed(at: AppTest, scene: str, *texts: str) -> tuple[AppTest, tuple[int, ...]]:
    """As the chips post it."""
    words = preset("coffee-en").question().passage.words
    numbers = tuple(word.index for word in words if word.text in texts)
    sent = {"revision": lecture_guess._revision(words), "removed": list(numbers)}
    at.session_state[f"lecture_words_{scene}"] = {"selection": sent}
    at.run()
    at.session_state[f"lecture_words_{scene}"] = {"selection": sent}  # a browser sends it with each press
    return at, numbers


def told(at: AppTest) -> list[str]:
    return [re.sub(r":color\[\\?(.)\]|\\", r"\1", one.value) for one in [*at.markdown, *at.caption]]


def test_words_are_pressed_where_the_scene_is_about_words() -> None:
    at = opened("lecture", lang="en", scene="L4")
    assert at.button(key="lecture_reveal").disabled
    at, numbers = words_pressed(at, "L4", "walked", "latte")
    at = at.button(key="lecture_reveal").click().run()
    assert not at.exception
    assert not at.error
    rows = run("words", load_model("builtin"), preset("coffee-en").question(), {"target": "right"}).rows
    strongest = sorted(rows, key=lambda row: row["effect_log_prob"])[:2]
    hits = sum(row["index"] in numbers for row in strongest)
    assert any("2 words that do most here" in one and f"you pressed {hits}." in one for one in told(at))
    assert len(at.get("vega_lite_chart")) == 1
    at = at.button(key="lecture_next").click().run()
    for _ in SCENES[SCENES.index("L7") : -1]:
        at = at.button(key="lecture_next").click().run()
    good = strongest[0]["index"] in numbers
    assert any(f"foresaw {int(good)} of 1" in one for one in told(at))
    assert "walked" in str(at.table[0].value.iloc[0, 1])


def test_more_words_than_may_be_pressed_are_not_taken() -> None:
    at = opened("lecture", lang="en", scene="L4")
    at, numbers = words_pressed(at, "L4", "walked", "into", "the", "and")
    assert len(numbers) > lecture_guess.MOST
    assert at.button(key="lecture_reveal").disabled
    assert any("At most 5" in one for one in told(at))


@pytest.mark.parametrize(("texts", "right"), [(("busy", "Yesterday"), True), (("walked", "into"), False)])
def test_words_that_can_go_are_left_out_together(texts: tuple[str, ...], right: bool) -> None:
    at, numbers = words_pressed(opened("lecture", lang="en", scene="L7"), "L7", *texts)
    at = at.button(key="lecture_reveal").click().run()
    question = preset("coffee-en").question()
    at_ = ",".join("-".join(map(str, question.passage.words[n].span)) for n in numbers)
    record = run("ask", load_model("builtin"), question, {"at": at_, "target": "right", "control": 0})
    assert record.data["flips"] is not right
    begins = "Your words can go: " if right else "Your words cannot all go: "
    assert any(one == begins + headline(record.data, "en") for one in told(at))


# ---- one's own passage; another page's frame


def test_a_passage_of_ones_own_says_where_a_claim_makes_no_sense_on_it() -> None:
    link = to_link(State(lang="en", text="I walked into the bakery and bought a roll.", scene="L3"))
    at = predicted(opened("lecture", **link), "L3", "holds")
    assert not at.exception
    assert any("nobody has said which of its words" in one for one in told(at))
    for passage in ("coffee-en", "bakery-en"):
        chosen = predicted(opened("lecture", lang="en", passage=passage, scene="L3"), "L3", "holds")
        assert not any("nobody has said" in one for one in told(chosen))
    assert chosen.code[0].value.startswith("crux counterfactual --model builtin --preset bakery-en ")


def test_in_a_frame_a_scene_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "alone", lambda: True)
    at = opened("lecture", lang="en", scene="L1")
    assert not at.exception
    assert [one.key for one in at.button if one.key] == []
    assert not at.selectbox
    assert not at.text_input
    at = predicted(at, "L1", "holds")
    assert len(at.get("vega_lite_chart")) == 1
    assert not at.code
    link = at.get("link_button")[0].proto.url
    assert from_link(dict(parse_qsl(link.removeprefix("?"))), State())[0].scene == "L1"
    assert title(opened("lecture", lang="en", scene="end")).startswith("The lecture says")  # no score


def shown(path: Path | None, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    if path is None:
        monkeypatch.delenv(NAMED_FILE, raising=False)
    else:
        monkeypatch.setenv(NAMED_FILE, str(path))
    at = AppTest.from_file(str(PAGE), default_timeout=120)
    at.query_params["lang"] = "en"
    return at.run().switch_page("views/record.py").run()


def test_a_record_of_the_command_line_opens_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = run("words", load_model("builtin"), preset("coffee-en").question())
    path = tmp_path / "words.json"
    path.write_text(record.to_json(), encoding="utf-8")
    at = shown(path, monkeypatch)
    assert not at.exception
    assert not at.error
    assert at.subheader[0].value.replace("\\", "") == headline(record.data, "en")
    assert len(at.get("vega_lite_chart")) == 1
    assert at.table[0].value.shape[0] == ROWS


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"schema": 1, "study": "words", "rows": [{}]}', "<html>"])
def test_a_file_that_is_no_record_is_told_so(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text, encoding="utf-8")
    at = shown(path, monkeypatch)
    assert not at.exception
    assert at.error


def test_without_a_file_the_page_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    at: Any = shown(None, monkeypatch)
    assert "crux page record.json" in at.info[0].value.replace("\\", "")
