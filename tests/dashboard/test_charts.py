"""Pictures say what the record says: every number, in order, in its colour, and stand alone as files."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import pytest

from probes import charts, load_model, run
from probes.asking.question import preset
from probes.charts.pictures import saved, titled, wrapped
from probes.numbers import percent
from probes.record.results import ProbeResult


@pytest.fixture(scope="module")
def words() -> ProbeResult:
    return run("words", load_model("builtin"), preset("coffee-zh").question())


@pytest.fixture(scope="module")
def asked() -> dict[str, ProbeResult]:
    model, question = load_model("builtin"), preset("coffee-zh").question()
    return {drop: run("ask", model, question, {"drop": drop or None}) for drop in ("", "走进", "拿铁")}


def values(spec: dict[str, Any], part: dict[str, Any]) -> list[dict[str, Any]]:
    """The data of a chart or a layer, which Altair keeps by name."""
    found: list[dict[str, Any]] = spec["datasets"][part["data"]["name"]]
    return found


def layers(spec: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark]


def test_the_specification_is_valid(words: ProbeResult, asked: dict[str, ProbeResult]) -> None:
    for chart in (
        charts.effects(words, "en"),
        charts.effects(words, "zh", most=None, groups=True),
        charts.answers(asked[""], "zh"),
        charts.answers(asked["走进"], "en", pinned=asked["拿铁"]),
        charts.unfinished([("走进", -3.0), ("了", None), ("了", 0.0)], "en"),
    ):
        assert chart.to_dict(validate=True)["layer"]


def test_rows_are_ranked_and_each_has_a_label_of_its_own(words: ProbeResult) -> None:
    rows = charts.effect_rows(words, groups=True)
    sizes = [abs(row["effect_log_prob"]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert len(rows) == len(words.rows) + len(words.data["groups"])
    labels = [row["label"] for row in rows]
    assert len(set(labels)) == len(labels)
    assert {"咖啡店¹", "咖啡店²", "咖啡店³", "咖啡店 ×3", "走进"} <= set(labels)


def test_every_bar_has_the_records_number(words: ProbeResult) -> None:
    spec = charts.effects(words, "en", most=None).to_dict()
    data = values(spec, spec)
    drawn = {datum["what"]: datum["effect_size"] for datum in data}
    expected = {charts.unit_label(row): row["effect_log_prob"] for row in words.rows}
    assert drawn == expected
    strongest = max(words.rows, key=lambda row: abs(row["effect_log_prob"]))
    assert data[0]["row"].split(charts.PARTING) == [
        charts.unit_label(strongest),
        f"−{abs(strongest['effect_log_prob']):.2f} → 零次",
    ]


@pytest.mark.parametrize("groups", [False, True])
def test_rows_stand_in_the_order_of_the_data_named_in_the_scale(words: ProbeResult, groups: bool) -> None:
    """A page gives a drawn picture new data: without the scale's own rows, new ones go to the end."""
    spec = charts.effects(words, "en", most=None, groups=groups).to_dict()
    wanted = [datum["row"] for datum in values(spec, spec)]
    strengths = [abs(datum["effect_size"]) for datum in values(spec, spec)]
    assert strengths == sorted(strengths, reverse=True)
    scales = [
        layer["encoding"]["y"]["scale"]["domain"] for layer in spec["layer"] if "y" in layer["encoding"]
    ]
    assert scales == [wanted, wanted]


def test_no_change_is_grey_whatever_its_sign(words: ProbeResult) -> None:
    spec = charts.effects(words, "en", most=None).to_dict()
    colour = layers(spec, "bar")[0]["encoding"]["color"]
    assert colour["condition"] == {"test": "datum.quiet", "value": charts.GREY}
    assert colour["scale"]["range"] == [charts.BLUE, charts.LIGHT_BLUE, charts.LIGHT_ORANGE, charts.ORANGE]
    low, below, above, high = colour["scale"]["domain"]
    assert (low, below) == (-high, -above)
    assert 0 < above < 1e-3
    quiet = {datum["what"] for datum in values(spec, spec) if datum["quiet"]}
    assert quiet == {charts.unit_label(row) for row in words.rows if row["no_change"]}


def test_band_and_noise_floor_are_drawn_to_scale(words: ProbeResult) -> None:
    spec = charts.effects(words, "en").to_dict()
    still, noise = (values(spec, layer)[0] for layer in layers(spec, "rect"))
    assert still == {"from": -0.05, "to": 0.05}
    assert noise == {"from": -words.data["noise_floor"], "to": words.data["noise_floor"]}


