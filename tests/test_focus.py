"""What a text hangs on, and how concentrated that is: against plain forwards, stock generation and formulas
written out.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
import torch

from probes import load_model, preset, run
from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.asking.trials import CLEAN
from probes.errors import CapabilityError, InputError, LimitError
from probes.models.local import LocalModel
from probes.record.results import ProbeResult
from probes.running.headline import headline
from probes.running.over import run_over
from probes.studies.concentration import concentration
from probes.studies.focus import first_line
from probes.text.passage import Passage
from tests.oracle import log_prob, log_prob_hidden
from tests.rules import Drawing, Ruled, Stubborn, asked

PRESETS = ("crux-zh", "crux-en", "coffee-zh", "coffee-en")
TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return load_model("builtin")


@cache
def focus(name: str, **options: Any) -> ProbeResult:
    return run("focus", load_model("builtin"), preset(name).question(), options)


# ---- what the model goes on with


def generated(model: LocalModel, question: Question, tokens: int) -> tuple[list[int], list[int]]:
    """The prompt, and what stock generation goes on with, up to an end-of-text token."""
    prompt = model.tokenizer(model.prepare(question, [CLEAN])[0].prompt, add_special_tokens=False).input_ids
    stock = model.loaded.model
    ids = stock.generate(torch.tensor([prompt]), do_sample=False, max_new_tokens=tokens)[0, len(prompt) :]
    ends = stock.generation_config.eos_token_id
    known = set(ends) if isinstance(ends, list) else {ends}
    return prompt, list(itertools.takewhile(lambda token: token not in known, ids.tolist()))


@pytest.mark.parametrize("name", PRESETS)
def test_its_own_text_is_what_stock_generation_writes(model: LocalModel, name: str) -> None:
    data = focus(name).data
    prompt, ids = generated(model, preset(name).question(), 24)
    assert data["whose"] == "own"
    assert data["text"] == model.tokenizer.decode(ids)
    assert data["scored"][0]["ids"] == ids
    assert data["tokens"] == len(ids)
    assert data["log_prob"] == pytest.approx(log_prob(model.loaded.model, prompt, ids), abs=TOLERANCE)
    assert data["per_token"] == pytest.approx(data["log_prob"] / len(ids))


def test_it_goes_on_for_so_many_tokens(model: LocalModel) -> None:
    data = focus("crux-zh", tokens=1).data
    _, ids = generated(model, preset("crux-zh").question(), 1)
    assert data["tokens"] == len(ids) == 1
    assert data["text"] == model.tokenizer.decode(ids)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" once.\nQuestion: what", " once."),
        ("\n\n关键在于找到 \r\n问题", "\n\n关键在于找到"),
        (" all on one line ", " all on one line"),
        (" \n", " \n"),
        ("", ""),
    ],
)
def test_its_text_ends_with_its_first_line(written: str, kept: str) -> None:
    assert first_line(written) == kept


def test_a_model_that_writes_nothing_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = load_model("builtin")
    monkeypatch.setattr(silent, "greedy", lambda *_: " \n")
    with pytest.raises(InputError) as refused:
        run("focus", silent, preset("coffee-en").question())
    assert refused.value.key == "focus.nothing"


# ---- what each unit does to it


@pytest.mark.parametrize("text", [None, "three times, or so", "零次"])
@pytest.mark.parametrize("name", ["crux-zh", "coffee-en"])
def test_every_deletion_is_one_plain_forward(model: LocalModel, name: str, text: str | None) -> None:
    question = preset(name).question()
    data = focus(name, text=text).data
    before, behind = model.prepare(question, [CLEAN])[0].prompt.split(question.passage.text)
    ids = data["scored"][0]["ids"]
    assert data["text"].strip() == model.tokenizer.decode(ids).strip()

    def plain(passage: str) -> float:
        prompt = model.tokenizer(before + passage + behind, add_special_tokens=False).input_ids
        return log_prob(model.loaded.model, prompt, ids)

    clean, whole = plain(question.passage.text), question.passage
    assert data["log_prob"] == pytest.approx(clean, abs=TOLERANCE)
    assert [row["text"] for row in data["rows"]] == [word.text for word in whole.words]
    for row in data["rows"]:
        (start, end), *more = row["removed"]
        assert not more
        assert whole.text[start:end].strip() == row["text"]
        without = plain(whole.text[:start] + whole.text[end:]) - clean
        assert row["effect_log_prob"] == pytest.approx(without, abs=2 * TOLERANCE)


def test_hidden_and_replaced_words_and_whole_sentences(model: LocalModel) -> None:
    stock = model.loaded.model
    for options in ({"mode": "hide"}, {"mode": "replace"}, {"unit": "sentence"}, {"unit": "token"}):
        data = focus("coffee-en", **options).data
        ids = data["scored"][0]["ids"]
        for row in data["rows"][::5]:
            hidden = row["hidden_positions"]
            found = (
                log_prob_hidden(stock, row["prompt_ids"], ids, hidden)
                if hidden
                else log_prob(stock, row["prompt_ids"], ids)
            )
            assert row["effect_log_prob"] == pytest.approx(found - data["log_prob"], abs=2 * TOLERANCE)
        assert bool(data["rows"][0]["hidden_positions"]) == (options.get("mode") == "hide")


def test_a_given_text_that_is_an_answer_has_the_answers_effects() -> None:
    """Of an answer with one string, `words` measures the same."""
    question = Question(
        Passage("I walked into the shop. Then I left the shop."),
        "How many times did I go to the shop?",
        AnswerSet.parse("0=never;1=once"),
    )
    builtin = load_model("builtin")
    words = run("words", builtin, question, {"target": "1", "groups": False}).rows
    for one, other in zip(run("focus", builtin, question, {"text": "once"}).rows, words, strict=True):
        assert one["effect_log_prob"] == pytest.approx(other["effect_log_prob"], abs=TOLERANCE)


def test_a_text_too_long_for_the_window_is_refused() -> None:
    with pytest.raises(LimitError):
        focus("coffee-en", text="once " * 3000)


# ---- how concentrated it is


def by_hand(sizes: Sequence[float]) -> dict[str, float]:
    """As textbooks have it: all pairs, the whole sum."""
    total, n = sum(sizes), len(sizes)
    shares = [size / total for size in sizes]
    return {
        "entropy": sum(-p * math.log2(p) for p in shares if p > 0) / math.log2(n),
        "gini": sum(abs(a - b) for a in sizes for b in sizes) / (2 * n * n * (total / n)),
        **{f"top_{k}": sum(sorted(shares)[-k:]) for k in (1, 3, 5)},
    }


@pytest.mark.parametrize("seed", range(20))
def test_measures_are_what_plain_formulas_give(seed: int) -> None:
    rng = random.Random(seed)
    effects = [rng.gauss(0, 1) ** rng.choice((1, 3)) for _ in range(rng.randint(2, 60))]
    noise = rng.choice((0.0, 0.1))
    found = concentration(effects, noise)
    sizes = [abs(e) if abs(e) > noise else 0.0 for e in effects]
    for name, value in by_hand(sizes).items():
        assert found[name] == pytest.approx(value, abs=1e-12), name
    assert found["moving"] == sum(size > 0 for size in sizes)
    rng.shuffle(effects)
    again = concentration([3 * effect for effect in effects], 3 * noise)
    assert [again[m] for m in by_hand(sizes)] == pytest.approx([found[m] for m in by_hand(sizes)])


def test_measures_at_their_ends() -> None:
    equal = concentration([0.5, -0.5] * 4)
    assert (equal["entropy"], equal["gini"]) == (pytest.approx(1), pytest.approx(0))
    assert [equal[f"top_{k}"] for k in (1, 3, 5)] == pytest.approx([1 / 8, 3 / 8, 5 / 8])
    one = concentration([0.0, 0.01, -2.0, 0.0], noise=0.01)
    assert (one["entropy"], one["gini"]) == (pytest.approx(0), pytest.approx(3 / 4))
    assert (one["top_1"], one["top_5"], one["moving"]) == (1.0, 1.0, 1)
    for effects in ([0.0, 0.0], [None], []):
        nothing = concentration(effects)
        assert nothing["moving"] == 0
        assert all(nothing[m] is None for m in ("entropy", "gini", "top_1", "top_3", "top_5"))
    alone = concentration([2.0, None])
    assert (alone["n"], alone["left_out"], alone["entropy"], alone["gini"]) == (1, 1, None, 0.0)


@pytest.mark.parametrize("name", PRESETS)
def test_a_records_concentration_is_of_its_rows(name: str) -> None:
    data = focus(name).data
    found, floor = data["concentration"], data["noise_floor"]
    assert found["noise"] == floor
    sizes = [abs(r["effect_log_prob"]) if abs(r["effect_log_prob"]) > floor else 0.0 for r in data["rows"]]
    for measure, value in by_hand(sizes).items():
        assert found[measure] == pytest.approx(value, abs=1e-9)
    assert found["n"] == len(data["rows"])


def test_to_the_built_in_model_the_speech_has_less_of_a_focus_than_the_coffee_shop() -> None:
    for lang in ("zh", "en"):
        speech, coffee = (focus(f"{name}-{lang}").data["concentration"] for name in ("crux", "coffee"))
        assert speech["top_5"] < coffee["top_5"]
        assert speech["gini"] < coffee["gini"]
        assert speech["entropy"] > coffee["entropy"]


# ---- models that only answer


def test_who_only_answers_is_asked_for_a_text() -> None:
    with pytest.raises(CapabilityError) as refused:
        run("focus", Stubborn(), asked("He sat. He ran."))
    assert refused.value.key == "focus.only_answers"


def test_who_only_answers_is_measured_on_a_given_text() -> None:
    rule = Ruled(lambda passage: 2.0 if "sat" in passage else 0.0)

    class Alone(Ruled):
        """Tells the probability of the one text it is asked about."""

        def numbers(self, prompt: str, question: Question) -> Sequence[float]:
            (answer,) = question.answers.answers if len(question.answers.answers) == 1 else (None,)
            return super().numbers(prompt, question)[: 1 if answer else 2]

    data = run("focus", Alone(rule.rule), asked("He sat. He ran."), {"text": "yes"}).data
    yes = {power: math.log(1 / (1 + math.exp(-power))) for power in (0.0, 2.0)}
    assert data["log_prob"] == pytest.approx(yes[2.0])
    assert data["tokens"] is None
    for row in data["rows"]:
        moved = yes[0.0] - yes[2.0] if row["text"] == "sat" else 0.0
        assert row["effect_log_prob"] == pytest.approx(moved)
    assert (data["concentration"]["top_1"], data["concentration"]["moving"]) == (1.0, 1)
    assert "“sat”" in headline(data, "en")


def test_what_samples_leave_open_is_no_concentration() -> None:
    class Alone(Drawing):
        """The same from samples, of one text."""

        def numbers(self, prompt: str, question: Question) -> Sequence[float]:
            return super().numbers(prompt, question)[: len(question.answers.answers)]

    data = run("focus", Alone(lambda _: 0.0), asked("He sat. He ran."), {"text": "yes"}).data
    assert data["concentration"]["moving"] == 0
    assert "beyond the noise" in headline(data, "en")


def test_a_text_that_cannot_be_is_refused() -> None:
    class Never(Ruled):
        """Gives the one text nothing."""

        def numbers(self, prompt: str, question: Question) -> Sequence[float]:
            return [0.0] * len(question.answers.answers)

    with pytest.raises(InputError) as refused:
        run("focus", Never(lambda _: 0.0), asked("He sat."), {"text": "yes"})
    assert refused.value.key == "focus.impossible"


# ---- what is said


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", PRESETS)
def test_the_sentence_has_the_records_numbers(name: str, lang: str) -> None:
    data = focus(name).data
    told = headline(data, lang)
    assert data["text"].strip() in told
    assert data["target"]["text"] == data["text"].strip()
    assert f"{data['concentration']['gini']:.2f}" in told
    strongest = max(data["rows"], key=lambda row: abs(row["effect_log_prob"]))
    assert strongest["text"] in told
    assert str(len(data["rows"])) in told


def test_few_units_are_told_by_the_strongest_alone() -> None:
    data = focus("coffee-en", unit="sentence").data
    told = headline(data, "en")
    assert len(data["rows"]) < 6
    assert "the 1 that changes" in told
    share = data["concentration"]["top_1"]
    assert f"{share * 100:.0f} %" in told or ">99.9 %" in told or f"{share * 100:.1f} %" in told


def test_over_a_set_its_measures_are_averaged() -> None:
    questions = [preset(name).question() for name in ("coffee-en", "library-en", "gym-en")]
    result = run_over("focus", load_model("builtin"), questions, {})
    alone = [run("focus", load_model("builtin"), question).data["concentration"] for question in questions]
    for row in result.rows:
        values = [one[row["measure"]] for one in alone]
        assert row["values"] == pytest.approx(values, abs=1e-3)
        assert row["concentration"] == pytest.approx(sum(values) / 3, abs=1e-3)
    assert {row["measure"] for row in result.rows} == {"entropy", "gini", "top_1", "top_3", "top_5"}
