"""The command line of a record gives its question and settings again, whatever stands in them."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from probes.asking.answers import Answer, AnswerSet
from probes.asking.passage_files import as_file, one_passage
from probes.asking.question import Question, Suggested, preset, presets
from probes.cli import build
from probes.commands.shared import Context
from probes.commands.shared import question as question_of
from probes.errors import InputError
from probes.running.commandline import command_line, endings_of, endings_text
from probes.studies import STUDIES, study_named
from probes.text.passage import Passage

TWO = AnswerSet.of({"a": ["once"], "b": ["twice"]})
SIGNS = ";=；＝\\\n\r\t |,，#＃-\"'$`n r:{}[]、\u3000"
ANY = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from(SIGNS)
TEXT = st.text(ANY, max_size=12)
WORDS = TEXT.filter(str.strip)
DICTIONARIES = (
    (),
    ("1,23",),
    ("走，进", "a b\\", "\\,"),
    ("\u3000", "|"),
)  # each is a segmenter of its own: few
GROUP = build("en")


def parsed(line: str, study: str) -> tuple[Question, dict[str, object]]:
    """The question and settings that `crux` reads off a command line."""
    program, name, *words = shlex.split(line)
    assert (program, name) == ("crux", study)
    values = GROUP.commands[study].make_context(study, words, obj=Context("en")).params
    options = {option.name: values[option.name] for option in STUDIES[study].options}
    return question_of(values, Context("en")), study_named(study).settings(options)


def back(
    question: Question, study: str = "ask", chosen: dict[str, object] | None = None
) -> tuple[Question, dict[str, object]]:
    """What a record's command line gives, beside the passage's file."""
    Path("passage.txt").write_bytes(as_file(question.passage.text))
    return parsed(command_line(study, ["--model", "builtin"], question, chosen or {}), study)


@st.composite
def answer_sets(draw: st.DrawFn) -> AnswerSet:
    labels = draw(st.lists(WORDS, min_size=2, max_size=4, unique=True))
    answers = [
        Answer(label, tuple(draw(st.lists(WORDS, min_size=1, max_size=3))), draw(TEXT)) for label in labels
    ]
    return AnswerSet(tuple(answers), tuple(draw(st.lists(TEXT, max_size=3))))


@st.composite
def own_questions(draw: st.DrawFn) -> Question:
    text = draw(st.sampled_from(["I went out.", "我走进咖啡店。", "我 went，1,23 out"])) + draw(TEXT)
    answers = draw(answer_sets())
    labels = st.none() | st.sampled_from([answer.label for answer in answers.answers])
    return Question(
        Passage(text, dictionary=draw(st.sampled_from(DICTIONARIES))),
        draw(WORDS),
        answers,
        language=draw(st.sampled_from(["zh", "en"])),
        template=draw(st.sampled_from(["auto", "plain", "chat"])),
        instruction=draw(TEXT),
        answer_prefix=draw(TEXT),
        system=draw(st.none() | TEXT.filter(bool)),
        right=draw(labels),
        tempting=draw(labels),
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


ANY_TIME = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ANY_TIME
@given(own_questions())
def test_a_question_of_ones_own_comes_back(question: Question) -> None:
    assert back(question)[0] == question


@ANY_TIME
@given(st.sampled_from(presets()), st.data())
def test_a_changed_preset_comes_back(name: str, data: st.DataObject) -> None:
    base = preset(name).question()
    texts = {"question": WORDS, "answer_prefix": TEXT, "instruction": TEXT, "answers": answer_sets()}
    texts |= {"language": st.sampled_from(["zh", "en"]), "system": TEXT.filter(bool)}
    chosen = data.draw(st.sets(st.sampled_from(sorted(texts))))
    question = replace(base, **{field: data.draw(texts[field]) for field in sorted(chosen)})
    labels = st.none() | st.sampled_from([answer.label for answer in question.answers.answers])
    question = replace(question, right=data.draw(labels), tempting=data.draw(labels))
    assert back(question)[0] == question


@ANY_TIME
@given(answer_sets())
def test_answers_come_back_in_one_line_and_one_a_line(answers: AnswerSet) -> None:
    plain = replace(answers, endings=())
    assert AnswerSet.parse(plain.as_text()) == plain
    assert AnswerSet.parse(plain.as_text("\n")) == plain
    assert endings_of(endings_text(answers.endings)) == (answers.endings or ("",))


@ANY_TIME
@given(st.sampled_from(sorted(STUDIES)), st.data())
def test_settings_come_back(study: str, data: st.DataObject) -> None:
    chosen: dict[str, object] = {}
    for option in STUDIES[study].options:
        if not data.draw(st.booleans()):
            continue
        low, high = option.low or 0, option.high if option.high is not None else 100
        kinds = {
            "text": TEXT,
            "choice": st.sampled_from(option.choices or ("",)),
            "integer": st.integers(int(low), int(high)),
            "number": st.floats(low, high),
            "flag": st.booleans(),
        }
        chosen[option.name] = data.draw(kinds[option.kind])
    question = Question(Passage("I went out."), "How often?", TWO)
    assert back(question, study, chosen) == (question, study_named(study).settings(chosen))


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n", "\r", " \r\n\r\n"])
@pytest.mark.parametrize("saved", ["as it is", "with a line end", "without"])
def test_a_passage_ends_as_it_did_however_the_file_was_saved(end: str, saved: str) -> None:
    question = Question(Passage("I went out." + end), "How often?", TWO)
    text = question.passage.text
    files = {"as it is": text, "with a line end": text + "\n", "without": text.rstrip("\r\n")}
    Path("passage.txt").write_bytes(files[saved].encode())
    assert parsed(command_line("ask", [], question, {}), "ask")[0] == question


def test_words_made_by_hand_and_words_with_commas_come_back() -> None:
    passage = Passage(
        "我走进咖啡店，付了 1,23 元。", dictionary=["1,23", "a，b\\"], joins=[(0, 3)], splits=[5]
    )
    question = Question(passage, "几次？", TWO)
    assert back(question)[0] == question
    added = replace(
        preset("coffee-zh").question(), passage=Passage(preset("coffee-zh").text, dictionary=["走,进"])
    )
    again = back(added)[0]
    assert again.passage.dictionary == added.passage.dictionary


def test_a_preset_with_another_passage_is_given_whole() -> None:
    question = replace(preset("coffee-en").question(), passage=Passage("I went out."))
    again = back(question)[0]
    assert again == replace(question, preset=None, roles={}, swaps=(), suggested=Suggested())


def test_a_set_is_named_in_the_command_line() -> None:
    line = command_line("heads", [], preset("coffee-en").question(), {"over": "-odd name;.jsonl"})
    words = shlex.split(line)[2:]
    values = GROUP.commands["heads"].make_context("heads", words, obj=Context("en")).params
    assert values["over"] == "-odd name;.jsonl"


@pytest.mark.parametrize(
    ("old", "strings"),
    [
        ("0=never=zero times;1=once", (("never", "zero times"), ("once",))),
        ("0＝零次＝没有；1=一次", (("零次", "没有"), ("一次",))),
        ("never;once", (("never",), ("once",))),
        ("0=\\frac{1}{2};1=C:\\new", (("\\frac{1}{2}",), ("C:\\new",))),
        ("0=never;\n1=once", (("never",), ("once",))),
        ("0=never\r\n1=once\r\n", (("never",), ("once",))),
    ],
)
def test_older_forms_are_read_as_they_were(old: str, strings: tuple[tuple[str, ...], ...]) -> None:
    assert tuple(answer.strings for answer in AnswerSet.parse(old).answers) == strings


def test_older_endings_are_read_as_they_were() -> None:
    assert endings_of(".|\\n|</s>") == (".", "\n", "</s>")


def test_an_end_that_is_none_is_refused() -> None:
    Path("passage.txt").write_text("I went out.", encoding="utf-8")
    asked = "crux ask --passage passage.txt --question How --answers 'a;b' --passage-end"
    with pytest.raises(InputError, match="passage-end"):
        parsed(f"{asked} x", "ask")
    with pytest.raises(click.UsageError, match="--passage-end"):
        parsed("crux ask --preset coffee-en --passage-end '\\n'", "ask")


def test_no_right_answer_can_be_asked_for() -> None:
    question = replace(preset("coffee-en").question(), right=None, tempting=None)
    assert back(question)[0] == question


def test_one_passage_of_a_file_is_without_its_mark_and_its_last_line_end() -> None:
    for data in (b"a b", b"a b\n", b"a b\r\n", b"\xef\xbb\xbfa b\r\n"):
        assert one_passage(data) == "a b"
    assert one_passage(b"a\r\nb\n\n") == "a\r\nb\n"
    for text in ("\ufeffa b", "a b"):
        assert one_passage(as_file(text)) == text
    with pytest.raises(InputError, match="set of passages"):
        one_passage(b'{"passage": "a"}\n{"passage": "b"}\n')
    assert one_passage(b'{"text": "a"}') == '{"text": "a"}'
