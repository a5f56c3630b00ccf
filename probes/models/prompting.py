"""A question becomes a prompt; words of the passage become positions in it.

The prompt is rendered once around a place-holder, so that the passage stands between a fixed `before` and
`after` and every edited passage is put to the model in exactly the same way. Special tokens are part of the
prompt's text. A plain text begins as the tokenizer itself begins one; a chat template brings its own start.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from probes.asking.question import Question, preset, presets
from probes.errors import InputError
from probes.models import chat
from probes.text.passage import Span

_PLACE = "\ue000crux-passage\ue000"
"""Private-use characters: no tokenizer, template or passage has them."""

PLAIN = {
    "en": ("{instruction}{passage}\nQuestion: {question}\nAnswer:", " {prefix}"),
    "zh": ("{instruction}{passage}\n问题：{question}\n回答：", "{prefix}"),
}
BUILTIN = {
    "en": "{passage}\nQuestion: {question}\nAnswer:",
    "zh": "{passage}\n问题：{question}\n答案：",
}

TAKES: Mapping[str, tuple[str, ...]] = {
    "builtin": (),
    "plain": ("instruction", "answer_prefix"),
    "chat": ("system", "instruction", "answer_prefix"),
}
"""By template, what of a question it has a place for beside passage and question."""


@dataclass(frozen=True)
class Frame:
    """A rendered prompt with the passage left out."""

    template: str
    before: str
    after: str
    instruction: str = ""
    answer_prefix: str = ""
    system: str | None = None
    """Of the question, what this template has a place for."""
    start: str = ""
    """Of `before`, the special tokens that the tokenizer itself puts before a text."""
    lead: str = ""
    """What a chat template has between the end of a prompt and an answer: nothing, a space, a line end."""

    def prompt(self, passage: str) -> str:
        return self.before + passage + self.after


def frame(question: Question, tokenizer: Any, default: str) -> Frame:
    """The prompt around the passage.

    Args:
        default: what the template "auto" means for this model.

    Raises:
        InputError: no such template for this tokenizer, a control token in the text, a chat template that
            cannot be used (see `chat.opening`) or doubles the start token.
    """
    name = default if question.template == "auto" else question.template
    texts = [question.passage.text, question.question, question.instruction, question.answer_prefix]
    answers = [string for answer in question.answers.answers for string in answer.strings]
    refuse_control_tokens([*texts, question.system or "", *answers], tokenizer)
    used = {field: getattr(question, field) for field in TAKES[name]}
    if name == "chat":
        talk = chat.opening(question, tokenizer)
        made = Frame(name, talk.before, talk.after, **{**used, "system": talk.system}, lead=talk.lead)
    else:
        start = _start(tokenizer)
        rendered = start + (_builtin(question) if name == "builtin" else _plain(question))
        before, _, after = rendered.partition(_PLACE)
        made = Frame(name, before, after, **used, start=start)
    _refuse_double_start(made.prompt(question.passage.text), tokenizer)
    return made


def unused(question: Question, template: str) -> dict[str, str]:
    """What was given to be sent and `template` has no place for; a preset's own, meant for others, is not."""
    usual = preset(question.preset) if question.preset in presets() else None
    given = {
        name: str(getattr(question, name) or "").strip()
        for name in TAKES["chat"]
        if name not in TAKES[template] and getattr(question, name) != getattr(usual, name, None)
    }
    return {name: text for name, text in given.items() if text}


def language_of(question: Question) -> str:
    """The language of the words around passage and question."""
    return "zh" if question.language == "zh" else "en"


def _plain(question: Question) -> str:
    head, tail = PLAIN[language_of(question)]
    instruction = f"{question.instruction.strip()}\n\n" if question.instruction.strip() else ""
    text = head.format(instruction=instruction, passage=_PLACE, question=question.question.strip())
    prefix = question.answer_prefix.strip()
    return text + (tail.format(prefix=prefix) if prefix else "")


