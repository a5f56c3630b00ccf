"""The lecture's claims: figures against plain readings, verdicts on models whose rule is known."""

from __future__ import annotations

import json
import math
import random
import shlex
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from probes import load_model, preset, run
from probes.asking.question import Question
from probes.cli import main
from probes.errors import InputError
from probes.locale import LANGUAGES, TEXTS
from probes.models.elsewhere import Elsewhere
from probes.record.store import Store
from probes.running.claims import CLAIMS
from probes.running.headline import headline, pictured, tabled
from probes.running.lecture import claims_named, lecture, runs_of
from probes.running.verdicts import T_95, judged, t_interval
from probes.studies.arrivals import arrivals
from probes.text.passage import Passage
from probes.text.phrases import occurrences

SCHEMA = json.loads((Path(__file__).parents[1] / "docs" / "records.schema.json").read_text(encoding="utf-8"))
PLACES = ("coffee shop", "bakery", "bank", "gym", "library", "咖啡店", "书店", "电影院", "医院", "菜市场")
Rule = Callable[[Passage, str], float]


class Counts(Elsewhere):
    """Answers a count by a rule of the passage and the place that is asked about; all else evenly."""

    name = "counts"

    def __init__(self, rule: Rule, name: str = "counts") -> None:
        self.rule, self.name = rule, name

    def numbers(self, prompt: str, question: Question) -> Sequence[float]:
        labels = [answer.label for answer in question.answers.answers]
        if not all(label.isdecimal() for label in labels):
            return [1 / len(labels)] * len(labels)
        asked = question.question
        place = question.suggested.mention or next(name for name in PLACES if name in asked)
        text = next(
            prompt.rpartition(f"\n{sign}")[0] for sign in ("Question:", "问题：") if f"\n{sign}" in prompt
        )
        number = self.rule(Passage(text), place)
        far = [-2.0 * abs(int(label) - number) for label in labels]
        whole = math.fsum(map(math.exp, far))
        return [math.exp(one) / whole for one in far]


def mentions(passage: Passage, place: str) -> float:
    return min(5, len(occurrences(passage.text, place)))


def stated(passage: Passage, place: str) -> float:
    found = arrivals(passage, occurrences(passage.text, place))
    return min(5, sum(one.cue is None for one in found))


def guess(seed: int) -> Rule:
    return lambda passage, place: 5 * random.Random(f"{seed}{passage.text}").random()


def verdicts(model: Elsewhere, language: str, claims: str, **ways: Any) -> dict[str, dict[str, Any]]:
    found = lecture(model, language=language, claims=claims, **ways)
    return {row["id"]: row for row in found.data["rows"]}


# ---- verdicts


def test_students_points_leave_a_fortieth_on_either_side() -> None:
    """Integrated over its density, as Student gave it."""
    for freedom, point in enumerate(T_95, 1):
        x = np.linspace(0, point, 400_001)
        log = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
        density = np.exp(log - (freedom + 1) / 2 * np.log1p(x * x / freedom))
        inside = float(((density[1:] + density[:-1]) / 2).sum() * (x[1] - x[0]))
        assert abs(2 * inside - 0.95) < 2e-4, freedom


@pytest.mark.parametrize("n", [3, 5, 20])
def test_the_interval_covers_what_it_says(n: int) -> None:
    rng = np.random.default_rng(n)
    drawn = rng.normal(0.3, 1.0, (4000, n))
    covers = [low <= 0.3 <= high for low, high in map(t_interval, drawn.tolist())]  # type: ignore[operator]
    assert 0.94 <= sum(covers) / len(covers) <= 0.96


@pytest.mark.parametrize(
    ("values", "side", "ways", "verdict", "reason"),
    [
        ([1.0, 1.1, 0.9], "above", {}, "holds", ""),
        ([-1.0, -1.1, -0.9], "above", {}, "fails", ""),
        ([-1.0, -1.1, -0.9], "below", {}, "holds", ""),
        ([1.0, -1.1, 0.9], "above", {}, "unsure", "interval"),
        ([1.0, 1.1], "above", {}, "unsure", "few"),
        ([], "above", {}, "none", "nowhere"),
        ([1.0, 1.1, 0.9], "above", {"doubt": "still"}, "unsure", "still"),
        ([-1.0, -1.1, -0.9], "above", {"doubt": "still"}, "fails", ""),
        ([0.0] * 20, "below", {"share": True}, "holds", ""),
        ([1.0, 0.0] * 10, "above", {"share": True}, "unsure", "interval"),
    ],
)
def test_a_verdict_needs_the_whole_interval(
    values: list[float], side: str, ways: dict[str, Any], verdict: str, reason: str
) -> None:
    found = judged(values, 0.5 if ways.get("share") else 0.0, side, **ways)
    assert (found.verdict, found.reason) == (verdict, reason)


