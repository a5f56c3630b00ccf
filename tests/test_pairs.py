"""Pairs: against four plain runs each, on rules whose pairs are known, on models that tell nothing."""

from __future__ import annotations

import math
from functools import cache

import pytest

from probes import load_model, preset, run
from probes.errors import InputError
from probes.record.results import ProbeResult
from probes.running.headline import headline
from tests.oracle import log_prob
from tests.rules import Guessing, Ruled, Stubborn, asked, has
from tests.test_records import check_answers

WORDS = " ".join(f"w{n}" for n in range(24))
LONG = ". ".join(" ".join(f"w{n}" for n in range(at, at + 10)) for at in range(0, 200, 10)) + "."


@cache
def coffee() -> ProbeResult:
    return run("pairs", load_model("builtin"), preset("coffee-zh").question())


def test_of_the_lecture_s_passage_each_interaction_is_that_of_four_plain_forwards() -> None:
    """Each text is cut by hand, and its answer read off the stock model."""
    model, data = load_model("builtin"), coffee().data
    text = preset("coffee-zh").text
    (answer,) = [a for a in data["clean"]["answers"] if a["answer"] == data["target"]["label"]]
    before, after = data["clean"]["prompt"].split(text)

    @cache
    def without(*units: int) -> float:
        left = text
        for index in sorted(units, reverse=True):
            start, end = data["units"][index]["start"], data["units"][index]["end"]
            left = left[:start] + left[end:]
        ids = model.tokenizer(before + left + after, add_special_tokens=False).input_ids
        terms = [(t["sign"], log_prob(model.loaded.model, ids, t["ids"])) for t in answer["scored"]]
        return math.log(sum(sign * math.exp(one) for sign, one in terms))

    clean = without()
    for row in [*data["rows"][:8], *data["rows"][8::200]]:
        a, b = row["to"]["index"], row["from"]["index"]
        one, other, both = without(a), without(b), without(a, b)
        assert row["interaction"] == pytest.approx(both - one - other + clean, abs=1e-4)
        odds = [p - math.log(-math.expm1(p)) for p in (clean, one, other, both)]
        assert row["interaction_odds"] == pytest.approx(odds[3] - odds[1] - odds[2] + odds[0], abs=0.02)
        check_answers(model, row)


def test_of_the_lecture_s_passage_the_visit_is_needed_together() -> None:
    data = coffee().data
    assert data["left_out"] == 0
    assert len(data["rows"]) == 53 * 52 // 2
    first = data["rows"][0]
    assert (first["to"]["text"], first["from"]["text"], first["kind"]) == ("走进", "咖啡店", "together")
    assert first["again"]["above"]
    assert first["floored"]


def test_what_both_are_needed_for_and_what_either_is_enough_for_are_told_apart() -> None:
    """Yes needs w3 and w9; and w15, or w20 in its place."""

    def rule(passage: str) -> float:
        return (3.0 if has("w3", "w9")(passage) else -2.0) + (
            2.0 if has("w15")(passage) or has("w20")(passage) else -3.0
        )

    result = run("pairs", Ruled(rule), asked(WORDS))
    kinds = {(r["to"]["text"], r["from"]["text"]): r["kind"] for r in result.rows if r["kind"] != "apart"}
    assert kinds == {("w3", "w9"): "together", ("w15", "w20"): "instead"}
    told = headline(result.data, "en")
    assert "“w3” and “w9” are needed together" in told
    assert "“w15” and “w20” stand in for each other" in told


def test_what_adds_up_in_odds_is_no_pair() -> None:
    """Near certainty one word more or less hardly shows in the probability: nats alone see a pair there."""
    weights = {"w3": 3.0, "w9": 3.0}
    result = run(
        "pairs", Ruled(lambda p: -1.0 + sum(v for w, v in weights.items() if has(w)(p))), asked(WORDS)
    )
    (row,) = [r for r in result.rows if {r["to"]["text"], r["from"]["text"]} == set(weights)]
    assert abs(row["interaction"]) > 0.2
    assert row["interaction_odds"] == pytest.approx(0.0, abs=1e-9)
    assert row["kind"] == "apart"


def test_pairs_of_a_long_passage_are_found_coarse_to_fine() -> None:
    def rule(passage: str) -> float:
        one = 4.0 if has("w33", "w151")(passage) else -1.0
        return one + (2.0 if has("w77")(passage) or has("w78")(passage) else -4.0)

    model = Ruled(rule)
    result = run("pairs", model, asked(LONG), {"budget": 1500})
    found = {(r["to"]["text"], r["from"]["text"]): r["kind"] for r in result.rows if r["kind"] != "apart"}
    assert found == {("w33", "w151"): "together", ("w77", "w78"): "instead"}
    assert result.data["ended"]
    assert model.asked <= 200 + 2 + 1500 + 4 * 4 * 8
    assert "do not act on each other" in headline(result.data, "en")


@pytest.mark.parametrize("seed", range(12))
def test_of_a_model_that_guesses_no_pair_is_told_as_found(seed: int) -> None:
    result = run("pairs", Guessing(seed), asked(WORDS))
    CLAIMED.extend(
        row["again"]["above"] and row["again"]["sign"] * row["interaction"] > 0
        for row in result.rows
        if row["again"]
    )
    assert "needed together:" not in headline(result.data, "en") or sum(CLAIMED) <= 3


CLAIMED: list[bool] = []


def test_a_model_that_always_says_the_same_has_no_pairs() -> None:
    result = run("pairs", Stubborn(), asked(WORDS))
    assert not [row for row in result.rows if row["kind"] != "apart"]
    assert "none acts otherwise" in headline(result.data, "en")


def test_one_word_makes_no_pair() -> None:
    with pytest.raises(InputError) as refused:
        run("pairs", Stubborn(), asked("alone"))
    assert refused.value.key == "pairs.few"