def plain_prompt(question: Question, passage: str) -> str:
    """The plain template's text about a passage."""
    before, _, after = _plain(question).partition(_PLACE)
    return before + passage + after


def _builtin(question: Question) -> str:
    return BUILTIN[language_of(question)].format(passage=_PLACE, question=question.question.strip())


def _start(tokenizer: Any) -> str:
    """The special tokens this tokenizer puts before a plain text, as text."""
    encoded = tokenizer("a", return_special_tokens_mask=True)
    return "".join(tokenizer.convert_ids_to_tokens(encoded.input_ids[: _added(encoded.special_tokens_mask)]))


def _added(mask: Sequence[int]) -> int:
    """How many special tokens were put before a text."""
    return next((i for i, special in enumerate(mask) if not special), len(mask))


def refuse_control_tokens(texts: Sequence[str], tokenizer: Any) -> None:
    """A control token inside a person's text would be read as control, not as text.

    A mask token is let through: it says of itself that something is missing.

    Raises:
        InputError: with the token.
    """
    special = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    for token in sorted(special - {tokenizer.mask_token}):
        if any(token in text for text in texts):
            raise InputError("text_control", token=token)


def _refuse_double_start(prompt: str, tokenizer: Any) -> None:
    start = tokenizer.bos_token
    if start and prompt.startswith(start + start):
        raise InputError("double_bos", token=start)


def can_turn_thinking_off(tokenizer: Any) -> bool:
    """Whether the chat template has a switch for thinking."""
    return "enable_thinking" in str(getattr(tokenizer, "chat_template", "") or "")


def encode(tokenizer: Any, prompt: str, start: str = "") -> tuple[tuple[int, ...], tuple[Span, ...]]:
    """The tokens of a prompt, and the characters each stands for; too long ones are refused elsewhere.

    Args:
        start: of `prompt`, what the tokenizer puts before a text. It is left to put it there, for it begins
            the text behind it otherwise than one behind a token that was written out: often with a space.
            What it puts at the end is left out.
    """
    if not start:
        encoded = _cut(tokenizer, prompt, add_special_tokens=False, return_offsets_mapping=True)
        return tuple(encoded.input_ids), tuple(encoded.offset_mapping)
    text = prompt.removeprefix(start)
    encoded = _cut(tokenizer, text, return_special_tokens_mask=True, return_offsets_mapping=True)
    ids, mask = encoded.input_ids, encoded.special_tokens_mask
    first, end = _added(mask), len(ids) - _added(mask[::-1])
    edges = [0, *accumulate(map(len, tokenizer.convert_ids_to_tokens(ids[:first])))]
    behind = ((a + len(start), b + len(start)) for a, b in encoded.offset_mapping[first:end])
    return tuple(ids[:end]), (*pairwise(edges), *behind)


def ids_of(tokenizer: Any, text: str, start: str = "") -> tuple[int, ...]:
    """The tokens of a text alone, as `encode` gives them."""
    if start:
        return encode(tokenizer, text, start)[0]
    return tuple(_cut(tokenizer, text, add_special_tokens=False).input_ids)


def _cut(tokenizer: Any, text: str, **given: bool) -> Any:
    """The text in tokens, by a tokenizer whose rules are a stranger's.

    Raises:
        InputError: a rule cannot be carried through; the library panics then, which is no Exception.
    """
    try:
        return tokenizer(text, verbose=False, **given)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise InputError("tokenizer_gave_up", reason=type(error).__name__) from error


def token_spans(offsets: Sequence[Span], spans: Sequence[Span]) -> tuple[Span, ...]:
    """The token ranges that carry the characters of `spans`, snapped outward, merged where they touch.

    Byte-level tokenizers spread one character over several tokens that share its offset: all are taken.
    """
    starts, ends = [a for a, _ in offsets], [b for _, b in offsets]
    found: list[Span] = []
    for start, end in spans:
        first, last = bisect_right(ends, start), bisect_left(starts, end)
        if first >= last:
            continue
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)
