"""What is made of records is made once, and goes with them."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest
from altair.utils import schemapi
from streamlit.elements.vega_charts import _marshall_chart_data
from streamlit.proto.VegaLiteChart_pb2 import VegaLiteChart
from streamlit.testing.v1 import AppTest

from dashboard import app
from dashboard.service import Service
from dashboard.widgets.made import Made, picture
from probes import charts, load_model, run
from probes.asking.question import preset
from probes.record.results import ProbeResult
from tests.dashboard.test_page import PAGE


def record(number: int) -> ProbeResult:
    return ProbeResult("ask", {"number": number})


def test_once_for_each_record_and_way() -> None:
    made, calls = Made(), list[str]()

    def make(name: str) -> list[str]:
        calls.append(name)
        return [name]

    first, second = record(1), record(1)
    assert made.of([first], lambda: make("first"), "a") is made.of([first], lambda: make("again"), "a")
    assert made.of([second], lambda: make("second"), "a") == ["second"]
    assert made.of([first], lambda: make("other"), "b") == ["other"]
    assert made.of([first, second], lambda: make("both"), "a") == ["both"]
    assert made.of([first, None], lambda: make("one"), "a") == ["one"]
    assert calls == ["first", "second", "other", "both", "one"]


def test_of_a_record_that_is_gone_nothing_is_shown() -> None:
    """Another record may stand where it stood in memory."""
    made, one = Made(), record(1)
    made.of([one], lambda: "of one", "a")
    other = record(2)
    made._kept["a", id(other)] = made._kept.pop(("a", id(one)))
    assert made.of([other], lambda: "of other", "a") == "of other"
    del one
    gc.collect()
    assert made.of([other], lambda: "again", "a") == "of other"


def test_no_more_is_kept_than_is_allowed() -> None:
    made, kept = Made(most=3), [record(n) for n in range(5)]
    for one in kept:
        made.of([one], lambda: "first", "a")
    again = [made.of([one], lambda: "again", "a") for one in reversed(kept)]
    assert again == ["first", "first", "first", "again", "again"]


def test_a_picture_is_shown_as_it_would_be_without_it() -> None:
    """The same message to the browser, whether the data were put in order beforehand or not."""
    words = run("words", load_model("builtin"), preset("coffee-en").question())
    chart = charts.effects(words, "en")

    sent = []
    for spec in (charts.specification(chart), picture([words], lambda: chart, "effects")):
        sent.append(VegaLiteChart())
        _marshall_chart_data(sent[-1], spec := dict(spec))  # type: ignore[arg-type]
        sent[-1].spec = json.dumps(spec)
    assert sent[0].datasets
    assert sent[0] == sent[1]


def test_no_picture_of_every_press_has_altair_look_through_all_its_classes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It does so for each channel that is written as a bare text: forty milliseconds each."""
    model, question = load_model("builtin"), preset("coffee-en").question()
    asked = run("ask", model, question, {"at": "0-9"})
    words = run("words", model, question)

    def slow(*_: object) -> None:
        raise AssertionError("a channel is written as a text")

    monkeypatch.setattr(schemapi._FromDict, "__init__", slow)
    charts.answers(asked, "en", pinned=asked)
    charts.effects(words, "en", groups=True)
    charts.unfinished([("word", -1.0), ("other", None)], "en")


def test_a_press_whose_answer_is_known_makes_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    at = AppTest.from_file(str(PAGE), default_timeout=300)
    at.query_params["lang"] = "en"
    at.run()
    at.run()

    def drawn_again(*_: object, **__: object) -> None:
        raise AssertionError("drawn again")

    monkeypatch.setattr(charts, "answers", drawn_again)
    monkeypatch.setattr(charts, "effects", drawn_again)
    at.run()
    assert not at.exception


def test_no_press_waits_until_the_whole_process_is_looked_through_for_garbage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With torch loaded that takes a quarter of a second, in which nobody is answered."""
    from streamlit import config

    settings = Path(app.__file__).parents[1] / ".streamlit" / "config.toml"
    assert "\npostScriptGC = false" in settings.read_text(encoding="utf-8")
    assert config.get_option("runner.postScriptGC") is False
    monkeypatch.setattr(Service, "warm", lambda self: None)
    try:
        app._make_ready()
        assert gc.get_freeze_count() > 100_000
    finally:
        gc.unfreeze()
