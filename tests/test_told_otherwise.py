"""The passage told otherwise: other orders, invented and other words, mentions, other questions; against
texts written by hand and plain forwards.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from probes import load_model, preset, run
from probes.asking.answers import AnswerSet
from probes.asking.question import Question, Suggested
from probes.errors import CapabilityError, InputError
from probes.record.results import ProbeResult
from probes.running.headline import headline
from probes.text.passage import Passage
from tests.rules import Guessing, Ruled, Stubborn, asked, has
from tests.test_records import check_answers

FOUR = "One came. Two left. Three sat. Four ate."
COFFEE = ("order", "definition", "counterfactual", "frequency", "questions")


@cache
def coffee(study: str, lang: str) -> ProbeResult:
    options = {"definition": {"words": 2}, "frequency": {"draws": 2}}.get(study, {})
    return run(study, load_model("builtin"), preset(f"coffee-{lang}").question(), options)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("study", COFFEE)
def test_every_row_can_be_checked_by_one_plain_forward(study: str, lang: str) -> None:
    model, rows = load_model("builtin"), coffee(study, lang).rows
    for row in rows[:: max(1, len(rows) // 6)]:
        check_answers(model, row)
        if "second" in row:
            check_answers(model, row["second"])
    said = headline(coffee(study, lang).data, lang)
    assert said
    assert "{" not in said


# ---- order


def test_orders_are_told_as_they_are_run() -> None:
    seen: list[str] = []

    def rule(passage: str) -> float:
        seen.append(passage)
        return 3.0 if passage.index("Two") < passage.index("Four") else -3.0

    result = run("order", Ruled(rule), asked(FOUR), {"shuffles": 50})
    sentences = [unit["text"] for unit in result.data["units"]]
    by_hand = {order: " ".join(sentences[i] for i in order) for order in itertools.permutations(range(4))}
    assert {tuple(row["order"]) for row in result.rows} == set(by_hand) - {(0, 1, 2, 3)}
    for row in result.rows:
        order = tuple(row["order"])
        assert by_hand[order] in row["prompt"]
        assert row["flips"] == (order.index(1) > order.index(3))
    kinds = {kind["how"]: kind for kind in result.data["kinds"]}
    assert kinds["swapped"]["n"] == 3
    assert sum(kind["n"] for kind in kinds.values()) == 23
    assert sum(kind["kept"] for kind in kinds.values()) == 11
    assert "Every order was tried" in headline(result.data, "en")


def test_what_stands_between_sentences_stays_where_it_is() -> None:
    text = "One came.\n\nTwo left. Three sat."
    result = run("order", Stubborn(), asked(text), {"shuffles": 0})
    (reversed_,) = [row for row in result.rows if row["how"] == "reversed"]
    assert "Three sat.\n\nTwo left. One came.\nQuestion" in reversed_["prompt"]


def test_words_change_places_within_their_sentences_alone() -> None:
    result = run("order", Stubborn(), asked("a b c d e. f g h i j."), {"moved": "word", "shuffles": 9})
    assert len(result.rows) == 9
    for row in result.rows:
        passage = row["prompt"].rpartition("\nQuestion")[0]
        one, two = passage.rstrip(".").split(". ")
        assert sorted(one.split()) == list("abcde")
        assert sorted(two.split()) == list("fghij")
        assert passage != "a b c d e. f g h i j."


def test_an_order_of_ones_own_is_run_and_a_wrong_one_refused() -> None:
    result = run("order", Stubborn(), asked(FOUR), {"order": "4,1,3,2", "shuffles": 0})
    assert result.rows[0]["how"] == "own"
    assert "Four ate. One came. Three sat. Two left." in result.rows[0]["prompt"]
    for wrong in ("1,2,3", "1,1,2,3", "a,b,c,d", "5,1,2,3", "1,2,3,99999999999999999999"):
        with pytest.raises(InputError) as refused:
            run("order", Stubborn(), asked(FOUR), {"order": wrong})
        assert refused.value.key == "order.no_order"
    with pytest.raises(InputError) as alone:
        run("order", Stubborn(), asked("Only one."))
    assert alone.value.key == "order.few"


# ---- definition


def explained(passage: str) -> float:
    """Yes for those who read "ran", or who are told what stands for it."""
    words = passage.replace("“", " ").replace("”", " ").replace(".", "").split()
    if "means" in words:
        at = words.index("means")
        word, meaning = words[at - 1], words[at + 1]
        words = [meaning if one == word else one for one in words[at + 2 :]]
    return 3.0 if "ran" in words else -3.0


def test_a_definition_helps_who_follows_it() -> None:
    result = run("definition", Ruled(explained), asked("He ran home. He slept."), {"change": "ran"})
    kinds = {kind["kind"]: kind["kept"] for kind in result.data["kinds"]}
    assert kinds == {"undefined": 0, "defined": 8, "other": 0}
    first = next(row for row in result.rows if row["kind"] == "defined")
    assert first["prompt"].startswith(
        f"“{first['invented']}” means “ran”. He {first['invented']} home. He slept."
    )
    assert result.data["beside"]["effect_log_prob"] == pytest.approx(0.0)
    told = headline(result.data, "en")
    assert "with 0 of 8" in told
    assert "with 8 of 8" in told
    assert "its words may help" not in told


def test_a_definition_that_helps_by_its_words_alone_is_told_apart() -> None:
    result = run(
        "definition", Ruled(lambda p: 3.0 if "ran" in p else -3.0), asked("He ran home."), {"change": "ran"}
    )
    assert {kind["kind"]: kind["kept"] for kind in result.data["kinds"]} == {
        "undefined": 0,
        "defined": 8,
        "other": 8,
    }
    assert "its words may help" in headline(result.data, "en")


def test_invented_words_keep_an_ending_and_are_several_tokens() -> None:
    rows = coffee("definition", "en").rows
    assert {row["invented"] for row in rows} == {"florped", "zorbed"}
    assert all(row["word_tokens"] >= 2 for row in rows)
    assert not [
        note for note in coffee("definition", "en").data["notes"] if note["key"].startswith("invented")
    ]
    given = run("definition", Stubborn(), asked("He ran home."), {"change": "ran", "invent": "dax; wug"})
    assert {row["invented"] for row in given.rows} == {"dax", "wug"}
    assert "invented_unchecked" in [note["key"] for note in given.data["notes"]]
    with pytest.raises(InputError) as refused:
        run("definition", Stubborn(), asked("He ran home."), {"change": "ran", "invent": "home"})
    assert refused.value.key == "definition.known"


def test_what_one_token_says_may_be_known() -> None:
    found = run("definition", load_model("builtin"), preset("coffee-en").question(), {"invent": "library"})
    assert next(n for n in found.data["notes"] if n["key"] == "invented_known")["words"] == "library"


# ---- counterfactual


def test_replacements_are_the_readers_or_the_passages() -> None:
    rule = Ruled(lambda p: -3.0 if "past" in p else 3.0)
    question = Question(
        Passage("He walked in. He sat."),
        "Is it so?",
        AnswerSet.parse("yes=yes;no=no"),
        suggested=Suggested(rewordings=(("walked in", ("walked past", "ran in")), ("sat", ("stood",)))),
    )
    result = run("counterfactual", rule, question)
    assert [(row["own"], row["text"], row["flips"]) for row in result.rows] == [
        ("walked in", "walked past", True),
        ("walked in", "ran in", False),
        ("sat", "stood", False),
    ]
    assert "With “walked past” in the place of “walked in” it says “no”" in headline(result.data, "en")
    mine = run("counterfactual", rule, question, {"change": "sat", "to": "went past；lay; lay; sat"})
    assert [(row["text"], row["from"]) for row in mine.rows] == [("went past", "reader"), ("lay", "reader")]
    assert "He walked in. He went past.\n" in mine.rows[0]["prompt"]
    with pytest.raises(InputError) as refused:
        run("counterfactual", rule, asked("He sat."))
    assert refused.value.key == "counterfactual.none"


def test_who_cannot_write_proposes_nothing() -> None:
    with pytest.raises(CapabilityError) as closed:
        run("counterfactual", Stubborn(), asked("He sat."), {"change": "sat", "propose": 3})
    assert closed.value.key == "inside_closed"
    with pytest.raises(CapabilityError) as builtin:
        run("counterfactual", load_model("builtin"), preset("coffee-en").question(), {"propose": 3})
    assert builtin.value.key == "proposals_builtin"


# ---- frequency


def counting(passage: str, question: Question) -> Sequence[float]:
    return [0.9 if n == min(passage.count("shop"), 5) else 0.02 for n in range(6)]


class Counter(Stubborn):
    """Answers how often a word is mentioned."""

    def numbers(self, prompt: str, question: Question) -> Sequence[float]:
        return counting(prompt.rpartition("\nQuestion")[0], question)


def visits(text: str, **changes: Any) -> Question:
    answers = AnswerSet.parse(";".join(f"{n}={n}" for n in range(6)))
    return Question(Passage(text), "How often did I go to the shop?", answers, **changes)


def test_who_counts_mentions_is_found_out() -> None:
    result = run("frequency", Counter(), visits("I went to the shop. I slept."))
    assert result.data["mention"] == "shop"
    assert result.data["mentions"] == 1
    for row in result.rows:
        passage = row["prompt"].rpartition("\nQuestion")[0]
        assert (
            passage.count("shop") == row["mentions"] == 1 + (row["added"] if row["kind"] == "mention" else 0)
        )
        assert passage.count("lighthouse") == (row["added"] if row["kind"] == "control" else 0)
        assert row["probability_of_mentions"] == pytest.approx(0.9)
    assert result.data["slope"]["mean"] > 0.8
    told = headline(result.data, "en")
    assert "follows the mentions" in told
    assert "“4”" in told


def test_who_reads_for_visits_is_not() -> None:
    class Reader(Counter):
        def numbers(self, prompt: str, question: Question) -> Sequence[float]:
            return counting("shop " * prompt.rpartition("\nQuestion")[0].count("went to"), question)

    result = run("frequency", Reader(), visits("I went to the shop. I slept."))
    assert result.data["slope"]["mean"] == pytest.approx(0.0)
    assert "does not clearly follow" in headline(result.data, "en")


def test_idle_mentions_are_taken_away_and_visits_are_not() -> None:
    text = "I went to the shop. The shop is red. A shop is nice."
    key = (text.index("went"), text.index("shop") + 4)
    result = run("frequency", Counter(), visits(text, roles={"key": (key,)}), {"draws": 1, "added": 1})
    taken = [row for row in result.rows if row["kind"] == "taken"]
    assert [(row["added"], row["mentions"]) for row in taken] == [(-1, 2), (-2, 1)]
    assert all("went to the shop." in row["prompt"] for row in taken)


def test_answers_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(InputError) as refused:
        run("frequency", Stubborn(), asked("He sat."), {"mention": "sat"})
    assert refused.value.key == "frequency.no_numbers"
    with pytest.raises(InputError) as missing:
        run("frequency", Counter(), visits("I slept."), {"mention": "shop"})
    assert missing.value.key == "word_not_found"
    with pytest.raises(InputError) as unsaid:
        run("frequency", Counter(), visits("XYZ."))
    assert unsaid.value.key == "frequency.no_mention"


# ---- questions


def test_the_other_question_has_the_numbers_of_the_study_of_words() -> None:
    model, question = load_model("builtin"), preset("coffee-en").question()
    asked_, answers, _ = question.suggested.other or ("", None, None)
    assert answers is not None
    there = Question(question.passage, asked_, answers, language="en")
    alone = run("words", model, there, {"groups": False})
    for row, other in zip(coffee("questions", "en").rows, alone.rows, strict=True):
        assert row["text"] == other["text"]
        assert row["second"]["prompt_ids"] == other["prompt_ids"]
        assert row["second"]["effect_log_prob"] == pytest.approx(other["effect_log_prob"], abs=1e-4)
        assert row["second"]["top"] == other["top"]
    data = coffee("questions", "en").data
    assert data["second"]["top"] == "latte"
    strongest = sorted(data["rows"], key=lambda row: row["second"]["effect_log_prob"])[:2]
    assert {row["text"] for row in strongest} == {"ordered", "latte"}


def test_a_question_without_answers_is_refused() -> None:
    with pytest.raises(InputError) as none:
        run("questions", Stubborn(), asked("He sat."))
    assert none.value.key == "questions.none"
    with pytest.raises(InputError) as half:
        run("questions", Stubborn(), asked("He sat."), {"other": "Who?"})
    assert half.value.key == "questions.no_answers"


def test_words_that_matter_to_one_question_alone_are_told() -> None:
    class Two(Stubborn):
        def numbers(self, prompt: str, question: Question) -> Sequence[float]:
            word = "sat" if "so" in question.question else "ran"
            yes = 0.95 if has(word)(prompt.partition("\nQuestion")[0]) else 0.05
            return [yes, 1 - yes]

    options = {"other": "Who ran?", "other_answers": "he=he;she=she"}
    told = headline(run("questions", Two(), asked("He sat. He ran."), options).data, "en")
    assert "Only then do these matter: “ran”" in told
    assert "no longer matter: “sat”" in told


# ---- models that tell nothing


@pytest.mark.parametrize("seed", range(6))
def test_a_model_that_guesses_is_not_said_to_learn_or_to_count(seed: int) -> None:
    class Wild(Guessing):
        def numbers(self, prompt: str, question: Question) -> Sequence[float]:
            import random

            rng = random.Random(f"{seed}{prompt}")
            drawn = [rng.random() for _ in question.answers.answers]
            return [one / sum(drawn) for one in drawn]

    text = "I went to the shop. Then I slept. The shop is red."
    counted = run("frequency", Wild(), visits(text))
    CLAIMS.append("does not clearly follow" not in headline(counted.data, "en"))
    learnt = run("definition", Wild(), visits(text), {"change": "went"})
    gain = learnt.data["gain_over_other"]
    CLAIMS.append(gain["low"] is not None and gain["low"] > 0)
    assert sum(CLAIMS) <= 2


CLAIMS: list[bool] = []
