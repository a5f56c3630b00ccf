"""Models that only answer run every study that only needs answers, and are refused by the others."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from probes import run
from probes.asking.answers import AnswerSet
from probes.asking.distribution import Distribution
from probes.asking.question import Question
from probes.errors import CapabilityError
from probes.locale import note_text
from probes.record.store import Store
from probes.running.headline import headline
from probes.studies import STUDIES
from probes.studies.doubt import intervals
from probes.studies.effects import Target, effect
from probes.text.passage import Passage
from tests.fake_models import Counting, FirstTokens, Sampling

QUESTION = Question(
    Passage("I walked into the shop. Then I walked home."),
    "How often?",
    AnswerSet.parse("0=never;1=once;2=twice"),
    right="1",
)
OPTIONS: dict[str, dict[str, Any]] = {
    "ask": {"drop": "walked#2"},
    "words": {"control": 3},
    "definition": {"change": "walked#1"},
    "counterfactual": {"change": "walked", "to": "ran;looked"},
    "frequency": {"mention": "walked"},
    "questions": {"other": "Who walked?", "other_answers": "0=I;1=you;2=they"},
    "focus": {"text": "twice"},
}
SETTINGS = {"points": 1.0, "nats": 0.05}
KINDS = [Counting, Sampling, FirstTokens]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("study", [name for name, study in STUDIES.items() if not study.needs])
def test_what_needs_answers_alone_runs(study: str, kind: type[Counting], tmp_path: Path) -> None:
    model, store = kind(), Store(tmp_path / "trials.sqlite")
    result = run(study, model, QUESTION, OPTIONS.get(study, {}), store=store)
    assert result.data["clean"]["top"] == "2"
    assert result.data["noise_floor"] is None
    for lang in ("en", "zh"):
        assert headline(result.data, lang)
        assert all(note_text(note, lang) for note in result.data["notes"])
        STUDIES[study].tabled(result.data, lang)
        assert STUDIES[study].picture(result, lang).to_dict()
    assert json.loads(result.to_json())
    assert result.to_csv()
    asked = model.asked
    again = run(study, model, QUESTION, OPTIONS.get(study, {}), store=store)
    assert model.asked == asked, "what is known is not asked again"
    assert again.rows == result.rows


def test_numbers_of_another_kind_of_the_same_name_are_not_its_own(tmp_path: Path) -> None:
    class Namesake(Counting):
        def numbers(self, prompt: str, question: Question) -> Sequence[float]:
            return [0.9, 0.0, 0.0]

    store = Store(tmp_path / "trials.sqlite")
    assert run("ask", Counting(), QUESTION, {}, store=store).data["top"] == "2"
    assert run("ask", Namesake(), QUESTION, {}, store=store).data["top"] == "0"
    assert run("ask", Namesake(), QUESTION, {}, store=store).data["provenance"]["from_store"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_its_effects_are_what_it_does(kind: type[Counting]) -> None:
    rows = {(r["text"], r["occurrence"]): r for r in run("words", kind(), QUESTION, {}).rows}
    for place in (("walked", 1), ("walked", 2)):
        assert rows[place]["top"] == "1"
        assert rows[place]["flips_clearly"]
        assert rows[place]["no_change"] is False
    assert rows["shop", 1]["no_change"] is (None if kind is Sampling else True)


def test_the_sentence_says_what_samples_leave_open() -> None:
    said = {lang: run("words", Sampling(), QUESTION, {}, lang=lang).headline for lang in ("en", "zh")}
    assert "cannot be told from what is known" in said["en"]
    assert "定不下来" in said["zh"]
    assert "0 of" not in said["en"]


@pytest.mark.parametrize("study", [name for name, study in STUDIES.items() if study.needs])
def test_what_needs_more_is_refused(study: str) -> None:
    model = Counting()
    with pytest.raises(CapabilityError) as refused:
        run(study, model, QUESTION, {})
    assert refused.value.key == "inside_closed"
    assert model.asked == 0


def test_what_it_cannot_do_is_refused_in_words() -> None:
    for study, options, key in (
        ("words", {"mode": "hide"}, "hide_closed"),
        ("words", {"unit": "token"}, "tokens_closed"),
        ("ask", {"ablate_heads": "0.0"}, "inside_closed"),
    ):
        with pytest.raises(CapabilityError) as refused:
            run(study, Counting(), QUESTION, options)
        assert refused.value.key == key


# ---- answers that are not told exactly

ANSWERS = QUESTION.answers
ONE = Target("1", 1)
PAIR = Target("1:2", 1, 2)


def test_a_record_says_how_its_answers_are_known() -> None:
    data = run("ask", Sampling(samples=30), QUESTION, {}).data
    assert data["known"] == {"how": "samples", "samples": 30}
    assert data["notes"][0]["key"] == "known_samples"
    for answer in data["answers"]:
        assert answer["probability"] == pytest.approx(answer["count"] / 30)
        assert answer["interval"][0] <= answer["probability"] <= answer["interval"][1]
    told = run("ask", FirstTokens(), QUESTION, {}).data
    assert told["known"]["how"] == "first_token"
    assert [a["interval"] for a in told["answers"]] == [
        pytest.approx(pair, abs=1e-9) for pair in ([0, 0.1], [0, 0.1], [0.9, 0.9])
    ]
    assert "known" not in run("ask", Counting(), QUESTION, {}).data


def test_nothing_is_infinite_for_want_of_a_sample() -> None:
    none, all_ = Distribution.drawn(ANSWERS, (0, 0, 20), 20), Distribution.drawn(ANSWERS, (0, 20, 0), 20)
    found = effect(none, all_, ONE, SETTINGS)
    assert math.isfinite(found["effect_log_prob"])
    assert math.isfinite(found["kl"])
    assert found["effect_probability"] == 1.0
    assert found["flips_clearly"]
    assert found["effect_log_prob_interval"][1] is None, "it may have been never at all"


def test_a_flip_within_the_samples_noise_is_not_clear() -> None:
    before = Distribution.drawn(ANSWERS, (0, 10, 9), 20)
    after = Distribution.drawn(ANSWERS, (0, 9, 11), 20)
    found = effect(before, after, ONE, SETTINGS)
    assert found["flips"]
    assert not found["flips_clearly"]
    assert found["no_change"] is None


@pytest.mark.parametrize("target", [ONE, PAIR], ids=["one", "pair"])
@pytest.mark.parametrize(
    ("first", "second"), [((0.1, 0.6, 0.2), (0.1, 0.3, 0.5)), ((0.3, 0.4, 0.2), (0.3, 0.4, 0.2))]
)
def test_intervals_of_samples_cover_what_is_true(
    target: Target, first: tuple[float, ...], second: tuple[float, ...]
) -> None:
    """By simulation, 60 samples each: 95 %, by at most three standard errors less."""
    rng, rounds, held = random.Random(3), 1500, [0, 0]

    def drawn(shares: tuple[float, ...]) -> Distribution:
        found = rng.choices(range(4), [*shares, 1 - sum(shares)], k=60)
        return Distribution.drawn(ANSWERS, [found.count(i) for i in range(3)], 60)

    def true(shares: tuple[float, ...]) -> tuple[float, float]:
        told = Distribution.told(ANSWERS, shares)
        return target.probability(told), target.log(told)

    wanted = [b - a for a, b in zip(true(first), true(second), strict=True)]
    for _ in range(rounds):
        found = intervals(drawn(first), drawn(second), target)
        names = ("effect_probability_interval", "effect_log_prob_interval")
        for place, (name, value) in enumerate(zip(names, wanted, strict=True)):
            low, high = found[name]
            held[place] += (low is None or low <= value) and (high is None or value <= high)
    error = 3 * math.sqrt(0.95 * 0.05 / rounds)
    for count in held:
        assert 0.95 - error <= count / rounds <= 0.99


def test_bounds_of_first_tokens_hold_whatever_was_not_told() -> None:
    rng = random.Random(5)
    for _ in range(300):
        pairs = []
        for _ in range(2):
            weights = [rng.random() for _ in range(4)]
            shares = [w / sum(weights) for w in weights][:3]
            kept = [share if rng.random() < 0.5 else 0.0 for share in shares]
            left = 1 - sum(kept)
            pairs.append((shares, [(low, low if low else left) for low in kept]))
        (a, low_a), (b, low_b) = pairs
        for target in (ONE, PAIR):
            found = intervals(
                Distribution.bounded(ANSWERS, low_a), Distribution.bounded(ANSWERS, low_b), target
            )
            true = [target.probability(Distribution.told(ANSWERS, s)) for s in (a, b)]
            low, high = found["effect_probability_interval"]
            assert low is not None
            assert high is not None
            assert low - 1e-9 <= true[1] - true[0] <= high + 1e-9
