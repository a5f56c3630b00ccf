"""Methods from before language models, against plain ones written here: rules by passages made by hand,
PageRank by iteration, TF-IDF by hand, average precision over all orders.
"""

from __future__ import annotations

import itertools
import math
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from probes import load_model, preset, run
from probes.asking.answers import AnswerSet
from probes.asking.question import Question, Suggested, presets
from probes.errors import InputError
from probes.ranks import average_precision, expected_precision
from probes.record.results import ProbeResult
from probes.running.headline import headline
from probes.running.over import run_over
from probes.running.sets import questions_of
from probes.studies import STUDIES
from probes.studies.arrivals import arrivals
from probes.studies.frequency import mention_of
from probes.studies.word_scores import RANKINGS, corpus_of, textrank, tfidf, word_scores
from probes.text.passage import Passage
from probes.text.phrases import occurrences
from tests.fake_models import Counting
from tests.rules import Ruled, asked
from tests.test_records import check_answers

COUNTS = AnswerSet.parse("0=never;1=once;2=twice;3=three times")
HAND = [
    # passage, place, mentions, verbs of arriving before it, those of them that are stated
    ("I went to the bar. I slept.", "bar", 1, 1, 1),
    ("I did not go to the bar. The bar was shut.", "bar", 2, 1, 0),
    ("I never visited the museum, but she did.", "museum", 1, 1, 0),
    ("I walked past the bar. Then I walked into the old red bar.", "bar", 2, 1, 1),
    ("I wanted to rest, so I went back to the hotel.", "hotel", 1, 1, 1),
    ("I wanted to rest and went to the hotel.", "hotel", 1, 1, 1),
    ("I didn’t enter the shop. I almost entered the shop. I entered the shop.", "shop", 3, 3, 1),
    ("I went to the bank opposite the gym.", "gym", 1, 0, 0),
    ("I came out of the gym, and went home.", "gym", 1, 0, 0),
    ("We arrived at the station. The station was full.", "station", 2, 1, 1),
    ("I went. The shop was open.", "shop", 1, 0, 0),
    ("Nobody knows the way to the shop.", "shop", 1, 0, 0),
    ("I went to a very old and quiet, but not at all cheap, inn.", "inn", 1, 0, 0),
    ("GOING TO THE BAR is what I do. If I go to the bar, I drink.", "bar", 2, 2, 1),
    ("我走进书店。书店很大。", "书店", 2, 1, 1),
    ("我没有去书店，他说书店关门了。", "书店", 2, 1, 0),
    ("我决定去我最喜欢的书店。", "书店", 1, 1, 0),
    ("我差点去了电影院，后来来到图书馆。", "电影院", 1, 1, 0),
    ("我差点去了电影院，后来来到图书馆。", "图书馆", 1, 1, 1),
    ("我路过医院，看见医院的灯。", "医院", 2, 0, 0),
    ("我从医院出来，回到了医院。", "医院", 2, 1, 1),
    ("我想休息，然后去了公园。", "公园", 1, 1, 1),
    ("我不想去公园。我又去了那个公园两次。", "公园", 2, 2, 1),
    ("过去的公园很小。", "公园", 1, 0, 0),
]


@pytest.mark.parametrize(("text", "place", "mentions", "verbs", "stated"), HAND)
def test_the_rules_count_what_a_hand_counts(
    text: str, place: str, mentions: int, verbs: int, stated: int
) -> None:
    passage = Passage(text)
    places = occurrences(text, place)
    found = arrivals(passage, places)
    assert len(places) == mentions
    assert len(found) == verbs
    assert sum(one.cue is None for one in found) == stated
    for one in found:
        assert text[slice(*one.span)].casefold().endswith(place)


@pytest.mark.parametrize("name", [name for name in presets() if preset(name).suggested.mention])
def test_on_the_presets_the_rule_without_plans_is_right(name: str) -> None:
    """They are short and plain: what it takes to go wrong is not in them."""
    question = preset(name).question()
    assert question.suggested.mention
    places = occurrences(question.passage.text, question.suggested.mention)
    found = arrivals(question.passage, places)
    assert str(sum(one.cue is None for one in found)) == question.right


# ---- rankings


def by_iteration(words: Sequence[str], damping: float = 0.85) -> dict[str, float]:
    """PageRank of the words that stand beside each other, as the paper writes it: 300 rounds from 1."""
    beside: dict[str, set[str]] = {word: set() for word in words}
    for one, other in itertools.pairwise(words):
        if one != other:
            beside[one].add(other)
            beside[other].add(one)
    score = dict.fromkeys(beside, 1.0)
    for _ in range(300):
        score = {
            word: 1 - damping + damping * sum(score[n] / len(beside[n]) for n in beside[word])
            for word in beside
        }
    return score