def test_small_effects_do_not_fill_the_axis() -> None:
    row = {"effect_log_prob": 0.01}
    record = ProbeResult("words", {"rows": [row], "groups": []})
    assert charts.scale_of(record) == pytest.approx(math.log(2))
    row["effect_log_prob"] = -4.0
    assert charts.scale_of(record) == 4.0


def test_what_is_infinite_goes_to_the_end_of_the_scale_on_its_side() -> None:
    gone = {"effect_log_prob": None, "effect_probability": -0.9}
    assert charts.drawn(gone, 3.0) == -3.0
    assert charts.drawn({**gone, "effect_probability": 0.2}, 3.0) == 3.0
    assert charts.drawn({"effect_log_prob": -0.5, "effect_probability": -0.1}, 3.0) == -0.5


def test_the_axis_names_target_and_unit(words: ProbeResult) -> None:
    told = ["Effect of removal on the", "log-probability of “一次” (nats)"]
    assert charts.effect_title(words, "en") == told
    assert "nat" in charts.effect_title(words, "zh")[-1]
    model, question = load_model("builtin"), preset("coffee-zh").question()
    odds = run("words", model, question, {"target": "1:3", "unit": "sentence"})
    told[1] = "log-odds of “一次” against “三次” (nats)"
    assert charts.effect_title(odds, "en") == told


def test_answers_show_clean_now_and_pinned(asked: dict[str, ProbeResult]) -> None:
    runs = charts.answer_runs(asked["走进"], "en", asked["拿铁"])
    assert [name for name, _, _ in runs] == ["clean", "now", "pinned"]
    for (_, _, listed), record in zip(runs, (asked[""], asked["走进"], asked["拿铁"]), strict=True):
        expected = [answer["probability"] for answer in record.data["answers"]]
        assert [p for _, p, _ in listed] == pytest.approx([*expected, record.data["other"]], abs=1e-6)
        assert listed[-1][0] == "everything else"


def test_bars_of_equal_height_keep_their_rows(asked: dict[str, ProbeResult]) -> None:
    spec = charts.answers(asked["走进"], "en", pinned=asked["拿铁"]).to_dict()
    data = values(spec, spec)
    rows = [value["row"] for value in data]
    assert len(set(rows)) == len(rows) == 7 * 3 + 6
    names = [value["row"].split(charts.PARTING)[0] for value in data]
    assert [name for name in names if name.strip()] == [
        "零次",
        "一次",
        "两次",
        "三次",
        "四次",
        "五次",
        "everything else",
    ]
    shown = [value for value in data if value["answer"]]
    assert all(value["row"].split(charts.PARTING)[1].strip() == percent(value["p"]) for value in shown)


@pytest.mark.parametrize(
    ("nats", "shown"),
    [
        (-8.346, "−8.35"),
        (0.004, "0"),
        (-0.004, "0"),
        (0.006, "+0.01"),
        (None, "−∞"),
        (0.0, "0"),
        (-10.0, "−10.00"),
    ],
)
def test_numbers_have_a_true_minus_and_no_signed_zero(nats: float | None, shown: str) -> None:
    assert charts.nats_text(nats) == shown


def test_files_stand_alone(words: ProbeResult) -> None:
    chart = titled(
        charts.effects(words, "zh", most=5), "去掉“走进”，它回答“零次”。</script>", ["coffee & co <b>"]
    )
    svg = saved(chart, "svg").decode()
    assert "走进" in svg
    assert "咖啡店²" in svg
    assert "</script>" not in svg
    assert saved(chart, "png").startswith(b"\x89PNG\r\n")
    html = saved(chart, "html").decode()
    assert not re.findall(r"<(?:script|link)[^>]+(?:src|href)=", html)
    assert html.count("</script>") == saved(charts.effects(words, "zh", most=5), "html").decode().count(
        "</script>"
    )


@pytest.mark.parametrize("columns", [8, 20, 78])
@pytest.mark.parametrize(
    "text",
    ["one two three four five six", "模型回答“一次”（99.9 %）。去掉“走进”，它回答“零次”。", "x" * 100, ""],
)
def test_titles_are_broken_without_losing_anything(text: str, columns: int) -> None:
    lines = wrapped(text, columns)
    assert "".join(itertools.chain(*lines)).replace(" ", "") == text.replace(" ", "")
    assert all(len(line) <= columns or " " not in line for line in lines)
