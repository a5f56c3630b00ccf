"""What a reader is told of a question: what is not sent, and where the built-in model leaves its training."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import probes.models
from probes.asking.answers import AnswerSet
from probes.asking.question import Question, preset, presets, standard_answers
from probes.cli import build
from probes.commands.shared import Context
from probes.generator import Composer, queries
from probes.generator.lexicon import HELD_OUT, TRAIN, Splits, Tables
from probes.generator.story import ME
from probes.locale import TEXTS, note_text
from probes.models.trained import departures, form_of
from probes.running.sets import questions_of
from probes.text.passage import Passage

FOLDER = Path(probes.models.__file__).parent / "builtin"
MADE_FOR = [name for name in presets() if not name.startswith("crux")]
ENGLISH = (
    "Yesterday I walked into the library. Anna went to the library. Later Anna went to the library again."
)
CHINESE = "小明早上去了图书馆。下午小明又去了图书馆。我一直在家。"


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(FOLDER)


def keys(question: Question, tokenizer: Any, template: str = "builtin") -> list[str]:
    return [note["key"] for note in departures(question, tokenizer, template)]


def ask(text: str, question: str, language: str = "en") -> Question:
    return Question(Passage(text), question, standard_answers("count", language), language=language)


@pytest.mark.parametrize("name", MADE_FOR)
def test_nothing_is_said_of_what_it_was_made_for(name: str, tokenizer: Any) -> None:
    assert keys(preset(name).question(), tokenizer) == []


@pytest.mark.parametrize("name", ["crux-en", "crux-zh"])
def test_a_summary_is_beyond_it(name: str, tokenizer: Any) -> None:
    assert "untrained_question" in keys(preset(name).question(), tokenizer)


@pytest.mark.parametrize("name", ["coffee-en", "coffee-zh"])
def test_nor_of_a_set_of_generated_passages(name: str, tokenizer: Any) -> None:
    for question in questions_of("40", preset(name).question()):
        assert keys(question, tokenizer) == [], question.question


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("splits", [TRAIN, HELD_OUT], ids=["seen", "held out"])
def test_nor_of_any_question_of_the_generator(language: str, splits: Splits, tokenizer: Any) -> None:
    """But for the visits of somebody else who is named again: of those it saw too few."""
    composer, tables, rng = Composer(language, 7, splits), Tables(language, splits), random.Random(7)
    for _ in range(15):
        story = composer.story()
        for query in queries(story, tables, rng):
            found = keys(ask(story.text, query.text, language), tokenizer)
            assert set(found) <= ({"untrained_person"} if query.person != ME else set()), query.text


@pytest.mark.parametrize(
    ("text", "question", "language"),
    [
        (ENGLISH, "How many times did Anna go to the library?", "en"),
        (ENGLISH, "How many times did Bartholomew go to the library?", "en"),
        ("She went to the gym. Later she went to the gym.", "How many times did she go to the gym?", "en"),
        ("Tom went to the gym. He went there again.", "How often did Tom visit the gym?", "en"),
        ("My brother went to the gym, and then again.", "How many times did my brother go to the gym?", "en"),
        (CHINESE, "小明去了几次图书馆？", "zh"),
        ("小明早上去了图书馆，下午又去了图书馆。", "小明去了几次图书馆？", "zh"),
        ("欧阳修去了图书馆。", "欧阳修一共去了几次图书馆？", "zh"),
    ],
)
def test_the_visits_of_others_are(text: str, question: str, language: str, tokenizer: Any) -> None:
    assert keys(ask(text, question, language), tokenizer) == ["untrained_person"]


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("How many cups of coffee did I drink?", "en"),
        ("Why did I go to the library?", "en"),
        ("Was I happy?", "en"),
        ("How many times did I go there?", "en"),
        ("我喝了几杯咖啡？", "zh"),
        ("我为什么去图书馆？", "zh"),
        ("How many times did I go to the library?", "zh"),
    ],
)
def test_other_questions_are(question: str, language: str, tokenizer: Any) -> None:
    text = ENGLISH if language == "en" else CHINESE
    assert keys(ask(text, question, language), tokenizer) == ["untrained_question"]


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("Hier je suis entré dans le café, puis je suis rentré à la maison avec ma sœur.", "en", "language"),
        ("Gestern ging ich in die Bibliothek und dann wieder nach Hause zu meiner Frau.", "en", "language"),
        ("Вчера я пошёл в библиотеку и взял книгу.", "en", "characters"),
        ("昨日わたしは図書館へ行きました。それから家に帰りました。", "zh", "characters"),
        ("I walked to the library and then I went home to my sister.", "zh", "language"),
        (CHINESE, "en", "language"),
    ],
)
def test_so_are_other_languages(text: str, language: str, said: str, tokenizer: Any) -> None:
    question = {"en": "How many times did I go to the library?", "zh": "我去了几次图书馆？"}[language]
    assert keys(ask(text, question, language), tokenizer) == [f"untrained_{said}"]


def test_so_are_other_answers_and_another_template(tokenizer: Any) -> None:
    question = preset("coffee-en").question()
    other = replace(question, answers=AnswerSet.parse("1=once;6=six times"))
    (note,) = departures(other, tokenizer, "builtin")
    assert (note["key"], note["answers"]) == ("untrained_answers", "six times")
    assert keys(question, tokenizer, "plain") == ["untrained_template"]


def test_a_question_that_never_ends_costs_nothing() -> None:
    assert form_of("How many times did I go to the " + "very " * 20_000 + "old library?", "en") is None


def test_every_note_has_words_in_both_languages() -> None:
    values = {"given": "g", "template": "t", "who": "w", "answers": "a", "characters": "c", "pairs": "p"}
    values |= {"samples": "s", "words": "w"}
    for key in TEXTS.keys():  # noqa: SIM118 - no mapping
        if key.startswith("notes."):
            for lang in ("en", "zh"):
                assert note_text({"key": key.removeprefix("notes."), **values}, lang)


# ---- what is not sent


def crux(*arguments: str) -> tuple[str, dict[str, Any]]:
    """Standard error and the record."""
    given = ["ask", *arguments, "--no-cache", "--json", "-"]
    result = CliRunner().invoke(build("en"), given, obj=Context("en"), catch_exceptions=False)
    return result.stderr, json.loads(result.stdout)


def test_what_the_template_has_no_place_for_is_said() -> None:
    given = ["--prefix", "I was there", "--instruction", "Count well.", "--system", "Be terse."]
    told, record = crux("--preset", "coffee-en", *given)
    assert {note["key"]: note["given"] for note in record["notes"]} == {
        "unused_answer_prefix": "I was there",
        "unused_instruction": "Count well.",
        "unused_system": "Be terse.",
    }
    assert told.count("is not sent") == 3
    for text in ("I was there", "Count well.", "Be terse."):
        assert text in told
        assert text not in record["prompt"]


def test_a_preset_s_own_beginning_is_meant_for_other_models() -> None:
    told, record = crux("--preset", "coffee-en")
    assert (told, record["notes"]) == ("", [])


def test_a_plain_template_takes_all_but_a_system_prompt() -> None:
    given = [
        "--template",
        "plain",
        "--prefix",
        "I was there",
        "--instruction",
        "Count well.",
        "--system",
        "Be terse.",
    ]
    told, record = crux("--preset", "coffee-en", *given)
    assert [note["key"] for note in record["notes"]] == ["unused_system", "untrained_template"]
    assert "Count well." in record["prompt"]
    assert record["prompt"].endswith("I was there")
    assert "Be terse." in told