@pytest.mark.parametrize("seed", range(5))
def test_textrank_is_pagerank_by_iteration(seed: int) -> None:
    rng = random.Random(seed)
    words = [rng.choice("abcdefghij") for _ in range(rng.randint(1, 60))]
    assert textrank(words) == pytest.approx(by_iteration(words), abs=2e-6)


def test_textrank_of_next_to_nothing() -> None:
    assert textrank(["a"]) == {"a": 0.15}
    assert textrank(["a", "a"]) == {"a": 0.15}
    assert textrank(["a", "b"]) == {"a": 1.0, "b": 1.0}


def test_tfidf_by_hand() -> None:
    corpus = [{"a", "b"}, {"a", "c"}, {"a"}]
    found = tfidf(["a", "b", "b", "a", "a"], corpus)
    assert found["a"] == pytest.approx(3 * (math.log(4 / 4) + 1))
    assert found["b"] == pytest.approx(2 * (math.log(4 / 2) + 1))


def test_words_that_are_equal_have_one_score() -> None:
    scores = word_scores(["The", "cat", "the", "mat"], [{"the", "cat", "mat"}, {"the"}])
    assert set(scores) == set(RANKINGS)
    assert scores["frequency"] == [2, 1, 2, 1]
    assert scores["tfidf"][0] == scores["tfidf"][2] == pytest.approx(2.0)
    assert scores["tfidf"][1] == pytest.approx(math.log(3 / 2) + 1)
    assert scores["textrank"][0] == scores["textrank"][2]


def test_the_corpus_holds_the_passage_once() -> None:
    question = preset("coffee-zh").question()
    names, corpus = corpus_of(question)
    assert len(corpus) == len(names) + 1
    assert set(names) == {n for n in presets() if n.endswith("-zh")} - {"coffee-zh"}
    assert "咖啡店" in corpus[0]
    assert not any("咖啡店" in words for words in corpus[1:])
    assert corpus_of(replace(question, preset=None))[0] == names, "the same text without its name"


def by_all_orders(scores: Sequence[float], wanted: set[int]) -> float:
    """The mean average precision of every order that the scores allow."""
    found = [
        average_precision(order, wanted)
        for order in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
    ]
    return sum(found) / len(found)


@pytest.mark.parametrize("seed", range(12))
def test_precision_where_words_tie_is_the_mean_over_all_orders(seed: int) -> None:
    rng = random.Random(seed)
    scores = [float(rng.randint(0, 2)) for _ in range(6)]
    wanted = set(rng.sample(range(6), rng.randint(1, 4)))
    assert expected_precision(scores, wanted) == pytest.approx(by_all_orders(scores, wanted))
    assert expected_precision([0.0] * 6, wanted) == pytest.approx(by_all_orders([0.0] * 6, wanted))
    with pytest.raises(ValueError, match="nothing"):
        expected_precision(scores, set())


# ---- the study


@cache
def coffee(lang: str) -> ProbeResult:
    return run("baselines", load_model("builtin"), preset(f"coffee-{lang}").question(), {})