# ---- models whose rule is known


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_that_counts_mentions_is_told_so(language: str) -> None:
    found = verdicts(Counts(mentions), language, "L1,L2,L3,L9,L13")
    assert found["L2"]["verdict"] == "fails"
    assert found["L2"]["mean"] > 0.25
    assert found["L1"]["verdict"] != "holds"
    assert found["L3"]["verdict"] == "fails"  # a wish beside the place counts as much as a visit
    assert (found["L9"]["verdict"], found["L9"]["reason"]) == ("none", "closed")
    assert found["L13"]["n"] == 5  # it answers from elsewhere


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_that_reads_for_arrivals_confirms_the_lecture(language: str) -> None:
    found = verdicts(Counts(stated, "stated"), language, "L1,L2,L3,L5,L7")
    assert {name: row["verdict"] for name, row in found.items()} == dict.fromkeys(found, "holds")
    one = found["L3"]["variants"][0]
    assert one["passage"] == f"coffee-{language}"
    assert one["figures"]["before"] == pytest.approx(one["figures"]["after"] + one["value"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_that_ignores_the_passage_confirms_nothing(language: str) -> None:
    found = verdicts(Counts(lambda passage, place: 1.0, "once"), language, "L1,L2,L4,L5,L7,L8,L14")
    assert all(row["verdict"] != "holds" for row in found.values()), found
    assert found["L2"]["reason"] == "still"


@pytest.mark.slow
def test_of_models_that_guess_hardly_any_confirms_a_claim() -> None:
    claims = "L1,L2,L3,L4,L5,L6,L7,L8,L11,L14"
    holds, all_ = [], 0
    for seed in range(5):
        for name, row in verdicts(Counts(guess(seed), f"guess{seed}"), "en", claims).items():
            all_ += 1
            holds += [(seed, name)] if row["verdict"] == "holds" else []
    assert all_ == 50
    assert len(holds) <= 0.05 * all_, holds


# ---- the built-in model


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return lecture(load_model("builtin"), language="en", claims="L1,L4,L7,L12", variants=3).data


def test_figures_are_what_the_studies_say(record: dict[str, Any]) -> None:
    rows = {row["id"]: row for row in record["rows"]}
    question = preset("coffee-en").question()
    words = run("words", load_model("builtin"), question).data
    log = {a["answer"]: a["log_prob"] for a in words["clean"]["answers"]}
    ahead = log["1"] - max(value for label, value in log.items() if label != "1")
    assert rows["L1"]["value"] == pytest.approx(ahead, abs=1e-4)
    text = question.passage.text
    key = [row for row in words["rows"] if row["role"] == "key"]
    walked = max(-row["effect_log_prob"] for row in key if row["text"] in ("walked", "into"))
    rest = [max(0.0, -row["effect_log_prob"]) for row in words["rows"] if row not in key]
    assert text.count("walked") == 1
    assert rows["L4"]["value"] == pytest.approx(sum(one < walked for one in rest) / len(rest), abs=0.02)


def test_every_command_makes_its_record_again(record: dict[str, Any]) -> None:
    for row in record["rows"]:
        for command in row["commands"]:
            words = shlex.split(command)
            assert words[0] == "crux"
            assert words[1] in ("ask", "words", "baselines")


def test_the_record_keeps_to_the_schema_and_tells_itself_in_both_languages(record: dict[str, Any]) -> None:
    from probes.record.results import ProbeResult

    jsonschema.validate(json.loads(json.dumps(record)), SCHEMA)
    for lang in LANGUAGES:
        assert "L" in headline(record, lang)
        table = tabled(record, lang)
        assert len(table.rows) == len(record["rows"])
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert pictured(ProbeResult("lecture", record), lang).to_dict()


def test_claims_share_their_runs(tmp_path: Path) -> None:
    """L4, L5 and L8 read the same words: judged again from the store, nothing is run."""
    store, model = Store(tmp_path / "s.sqlite"), Counts(stated, "shared")
    first = lecture(model, language="en", claims="L4,L5,L8", store=store).data["provenance"]
    again = lecture(model, language="en", claims="L4,L5,L8", store=store).data["provenance"]
    assert first["from_store"] == 0
    assert again["from_store"] == again["trials"] == first["trials"]
    alone = lecture(model, language="en", claims="L4").data["provenance"]
    assert first["trials"] == alone["trials"]


def test_a_passage_that_is_chosen_comes_first_and_its_command_names_it() -> None:
    chosen = preset("bakery-en").question()
    data = lecture(Counts(stated), language="en", question=chosen, claims="L1").data
    assert [one["passage"] for one in data["rows"][0]["variants"][:2]] == ["bakery-en", "coffee-en"]
    assert "--preset bakery-en" in data["provenance"]["command_line"]
    usual = lecture(Counts(stated), language="en", question=preset("coffee-en").question(), claims="L1").data
    assert usual["rows"] == lecture(Counts(stated), language="en", claims="L1").data["rows"]
    own = replace(chosen, question="How often was I at the bakery?")
    data = lecture(Counts(stated), language="en", question=own, claims="L1").data
    assert [one["passage"] for one in data["rows"][0]["variants"][:3]] == ["own", "coffee-en", "bakery-en"]


def test_every_claim_is_told_in_full() -> None:
    for claim in CLAIMS:
        for part in ("says", "measured", "holds", "fails", "axis"):
            assert TEXTS.has(f"lecture.{claim.id}_{part}"), (claim.id, part)
    assert runs_of("L1") == 5
    assert runs_of(None) > 1000


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(InputError, match="L99"):
        claims_named("L2,L99")
    with pytest.raises(InputError):
        lecture(Counts(stated), language="en", variants=0)
    assert [claim.id for claim in claims_named(" l4，l2 ")] == ["L2", "L4"]


def test_the_command_prints_a_row_a_claim(capsys: pytest.CaptureFixture[str]) -> None:
    main(["lecture", "--claims", "L1", "--lang", "en", "--no-cache", "--quiet"])
    told = capsys.readouterr().out
    assert "once" in told
    assert "holds" in told
    main(["lecture", "--claims", "L1", "--lang", "zh", "--no-cache", "--quiet", "--json"])
    assert json.loads(capsys.readouterr().out)["rows"][0]["id"] == "L1"
    main(["lecture", "--claims", "L1", "--preset", "gym-en", "--no-cache", "--quiet", "--json"])
    assert json.loads(capsys.readouterr().out)["rows"][0]["variants"][0]["passage"] == "gym-en"
