"""The pages show what was measured; comparing and scaling do what they say. Nothing is timed here."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from probes.text.passage import Passage
from tests.benchmarks import table
from tests.benchmarks.__main__ import main
from tests.benchmarks.compare import compared, spearman
from tests.benchmarks.environments import PINS, pinned, reason
from tests.benchmarks.finding import BOTH
from tests.benchmarks.long_passage import KITCHEN, VISIT, Asked, long_passage
from tests.benchmarks.processes import HERE, Way, ways
from tests.benchmarks.runners.meter import spread
from tests.benchmarks.study import merged

REFERENCE = {"clean": [-1.0, -2.0], "0": [-1.5, -2.0], "1": [-1.0, -2.5], "2": [-0.5, -3.0]}


@pytest.mark.parametrize("language", table.PAGES)
def test_readme_shows_what_was_measured(language: str) -> None:
    text = table.PAGES[language].read_text(encoding="utf-8")
    shown = text.partition(table.BEGIN + "\n")[2].partition(table.END)[0]
    assert shown == table.render(language), "run `python -m tests.benchmarks --table`"


@pytest.mark.parametrize("study", ["words", "heads"])
def test_results_name_what_was_run(study: str) -> None:
    record = table.read(study)
    assert {"processor", "torch", "transformers"} <= set(record["machine"])
    keys = {way.key for way in ways() if way.study == study}
    for entry in record["models"]:
        assert {"threads", "template", "passage", "prompt", "answers", "parameters"} <= set(entry)
        assert {row["key"] for row in entry["ways"]} == keys
        assert all(row["status"] == "ok" or row["reason"] for row in entry["ways"])


@pytest.mark.parametrize("asked", [KITCHEN, VISIT], ids=["kitchen", "visit"])
def test_a_long_passage_has_so_many_words_and_its_key_once(asked: Asked) -> None:
    text = long_passage(300, asked)
    assert len(Passage(text).words) == 300
    assert text.count(asked.key) == 1
    assert text == long_passage(300, asked), "the same on every machine"
    rest = {word.text for word in Passage(text.replace(asked.key, "")).words}
    assert (
        not rest & {"Maria", "kitchen", "drawer", "key"}
        if asked is KITCHEN
        else not rest & {"coffee", "shop"}
    )


def test_what_was_found_is_beside_all_words_where_these_were_measured() -> None:
    if not (HERE / "results" / "find.json").is_file():
        pytest.skip("not measured yet: python -m tests.benchmarks --find")
    points = table.read("find")["points"]
    assert points
    for point in points:
        assert {"processor", "torch"} <= set(point["machine"])
        assert len(point["find"]["found"]) == 10
        assert point["find"]["runs"] < point["words"]
        assert ("all" in point) == ("share" in point) == (point["words"] <= BOTH)


@pytest.mark.parametrize("way", ways(), ids=lambda way: f"{way.study}-{way.key}")
def test_every_way_can_be_started(way: Way) -> None:
    assert (HERE / "runners" / f"{way.script}.py").is_file()
    assert way.gives in ("log_probs", "effects", "signed", "unsigned")
    assert way.unit in ("words", "heads", "layers", "answers")
    assert set(way.name) == set(way.differs) == {"en", "zh"}
    if way.env:
        lines = (PINS / f"{way.env}.txt").read_text(encoding="utf-8").splitlines()
        assert all("==" in line for line in lines if not line.startswith("#"))
        assert pinned(way.env)


def raw(found: dict[str, Any], done: int, of: int) -> dict[str, Any]:
    measured = {"cpu_seconds": [3.0, 1.0, 2.0], "wall_seconds": [1.0], "forwards": 4, "tokens": 40}
    return {"status": "ok", **measured, "found": found, "done": done, "of": of}


def way(gives: str, unit: str = "words") -> Way:
    both = {"en": "", "zh": ""}
    return Way(study="words", key="x", name=both, script="plain", gives=gives, unit=unit, differs=both)


def test_a_sample_is_scaled_up_and_says_so() -> None:
    row = compared(way("log_probs"), raw({"log_probs": REFERENCE}, done=3, of=11), REFERENCE)
    assert row["cpu_seconds_total"] == 2.0 * 12 / 4
    assert row["scaled_from"] == {"unit": "words", "done": 3, "of": 11}
    assert compared(way("log_probs"), raw({"log_probs": REFERENCE}, 3, 3), None)["scaled_from"] is None


def test_the_same_quantity_is_compared_in_nats() -> None:
    found = {"log_probs": REFERENCE | {"1": [-1.0, -2.25]}}
    assert compared(way("log_probs"), raw(found, 3, 3), REFERENCE)["max_difference"] == 0.25
    effects = {"effects": {"2": [0.5, -1.25]}}
    assert compared(way("effects"), raw(effects, 3, 3), REFERENCE)["max_difference"] == 0.25


def test_another_quantity_is_compared_by_rank() -> None:
    scores = {"scores": {"0": [-9.0], "1": [0.0], "2": [1.0]}}
    measured = raw(scores, 1, 2) | {"answers_run": [0]}
    assert compared(way("signed", "answers"), dict(measured), REFERENCE)["rank_correlation"] == [1.0]
    row = compared(way("unsigned", "answers"), dict(measured), REFERENCE)
    assert row["rank_correlation"][0] == pytest.approx(0.866, abs=1e-3)
    assert row["cpu_seconds_total"] == 4.0


def test_failures_keep_their_reason() -> None:
    row = compared(way("log_probs"), {"status": "not installed", "reason": "no wheel"}, REFERENCE)
    assert (row["status"], row["reason"]) == ("not installed", "no wheel")


def test_a_reason_names_no_registry() -> None:
    said = "Looking in indexes: https://user@host/simple\nERROR: none found at https://host/x\nnotice"
    assert reason(said) == "ERROR: none found at …"


def test_ranks_share_ties() -> None:
    assert spearman([1, 1, 2], [1, 1, 2]) == pytest.approx(1)
    assert spearman([1, 2, 3], [5, 5, 5]) == 0


def test_samples_are_spread_evenly() -> None:
    assert spread(range(10), 5) == [1, 3, 5, 7, 9]
    assert spread(range(3), None) == spread(range(3), 7) == [0, 1, 2]


def test_records_of_two_machines_are_never_mixed() -> None:
    def record(machine: str, key: str) -> dict[str, Any]:
        return {"machine": machine, "models": [{"model": "m", "threads": 2, "ways": [{"key": key}]}]}

    same = merged(record("a", "x"), record("a", "y"))["models"][0]["ways"]
    assert [row["key"] for row in same] == ["x", "y"]
    assert merged(record("a", "x"), record("b", "y")) == record("b", "y")


def test_an_unknown_model_is_refused_with_the_names_there_are() -> None:
    before = {path: path.read_bytes() for path in (HERE / "results").glob("*.json")}
    result = CliRunner().invoke(main, ["--model", "nobody"])
    assert result.exit_code == 2
    assert "nobody" in result.output
    assert "built-in model" in result.output
    assert before == {path: path.read_bytes() for path in before}
