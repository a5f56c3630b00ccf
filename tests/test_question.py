"""Presets load, their roles are found in the text, and questions refuse what makes none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from probes.asking import question as module
from probes.asking.answers import AnswerSet
from probes.asking.question import preset, presets, standard_answers
from probes.errors import InputError


@pytest.mark.parametrize("name", presets())
def test_every_preset_is_a_question_whose_right_answer_is_listed(name: str) -> None:
    one = preset(name)
    asked = one.question()
    assert asked.passage.text == one.text
    assert asked.preset == name
    for label in filter(None, (asked.right, asked.tempting)):
        asked.answers.index(label)
    for spans in asked.roles.values():
        assert all(one.text[a:b] for a, b in spans)


def test_roles_of_words_are_those_of_the_spans_around_them() -> None:
    asked = preset("coffee-zh").question()
    roles = {(w.text, w.occurrence): asked.role_of(w.span) for w in asked.passage.words}
    assert roles[("走进", 1)] == "key"
    assert roles[("咖啡店", 2)] == "key"
    assert roles[("拿铁", 1)] == "noise"
    assert roles[("出来", 1)] == "redundant"
    assert roles[("坐下", 1)] is None


def test_an_answer_is_named_by_its_label_or_its_name_and_kept_by_its_label() -> None:
    asked = preset("coffee-en").question()
    for called in ("1", "once", " once ", 1):
        named = replace(asked, right=called, tempting="never")
        assert (named.right, named.tempting) == ("1", "0")
    assert replace(asked, right="").right is None
    with pytest.raises(InputError, match='There is no answer "seven times"'):
        asked.answers.label_of("seven times")
    others = replace(asked, answers=AnswerSet.parse("1=once;6=six times"))
    assert (others.right, others.tempting) == (
        "1",
        "3",
    )  # for whoever asks for it to say that it is not there


def test_a_label_comes_before_another_answers_name() -> None:
    answers = AnswerSet.parse("a=b;b=c")
    assert [answers.label_of(called) for called in ("a", "b", "c")] == ["a", "b", "b"]


def test_the_coffee_shop_comes_first() -> None:
    assert presets()[:4] == ("coffee-zh", "coffee-en", "crux-zh", "crux-en")


def test_unknown_names_are_refused_and_never_become_paths() -> None:
    for name in ("nowhere", "../presets/coffee-en", "answers", ""):
        with pytest.raises(InputError, match="coffee-zh"):
            preset(name)
    with pytest.raises(InputError):
        standard_answers("count", "fr")


def test_a_broken_preset_is_reported_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken-en.toml").write_text('id = "broken-en"\n', encoding="utf-8")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "presets", lambda: ("broken-en",))
    with pytest.raises(InputError, match="broken-en"):
        preset("broken-en")


def test_no_question_no_template() -> None:
    asked = preset("coffee-en").question()
    with pytest.raises(InputError, match="no question"):
        replace(asked, question="  ")
    with pytest.raises(InputError, match="nonsense"):
        replace(asked, template="nonsense")
