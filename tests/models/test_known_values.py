"""Numbers of tiny models of random weights, measured elsewhere by a plain forward over the right tokens."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.errors import InputError
from probes.models import load_model
from probes.text.passage import Passage
from tests.models.conftest import scored
from tests.oracle import log_prob

CASES = Path(__file__).parents[1] / "cases"


COFFEE = "I walked into the coffee shop. Then I left it again and went home."
KOREAN = "나는 커피숍에 들어갔다. 그리고 다시 집에 갔다."
KNOWN = [
    ("seam_bracket/bl", COFFEE, "Which?", "A;B", "The answer is (", {"A": -9.562, "B": -9.571}),
    ("seam_bracket/bl", COFFEE, "Which?", "5;7", "The total was $", {"5": -6.555, "7": -7.857}),
    ("start_bos_eos/bl_boseos", COFFEE, "", "once;twice", "", {"once": -9.194, "twice": -7.777}),
    ("start_dummy_prefix/spm_bpe_bf", COFFEE, "", "once;twice", "", {"once": -7.978, "twice": -10.310}),
]
"""Models of random weights, and log-probabilities of a forward that was written elsewhere."""


@pytest.mark.parametrize(("folder", "text", "ask", "answers", "prefix", "expected"), KNOWN)
def test_known_values(
    folder: str, text: str, ask: str, answers: str, prefix: str, expected: dict[str, float]
) -> None:
    put = Question(
        Passage(text),
        ask or "How many times did I go there?",
        AnswerSet.parse(answers),
        answer_prefix=prefix,
        template="plain",
    )
    _, _, found = scored(CASES / folder, put)
    assert found == pytest.approx(expected, abs=5e-4)


def test_known_strings_of_a_korean_prefix() -> None:
    put = Question(
        Passage(KOREAN),
        "몇 번 갔습니까?",
        AnswerSet.parse("한 번;두 번"),
        answer_prefix="나는 커피숍에",
        template="plain",
    )
    layout = load_model(str(CASES / "seam_bracket/bl"), device="cpu").layout(put)
    assert [term.string for term in layout.terms] == [" 한 번", " 두 번"]


def test_known_values_of_a_prefix_that_merges_with_its_answer() -> None:
    """They were measured behind a prompt without the "▁" that this tokenizer puts before a text."""
    put = Question(
        Passage("我走进咖啡店，点了一杯拿铁。"),
        "我去了几次咖啡店？",
        AnswerSet.parse("一次;两次"),
        answer_prefix="我去了",
        template="plain",
    )
    model, clean, found = scored(CASES / "seam_dummy_space/uni_first", put)
    tokens = model.tokenizer.convert_ids_to_tokens
    layout = model.layout(put)
    assert [tokens(ids) for ids in layout.continuations] == [["一次"], ["两次"]]
    ids = list(clean.prompt_ids)
    assert tokens(ids[:3]) == ["<s>", "▁", "我"]
    for one, value in zip(layout.terms, (-7.736, -7.762), strict=True):
        assert log_prob(model.loaded.model, [ids[0], *ids[2:]], one.ids) == pytest.approx(value, abs=5e-4)
        assert found[one.string] == pytest.approx(log_prob(model.loaded.model, ids, one.ids), abs=1e-4)


def test_a_known_answer_that_cannot_be_written_is_refused() -> None:
    put = Question(
        Passage("I walked into the coffee shop 😀 again."),
        "How many?",
        AnswerSet.parse("once;😀"),
        template="plain",
    )
    with pytest.raises(InputError, match="😀"):
        load_model(str(CASES / "unknown_answer/wp"), device="cpu").layout(put)


def test_a_known_gguf_without_the_flag_begins_with_its_start_token(tmp_path: Path) -> None:
    path = Path(shutil.copy(CASES / "start_gguf_no_flag/l3_nobosflag.gguf", tmp_path))
    text = "In 1234567 there were 2024 cups and 12345 shops. I'VE BEEN in 999 of them."
    put = Question(Passage(text), "How many?", AnswerSet.parse("999;2024"), template="plain")
    layout = load_model(str(path), device="cpu").layout(put)
    assert (layout.ids[0], len(layout.ids)) == (0, 41)
    assert layout.frame.before == "<|begin|>"
