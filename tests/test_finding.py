"""The strongest words of a long passage: those of the whole study, in a fraction of its runs."""

from __future__ import annotations

import random

import pytest

from probes import load_model, preset, run
from probes.errors import InputError
from probes.record.store import Store
from probes.running.headline import headline
from tests.rules import Guessing, Ruled, asked, has

LONG = ". ".join(" ".join(f"w{n}" for n in range(at, at + 12)) for at in range(0, 1200, 12)) + "."


def weighted(seed: int) -> tuple[Ruled, set[str]]:
    """Ten words of weight in four sentences, the rest next to none."""
    rng = random.Random(seed)
    sentences = rng.sample(range(100), 4)
    words = [f"w{12 * s + n}" for s in sentences for n in rng.sample(range(12), 3)][:10]
    weights = {word: rng.uniform(0.4, 1.5) for word in words}

    def odds(passage: str) -> float:
        left = set(passage.replace(".", "").split())
        faint = sum(hash_of(word) for word in left) * 1e-6
        return -4.0 + sum(w for word, w in weights.items() if word in left) * 0.6 + faint

    return Ruled(odds), set(words)


def hash_of(word: str) -> float:
    return (int(word[1:]) * 7919 % 101 - 50) if word[1:].isdigit() else 0.0


@pytest.mark.parametrize("seed", range(5))
def test_the_ten_strongest_of_1200_words_are_found_in_a_tenth_of_the_runs(seed: int) -> None:
    model, words = weighted(seed)
    result = run("words", model, asked(LONG), {"find": 10, "budget": 140})
    found = {row["text"] for row in result.rows}
    assert len(found & words) >= 9
    told = result.data["find"]
    assert model.asked <= 141
    assert told["runs"] == model.asked - 1
    assert told["units"] == 1200
    assert told["alone"] + told["closed_units"] <= 1200
    spans = [(s["first"], s["last"]) for s in told["stretches"] if not s["opened"]]
    assert sum(last - first + 1 for first, last in spans) == told["closed_units"], "none of them was guessed"


def test_each_word_that_is_told_has_the_numbers_of_the_whole_study() -> None:
    model, question = load_model("builtin"), preset("coffee-en").question()
    whole = {row["index"]: row for row in run("words", model, question, {"groups": False}).rows}
    few = run("words", model, question, {"find": 4, "budget": 40})
    assert {row["text"] for row in few.rows} == {"walked", "into", "coffee", "shop"}
    for row in few.rows:
        other = whole[row["index"]]
        assert row["prompt_ids"] == other["prompt_ids"]
        assert row["effect_log_prob"] == pytest.approx(other["effect_log_prob"], abs=1e-4)
        assert row["role"] == other["role"]


def test_a_passage_that_is_shorter_than_the_runs_allowed_is_measured_whole() -> None:
    result = run("words", Ruled(lambda p: 1.0 if has("b")(p) else -1.0), asked("a b c d"), {"find": 2})
    assert result.data["find"]["alone"] == 4
    assert [row["text"] for row in result.rows][-1] == "b" or "b" in {row["text"] for row in result.rows}
    assert "All 4 words were taken away alone" in headline(result.data, "en")


def test_what_was_not_opened_is_told() -> None:
    result = run("words", Guessing(), asked(LONG), {"find": 5, "budget": 40})
    told = result.data["find"]
    assert not told["ended"]
    assert told["closed_units"] > 1000
    assert "stronger words may be among them" in headline(result.data, "en")


def test_a_stop_loses_nothing(tmp_path: object) -> None:
    store = Store(tmp_path / "trials.sqlite")  # type: ignore[operator]
    model, _ = weighted(1)
    options = {"find": 10, "budget": 120}
    rounds = iter(range(3))

    def stop(done: int, total: int) -> None:
        if done == total and next(rounds, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("words", model, asked(LONG), options, store=store, on_progress=stop)
    before = model.asked
    again = run("words", model, asked(LONG), options, store=store)
    assert again.data["provenance"]["from_store"] >= before - 1
    assert again.rows == run("words", model, asked(LONG), options, store=store).rows


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(InputError):
        run("words", Guessing(), asked("a b"), {"find": 0})
