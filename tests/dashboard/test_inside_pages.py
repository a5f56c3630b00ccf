"""Heads, Links and Layers through AppTest: they show what the records say, and links hold what was chosen."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import runs
from dashboard import study_options as inside
from dashboard.looks import Look
from dashboard.service import Service
from dashboard.state import State, to_link
from dashboard.widgets.head_board import pressed_heads
from probes import load_model, run
from probes.asking.question import preset
from probes.locale import say
from probes.models.word_attention import telling_reader
from probes.record.results import ProbeResult
from probes.running import sets
from probes.running.headline import headline
from tests.dashboard.test_page import query, state, title

PAGE = Path(__file__).resolve().parents[2] / "dashboard" / "page.py"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a run is offered or begun hangs on how fast this machine was: here it is short."""
    monkeypatch.setattr(Service, "seconds", lambda *_: 1.0)


def opened(page: str, **link: str) -> AppTest:
    at = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in link.items():
        at.query_params[name] = value
    at.run()
    at.switch_page(f"views/{page}.py").run()
    assert not at.exception
    assert not at.error
    return at


def charts(at: AppTest) -> int:
    return len(at.get("vega_lite_chart"))


@pytest.fixture(scope="module")
def recorded() -> dict[str, ProbeResult]:
    """The records that the pages must show, made without the page."""
    model, question, chosen = load_model("builtin"), preset("coffee-en").question(), State()
    heads = run("heads", model, question, inside.heads(chosen))
    strongest = min(heads.rows, key=lambda row: row["effect_log_prob"])
    head = (strongest["layer"], strongest["head"])
    return {
        "heads": heads,
        "ask": run("ask", model, question, inside.ask(chosen, (head,))),
        "lens": run("lens", model, question, inside.lens(chosen)),
        "links": run("links", model, question, inside.links(State(), 30)),
    }


def strongest(recorded: dict[str, ProbeResult]) -> str:
    row = min(recorded["heads"].rows, key=lambda row: row["effect_log_prob"])
    return f"{row['layer']}.{row['head']}"


def test_heads_open_with_the_records_headline(recorded: dict[str, ProbeResult]) -> None:
    at = opened("heads")
    assert title(at) == headline(recorded["heads"].data, "en")
    assert charts(at) == 2
    assert any("Close-up" in tab.label for tab in at.tabs)


def test_a_head_is_taken_away_by_keyboard_and_put_back(recorded: dict[str, ProbeResult]) -> None:
    at, head = opened("heads"), strongest(recorded)
    before = title(at)
    at.multiselect(key="w_ablated").set_value([head]).run()
    assert not at.exception
    assert title(at) == headline(recorded["ask"].data, "en")
    assert (query(at)["heads"], query(at)["look"]) == (head, head)
    at.button(key="heads_back").click().run()
    assert (title(at), state(at).ablated) == (before, ())
    assert "heads" not in query(at)


def test_presses_on_the_map_are_taken_whatever_a_client_posts() -> None:
    points: list[Any] = [
        {"layer": 3, "head": 1},
        {"layer": 99, "head": 0},
        {"layer": "x"},
        5,
        {},
        {"layer": [], "head": {}},
    ]
    assert pressed_heads({"selection": {"heads": points}}, {(3, 1)}) == ((3, 1),)
    assert pressed_heads({"selection": {"heads": "x"}}, {(3, 1)}) == ()
    assert pressed_heads({"selection": "x"}, {(3, 1)}) == ()


def test_a_link_restores_the_heads_page() -> None:
    wanted = State(
        ablated=((0, 2), (3, 1)), how="mean", place="answer", look=(3, 1), reader=4, view="model",
        level="token", first="share", shown=(3,),
    )  # fmt: skip
    at = opened("heads", **to_link(wanted))
    assert state(at) == wanted
    assert at.multiselect(key="w_ablated").value == ["0.2", "3.1"]
    assert at.selectbox(key="w_look").value == "3.1"
    assert at.selectbox(key="w_reader").value == 4


def test_a_head_is_first_read_from_where_its_reading_tells_most_until_a_place_is_chosen() -> None:
    at = opened("heads", lang="en", passage="coffee-en", look="3.1")
    found = Look.at(load_model("builtin"), preset("coffee-en").question()).reading.weights[3]
    assert found is not None
    reader = telling_reader(found[1])
    assert (at.selectbox(key="w_reader").value, state(at).reader) == (reader, None)
    assert "reader" not in query(at)
    told = [caption.value for caption in at.caption if caption.value.startswith("First shown")]
    assert bool(told) == (reader >= 0)
    at.selectbox(key="w_reader").set_value(-1).run()
    assert (state(at).reader, query(at)["reader"]) == (-1, "answer")