def visits(text: str, **changes: Any) -> Question:
    return Question(Passage(text), "How many times did I go to the shop?", COUNTS, **changes)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_lecture_s_passage(lang: str) -> None:
    data = coffee(lang).data
    methods = {row["method"]: row for row in data["methods"]}
    assert [methods[name]["number"] for name in ("mentions", "verbs", "stated", "model")] == [3, 2, 1, 1]
    assert [row["correct"] for row in data["methods"]] == [False, False, True, True]
    assert methods["mentions"]["top"] == "3"
    text = data["clean"]["passage"]
    (left_out,) = methods["stated"]["left_out"]
    assert left_out["cue"] in {"en": "decided to", "zh": "决定"}[lang]
    assert (
        text[slice(*left_out["span"])]
        == {
            "en": "go to my favourite coffee shop",
            "zh": "去我最喜欢的咖啡店",
        }[lang]
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_its_effects_are_those_of_words_and_can_be_checked(lang: str) -> None:
    model, rows = load_model("builtin"), coffee(lang).rows
    words = run("words", model, preset(f"coffee-{lang}").question(), {"groups": False}).rows
    assert [row["text"] for row in rows] == [row["text"] for row in words]
    ours, theirs = ([row["effect_log_prob"] for row in found] for found in (rows, words))
    assert ours == pytest.approx(theirs, abs=1e-4)
    for row in rows[::9]:
        check_answers(model, row)


def test_rho_and_precision_are_by_hand() -> None:
    """ "cat" alone matters, it is key, and it stands twice as often as any other word."""
    text = "cat sat down here cat"

    def rule(passage: str) -> float:
        return float(passage.split().count("cat"))

    data = run("baselines", Ruled(rule), asked(text, roles={"key": ((0, 3), (18, 21))})).data
    found = {one["ranking"]: one for one in data["rankings"]}
    assert found["frequency"]["rho"] == pytest.approx(1.0)
    assert found["frequency"]["precision"] == found["model"]["precision"] == pytest.approx(1.0)
    assert found["model"]["rho"] is None
    assert data["precision_by_chance"] == pytest.approx(by_all_orders([0.0] * 5, {0, 4}))
    shifted = [[0.0] * 5 for _ in range(5)]
    for by in range(5):
        for place in (0, 4):
            shifted[by][(place + by) % 5] = 1.0
    alike = sum(one == [1.0, 0, 0, 0, 1.0] for one in shifted)
    assert found["frequency"]["p"] == pytest.approx(alike / 5)


def test_a_number_that_is_no_answer_is_said_to_be_none() -> None:
    text = "I saw the shop. " * 5
    result = run("baselines", Counting("shop"), visits(text, right="0"))
    row = result.data["methods"][0]
    assert (row["number"], row["top"], row["correct"]) == (5, None, False)
    assert "5 (none of the answers)" in headline(result.data, "en")
    assert "5（不在答案之列）" in headline(result.data, "zh")
    cells = STUDIES["baselines"].tabled(result.data, "en").rows[0]
    assert cells[1:4] == ["5 (none of the answers)", "no", "“shop”"]
    assert result.data["methods"][1]["correct"], "nobody went there: never"


def test_questions_that_are_no_counts_rank_words_all_the_same() -> None:
    result = run("baselines", Counting(), asked("I walked home. I slept."))
    assert result.data["missing"] == "numbers"
    assert all(row["number"] is None for row in result.data["methods"])
    table = STUDIES["baselines"].tabled(result.data, "en")
    assert [row[1] for row in table.rows[:3]] == ["not applicable"] * 3
    assert any(one["rho"] is not None for one in result.data["rankings"])
    assert "The answers are no numbers" in headline(result.data, "en")
    assert STUDIES["baselines"].picture(result, "zh").to_dict()


def test_what_cannot_be_counted_is_said() -> None:
    result = run("baselines", Counting(), visits("I slept at home."))
    assert result.data["missing"] == "mention"
    assert "--mention" in headline(result.data, "en")
    with pytest.raises(InputError, match="shop"):
        run("baselines", Counting(), visits("I slept at home."), {"mention": "shop"})
    suggested = visits("I slept at home.", suggested=Suggested(mention="shop"), right="0")
    none = run("baselines", Counting(), suggested).data["methods"]
    assert [row["correct"] for row in none[:3]] == [True] * 3, "mentioned nowhere: never"
    with pytest.raises(InputError) as empty:
        run("baselines", Counting(), visits("…"))
    assert empty.value.key == "no_units"


def test_without_a_right_answer_none_is_called_right() -> None:
    result = run("baselines", Counting(), visits("I went to the shop."))
    assert {row["correct"] for row in result.data["methods"]} == {None}
    assert "is right" not in headline(result.data, "en")


def test_no_part_of_a_word_is_taken_for_what_is_asked() -> None:
    """ "How" is in no word of its own here, though "shop" and "home" hold its letters."""
    text = "I walked to the shop, then home."
    with pytest.raises(InputError) as unsaid:
        mention_of(replace(visits(text), question="How often?"), None)
    assert unsaid.value.key == "frequency.no_mention"
    assert mention_of(visits(text), None) == "shop"
    chinese = Question(Passage("我去了老街的书店。书店很大。"), "我去了几次书店？", COUNTS)
    assert mention_of(chinese, None) == "书店"
    assert mention_of(replace(chinese, question="我去了几次老街的书店？"), None) == "老街的书店"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_over_a_set_it_tells_how_often_each_is_right(lang: str) -> None:
    base = preset(f"coffee-{lang}").question()
    questions = questions_of("presets", base)
    questions.append(replace(base, right=None))
    data = run_over("baselines", load_model("builtin"), questions, source="presets").data
    assert data["over"]["left_out"] == 1
    alone = [run("baselines", load_model("builtin"), one).data["methods"] for one in questions[:-1]]
    for place, row in enumerate(data["rows"]):
        right = [methods[place]["correct"] for methods in alone]
        assert row["values"] == [float(one) for one in right]
        assert row["correct"] == pytest.approx(sum(right) / len(right))
        assert row["correct_low"] <= row["correct"] <= row["correct_high"]
    said = headline(data, lang)
    assert {"en": "the model in 100 %", "zh": "模型 100 %"}[lang] in said
    assert STUDIES["baselines"].tabled(data, lang).notes
    assert STUDIES["baselines"].pictured(ProbeResult("baselines", data), lang).to_dict()


def test_the_graph_is_loaded_when_it_is_needed_and_not_before() -> None:
    code = "import sys, probes.studies.baselines; sys.exit('networkx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
