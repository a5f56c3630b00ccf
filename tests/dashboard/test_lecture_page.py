"""The page Lecture, scene by scene, and records opened from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.state import SCENES, State, from_link
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
