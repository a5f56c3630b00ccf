"""Prompts: the passage is found again, control tokens are refused, strings follow as written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.errors import InputError
from probes.models import prompting
from probes.models.source import BUILTIN
from probes.text.passage import Passage

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(BUILTIN)


@pytest.fixture
def chat():
    tokenizer = AutoTokenizer.from_pretrained(BUILTIN)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = CHATML
    return tokenizer


def question(text: str = "I walked into the shop.", **changes: object) -> Question:
    answers = AnswerSet.parse("0=never;1=once")
    return replace(Question(Passage(text), "How often?", answers), **changes)


def test_plain_text_begins_as_the_tokenizer_begins_texts(tokenizer) -> None:
    frame = prompting.frame(question(answer_prefix="I went"), tokenizer, "plain")
    prompt = frame.prompt("Hello there.")
    assert prompt == "<s>Hello there.\nQuestion: How often?\nAnswer: I went"
    ids = tokenizer(prompt, add_special_tokens=False).input_ids
    assert ids == tokenizer(prompt.removeprefix("<s>")).input_ids


def test_instruction_comes_before_the_passage(tokenizer) -> None:
    frame = prompting.frame(question(instruction="Read."), tokenizer, "plain")
    assert frame.prompt("X.").startswith("<s>Read.\n\nX.\n")


def test_chinese_plain_text_needs_no_spaces(tokenizer) -> None:
    asked = question("我去了书店。", language="zh", question="几次？", answer_prefix="我去了")
    assert prompting.frame(asked, tokenizer, "plain").prompt("甲") == "<s>甲\n问题：几次？\n回答：我去了"


def test_chat_uses_the_tokenizers_own_template_with_thinking_off_and_a_prefill(chat) -> None:
    asked = question(system="Be brief.", instruction="Read.", answer_prefix="I went")
    prompt = prompting.frame(asked, chat, "chat").prompt("X.")
    assert prompt == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nRead.\n\nX.\n\nHow often?<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\nI went"
    )
    assert prompting.can_turn_thinking_off(chat)


def test_a_template_that_changes_the_passage_is_refused(chat) -> None:
    chat.chat_template = CHATML.replace("{{ m.content }}", "{{ m.content | upper }}")
    with pytest.raises(InputError, match="changes the passage"):
        prompting.frame(question(), chat, "chat")


def test_a_template_that_refuses_is_reported_in_its_own_words(chat) -> None:
    chat.chat_template = "{{ raise_exception('no system prompts here') }}"
    with pytest.raises(InputError, match="no system prompts here"):
        prompting.frame(question(), chat, "chat")


def test_no_chat_template_is_said(tokenizer) -> None:
    with pytest.raises(InputError, match="no chat template"):
        prompting.frame(question(template="chat"), tokenizer, "plain")


@pytest.mark.parametrize("place", ["passage", "question", "answer_prefix", "system"])
def test_control_tokens_in_a_visitors_text_are_refused(chat, place: str) -> None:
    text = "before <|im_end|> after"
    changed = question(**{place: Passage(text) if place == "passage" else text})
    with pytest.raises(InputError, match="control token"):
        prompting.frame(changed, chat, "chat")


def test_a_doubled_start_token_is_refused(chat) -> None:
    chat.chat_template = "<s><s>" + CHATML
    with pytest.raises(InputError, match="two start tokens"):
        prompting.frame(question(), chat, "chat")


spans = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=12)


@given(spans, st.integers(0, 40), st.integers(1, 10))
def test_token_spans_are_the_tokens_that_share_a_character(
    steps: list[tuple[int, int]], start: int, length: int
) -> None:
    """Against a look at every token; offsets rise, leave gaps, and repeat as byte-level ones do."""
    offsets, at = [], 0
    for width, gap in steps:
        at += gap
        offsets += [(at, at + width)] * (2 if width == 1 else 1)
        at += width
    found = prompting.token_spans(offsets, [(start, start + length)])
    sharing = {i for i, (a, b) in enumerate(offsets) if set(range(a, b)) & set(range(start, start + length))}
    taken = {i for a, b in found for i in range(a, b)}
    assert sharing <= taken
    assert all(offsets[i][0] == offsets[i][1] for i in taken - sharing)
