"""Pictures of what is inside the model say what the record says, in every case a record can hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from probes import charts
from probes.charts.cells import CONTRARY, QUIET
from probes.charts.link_maps import strongest_words
from probes.charts.pictures import saved, titled
from probes.record.results import ProbeResult
from probes.running.headline import headline
from probes.studies import STUDIES
from probes.studies.over_picture import over_rows
from tests.dashboard import inside_records as records

CHARTS: dict[str, Callable[[str], Any]] = {
    "heads": lambda lang: charts.heads_map(records.heads(), lang, chosen=[(1, 2)], select=True),
    "heads_many": lambda lang: charts.heads_map(records.heads(30, 9, 3, without=None), lang),
    "cumulative": lambda lang: charts.cumulative(records.heads(), lang),
    "links": lambda lang: charts.links_maps(records.links(), lang),
    "links_few": lambda lang: charts.links_maps(records.links(), lang, most=4),
    "arcs": lambda lang: charts.links_arcs(records.links(), lang),
    "parts": lambda lang: charts.layer_parts(records.layers(), lang),
    "contributions": lambda lang: charts.layer_parts(
        records.lens(), lang, measure="direct", rows=records.lens().data["contributions"]
    ),
    "lens": lambda lang: charts.lens(records.lens(), lang),
    "patch": lambda lang: charts.patch_map(records.patch(), lang),
    "patch_heads": lambda lang: charts.patch_map(records.patch(heads=6), lang),
    **{
        f"over_{study}": lambda lang, study=study: STUDIES[study].pictured(records.over(study), lang)  # type: ignore[misc]
        for study in ("heads", "attention", "layers", "lens", "links", "patch")
    },
    "agreement": lambda lang: charts.agreement_map(records.attention(), lang),
}


def table(spec: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    data = layer.get("data") or spec["data"]
    found: list[dict[str, Any]] = spec["datasets"][data["name"]]
    return found


def layer_of(spec: dict[str, Any], mark: str, nth: int = 0) -> dict[str, Any]:
    return [layer for layer in spec["layer"] if layer["mark"]["type"] == mark][nth]


@pytest.mark.parametrize("name", CHARTS)
def test_specifications_are_valid_in_both_languages(name: str) -> None:
    assert CHARTS[name]("en").to_dict(validate=True)["layer"]
    assert CHARTS[name]("zh").to_dict(validate=False)["layer"]


@pytest.mark.parametrize("name", ["heads", "links", "lens"])
def test_they_can_be_saved(name: str) -> None:
    assert saved(titled(CHARTS[name]("zh"), "标题", ["below"]), "svg").startswith(b"<svg")


def test_every_head_is_a_cell_with_the_records_number() -> None:
    record = records.heads()
    spec = charts.heads_map(record, "en").to_dict()
    cells = table(spec, layer_of(spec, "rect"))
    assert {(c["layer"], c["head"]): c["nats"] for c in cells} == {
        (row["layer"], row["head"]): row["effect_log_prob"] for row in record.rows
    }
    strongest = next(c for c in cells if (c["layer"], c["head"]) == (1, 2))
    assert (strongest["text"], strongest["then"][:5], strongest["strong"]) == ("−4.20", "never", True)
    assert strongest["where"] == "layer 1, head 2, KV group 0"


def test_what_is_no_change_is_grey_and_empty_and_estimates_say_so() -> None:
    record = records.heads()
    spec = charts.heads_map(record, "en").to_dict()
    colour = layer_of(spec, "rect")["encoding"]["color"]
    assert colour["condition"] == {"test": "datum.quiet", "value": QUIET}
    for cell, row in zip(table(spec, layer_of(spec, "rect")), record.rows, strict=True):
        quiet = abs(row["effect_log_prob"]) < 0.05 if row["estimate"] else row["no_change"]
        assert (cell["quiet"], cell["text"] == "") == (quiet, quiet)
        assert cell["effect"].startswith("≈") is row["estimate"]


def test_many_heads_have_signs_instead_of_numbers() -> None:
    spec = CHARTS["heads_many"]("en").to_dict()
    assert {c["text"] for c in table(spec, layer_of(spec, "rect"))} == {"", "−", "+"}


def test_layers_without_heads_say_so() -> None:
    spec = charts.heads_map(records.heads(), "en").to_dict()
    said = [
        d["text"] for layer in spec["layer"] for d in table(spec, layer) if d.get("text", "").endswith("n/a")
    ]
    assert said
    assert len(set(said)) == 1


def test_a_link_is_drawn_in_both_maps_and_framed_in_both() -> None:
    record = records.links()
    spec = charts.links_maps(record, "en", most=None).to_dict()
    cut = table(spec, layer_of(spec, "rect", 0))
    seen = table(spec, layer_of(spec, "rect", 1))
    assert len(cut) == len(seen) == len(record.rows)
    assert [(c["reader"], c["read"]) for c in cut] == [(s["reader"], s["read"]) for s in seen]
    by_pair = {(charts.place_of(r["from"]), r["to"]["index"]): r for r in record.rows}
    for datum in cut:
        row = by_pair[("answer" if datum["reader"] == -1 else datum["reader"], datum["read"])]
        assert (datum["nats"], datum["attention"]) == (row["effect_log_prob"], row["attention"])
    assert spec["params"][0]["select"]["fields"] == ["reader", "read"]


def test_few_words_are_those_of_the_strongest_links() -> None:
    record = records.links()
    words = strongest_words(record, 4)
    assert 6 in words
    assert len(words) <= 4
    assert strongest_words(record, None) == list(range(len(records.WORDS)))


def test_curves_name_where_the_answer_settles() -> None:
    record = records.lens()
    assert charts.settled_at(record.rows) == 4
    spec = charts.lens(record, "en").to_dict()
    points = table(spec, layer_of(spec, "line"))
    assert len(points) == 7 * 3
    assert {p["where"] for p in points if p["layer"] == 0} == {"before the first layer (embeddings)"}


def test_a_patch_says_what_share_of_the_difference_it_carries() -> None:
    record = records.patch()
    spec = charts.patch_map(record, "en").to_dict()
    cells = table(spec, layer_of(spec, "rect"))
    assert len(cells) == 6 * (len(records.WORDS) + 1)
    carried = next(c for c in cells if c["column"] == "u2" and c["level"] == "0")
    assert (carried["text"], carried["strong"], carried["word"]) == ("95", True, "▼ walked")
    assert "\\u25bc walked" in str(layer_of(spec, "rect")["encoding"]["x"]["axis"]["labelExpr"])


def test_of_many_heads_those_that_carry_most_are_shown() -> None:
    spec = CHARTS["patch_heads"]("en").to_dict()
    cells = table(spec, layer_of(spec, "rect"))
    assert len({cell["level"] for cell in cells}) == 24


def test_a_passages_words_cannot_end_the_script_that_holds_them() -> None:
    plain = saved(titled(CHARTS["lens"]("en"), "x", []), "html").count(b"</script>")
    assert saved(titled(CHARTS["links"]("en"), "x", []), "html").count(b"</script>") == plain


@pytest.mark.parametrize("study", ["heads", "layers", "links", "patch", "attention"])
def test_a_sets_points_stand_at_the_means_between_their_intervals(study: str) -> None:
    record = records.over(study)
    spec = STUDIES[record.study].pictured(record, "en").to_dict()
    points = table(spec, layer_of(spec, "point"))
    measure = {"attention": "rho", "patch": "recovered"}.get(study, "effect_log_prob")
    ranked = sorted(record.rows, key=lambda row: -abs(row[measure]))
    assert [p["mean"] for p in points] == [row[measure] for row in ranked]
    assert [(p["low"], p["high"]) for p in points] == [(-0.7, -0.2), (-0.8, 0.1), (0.2, 0.2)]
    sure, open_, lone = (p["colour"] for p in points)
    assert sure != charts.GREY == open_ == lone
    assert sure == (CONTRARY if study in ("patch", "attention") else charts.BLUE)
    assert "25" in points[0]["row"]


def rows_shown(record: ProbeResult, **most: int) -> tuple[list[dict[str, object]], int]:
    over = STUDIES[record.study].over
    assert over is not None
    return over_rows(over, record, **most)


def test_a_sets_rows_that_are_nothing_are_counted_not_drawn() -> None:
    record = records.over("heads")
    first, *others = record.rows
    faint = [{**row, "effect_log_prob": nats} for row, nats in zip(others, (0.0049, -0.001), strict=True)]
    shown, rest = rows_shown(replace(record, data={**record.data, "rows": [*faint, first]}))
    assert (shown, rest) == ([first], 2)
    seen = [{**row, "agrees": share} for row, share in zip(record.rows, (0.0, 0.0, 1.0), strict=True)]
    assert rows_shown(ProbeResult("lens", {**record.data, "rows": seen}))[1] == 0
    assert rows_shown(record, most=1) == ([max(record.rows, key=_strength)], 2)
    assert rows_shown(replace(record, data={**record.data, "rows": faint})) == (faint, 0)


def _strength(row: dict[str, Any]) -> float:
    return abs(float(row["effect_log_prob"]))


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("study", ["heads", "layers", "links", "patch"])
def test_a_sets_headline_counts_what_was_left_out(study: str, lang: str) -> None:
    said = headline(records.over(study).data, lang)
    assert "4" in said
    assert ("1 more" if lang == "en" else "另有 1 段") in said
    assert "{" not in said


def test_a_sets_headline_names_heads_and_has_no_bracket_without_an_interval() -> None:
    record = records.over("patch").data
    state = {**record["strongest"], "head": 2, "site": "head", "words": "answer"}
    said = headline({**record, "site": "head", "strongest": state}, "en")
    assert "the answer's place as put out by head 2.2" in said
    assert "it is 20 % on average" in said
    assert "(" not in said
    strange = {**record["strongest"], "recovered": 1.3, "recovered_low": -0.3, "recovered_high": 2.0}
    assert "130 % on average (−30 % to 200 %)" in headline({**record, "strongest": strange}, "en")
    assert "brings back" not in headline({**record, "strongest": None}, "en")


def test_every_passage_is_a_small_point_of_its_row() -> None:
    record = records.over("heads")
    spec = STUDIES[record.study].pictured(record, "en").to_dict()
    small, means = table(spec, layer_of(spec, "circle")), table(spec, layer_of(spec, "point"))
    ranked = sorted(record.rows, key=lambda row: -abs(row["effect_log_prob"]))
    assert [p["value"] for p in small] == [v for row in ranked for v in row["values"] if v is not None]
    assert {p["row"] for p in small} == {p["row"] for p in means}
    assert {p["number"] for p in small} == {1, 2, 4}
    assert {p["carried"] for p in means} == {"3 / 4"}
