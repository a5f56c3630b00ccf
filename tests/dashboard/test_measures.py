"""Effects in percentage points or in nats: the same rows in the same order, each as the record has it."""

from __future__ import annotations

import math

import pytest

from probes import charts, load_model, preset, run
from probes.record.results import ProbeResult
from tests.dashboard.test_charts import layers, values


@pytest.fixture(scope="module")
def words() -> ProbeResult:
    return run("words", load_model("builtin"), preset("coffee-en").question())


def test_every_bar_has_the_records_percentage_points(words: ProbeResult) -> None:
    spec = charts.effects(words, "en", most=None, measure="points").to_dict()
    data = values(spec, spec)
    assert {datum["what"]: datum["effect_size"] for datum in data} == pytest.approx(
        {charts.unit_label(row): 100 * row["effect_probability"] for row in words.rows}
    )
    first = min(words.rows, key=lambda row: row["effect_log_prob"])
    assert f"−{abs(100 * first['effect_probability']):.1f}" in data[0]["row"]
    (low, *_, high) = layers(spec, "bar")[0]["encoding"]["color"]["scale"]["domain"]
    largest = max(abs(100 * row["effect_probability"]) for row in [*words.rows, *words.data["groups"]])
    assert (low, high) == pytest.approx((-largest, largest))
    assert "percentage points" in layers(spec, "bar")[0]["encoding"]["x"]["title"][-1]


def test_the_order_is_that_of_nats(words: ProbeResult) -> None:
    names = []
    for measure in ("nats", "points"):
        spec = charts.effects(words, "en", most=None, measure=measure).to_dict()
        names.append([datum["what"] for datum in values(spec, spec)])
    assert names[0] == names[1]
    sizes = [abs(100 * row["effect_probability"]) for row in words.rows]
    by_name = dict(zip(map(charts.unit_label, words.rows), sizes, strict=True))
    told = [by_name[name] for name in names[1]]
    assert told == pytest.approx(sorted(told, reverse=True), abs=1e-4)


def test_the_band_is_what_counts_as_no_change_in_points(words: ProbeResult) -> None:
    spec = charts.effects(words, "en", measure="points").to_dict()
    still, noise = (values(spec, layer)[0]["to"] for layer in layers(spec, "rect"))
    assert still == words.data["thresholds"]["points"]
    before = max(a["probability"] for a in words.data["clean"]["answers"])
    assert noise == pytest.approx(100 * before * (math.exp(words.data["noise_floor"]) - 1), rel=1e-6)


def test_two_answers_against_each_other_have_nats_alone() -> None:
    model, question = load_model("builtin"), preset("coffee-en").question()
    contrast = run("words", model, question, {"target": "1:3"})
    assert charts.measured_in(contrast, "points") == "nats"
    asked, usual = (charts.effects(contrast, "en", measure=m).to_dict() for m in ("points", "nats"))
    drawn, known = ([d["effect_size"] for d in values(spec, spec)] for spec in (asked, usual))
    assert drawn == known


@pytest.mark.parametrize(
    ("moved", "before", "points"),
    [(0.0, 0.5, 0.0), (math.log(0.5), 0.8, -40.0), (None, 0.8, -80.0), (math.log(2), 0.2, 20.0)],
)
def test_a_change_of_log_probability_in_points(moved: float | None, before: float, points: float) -> None:
    assert charts.points_of(moved, before) == pytest.approx(points)


def test_small_changes_do_not_fill_the_axis() -> None:
    record = ProbeResult("words", {"rows": [{"effect_probability": -0.001}], "groups": []})
    assert charts.scale_of(record, "points") == charts.smallest("points") == 5.0