def test_heads_that_the_model_lacks_are_left_out_with_a_note() -> None:
    geometry = load_model("builtin").inside.geometry()
    at = opened("heads", heads="3.1,77.0", look="5.99", layers="2.70", reader="900", window="3-80")
    assert state(at).ablated == ((3, 1),)
    assert (state(at).look, state(at).shown, state(at).reader, state(at).window) == (None, (2,), None, None)
    assert any(f"{sum(geometry['heads'])} heads" in warning.value for warning in at.warning)


def test_links_show_the_records_headline_and_all_can_be_asked_for(recorded: dict[str, ProbeResult]) -> None:
    at = opened("links", budget="30", lang="en", passage="coffee-en")
    assert title(at) == headline(recorded["links"].data, "en")
    assert charts(at) == 1
    words = len(preset("coffee-en").passage.words)
    assert at.button(key="more").label.endswith(f"{words * (words - 1) // 2} pairs")
    at.slider(key="w_window").set_value((1, 3)).run()
    assert not at.exception
    assert query(at)["window"] == "1-3"


def test_layers_show_lens_parts_and_patching(recorded: dict[str, ProbeResult]) -> None:
    at = opened("layers")
    assert title(at) == headline(recorded["lens"].data, "en")
    assert charts(at) == 2
    at = opened("layers", tab="patch")
    at.segmented_control(key="w_site").set_value("mlp").run()
    assert query(at)["site"] == "mlp"


@pytest.mark.parametrize(
    ("change", "to"), [("no such words", "x"), ("walked into", "went for a very long walk into")]
)
def test_a_swap_that_cannot_be_is_refused_in_words(change: str, to: str) -> None:
    at = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in to_link(State(swap=change, swap_to=to, tab="patch")).items():
        at.query_params[name] = value
    at.run()
    at.switch_page("views/layers.py").run()
    assert not at.exception
    assert len(at.error) == 1


def test_the_open_tab_is_in_the_link_and_another_pages_opens_the_first() -> None:
    at = opened("heads", tab="agree")
    assert (query(at)["tab"], at.session_state["heads_tabs"]) == ("agree", "Does attention find the words?")
    at.switch_page("views/layers.py").run()
    assert at.session_state["layers_tabs"] == at.tabs[0].label
    assert not at.exception
    wrong = opened("layers", tab="<b>")
    assert wrong.session_state["layers_tabs"] == wrong.tabs[0].label
    assert "tab" not in query(wrong)


def test_chinese_pages_are_chinese() -> None:
    for view in ("heads", "layers"):
        at = opened(view, lang="zh", passage="coffee-zh")
        assert title(at).startswith("模型回答")


def many_passages(at: AppTest) -> list[Any]:
    """The pictures of a set of passages."""
    titles = [say(f"charts.over_{measure}", "en") for measure in ("effect_log_prob", "recovered")]
    drawn = [str(json.loads(chart.proto.spec)) for chart in at.get("vega_lite_chart")]
    return [spec for spec in drawn if any(title in spec for title in titles)]


@pytest.mark.parametrize(
    ("page", "study", "more"),
    [
        ("heads", "heads", {}),
        ("layers", "layers", {}),
        ("layers", "patch", {"many": "patch", "site": "attention"}),
        ("links", "links", {"budget": "20"}),
    ],
)
def test_many_passages_are_asked_for_then_shown(
    page: str, study: str, more: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With four passages in the place of ten: what is tested here is the page."""
    generated = sets.generated
    monkeypatch.setattr(sets, "generated", lambda *given: islice(generated(*given), 4))
    monkeypatch.setattr(runs, "_words_of_set", runs._words_of_set.__wrapped__)
    at = opened(page, over="10", tab="over", **more)
    assert not many_passages(at)
    assert any("memory" in info.value for info in at.info)
    at.button(key=f"over_{study}_measure").click().run()
    assert not at.exception
    assert len(many_passages(at)) == 1
    said = next(note.value for note in at.markdown if note.value.startswith("**Over "))
    assert "4 passages" in said or (study == "patch" and "left out" in said), said
