"""A question becomes a prompt; words of the passage become positions in it.

The prompt is rendered once around a place-holder, so that the passage stands between a fixed `before` and
`after` and every edited passage is put to the model in exactly the same way. The tokens of a prompt are
`tokenizer(prompt, add_special_tokens=False)`: special tokens are part of its text.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probes.errors import InputError
from probes.passage import Span
from probes.question import Question, preset, presets

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

    def prompt(self, passage: str) -> str:
        return self.before + passage + self.after


def frame(question: Question, tokenizer: Any, default: str) -> Frame:
    """The prompt around the passage.

    Args:
        default: what the template "auto" means for this model.

    Raises:
        InputError: no such template for this tokenizer, a control token in the text, a template that
            changes the passage or doubles the start token.
    """
    name = default if question.template == "auto" else question.template
    texts = [question.passage.text, question.question, question.instruction, question.answer_prefix]
    answers = [string for answer in question.answers.answers for string in answer.strings]
    refuse_control_tokens([*texts, question.system or "", *answers], tokenizer)
    if name == "chat":
        rendered = _chat(question, tokenizer, _PLACE)
        if _chat(question, tokenizer, question.passage.text) != rendered.replace(
            _PLACE, question.passage.text
        ):
            raise InputError("template_changes_text")
    else:
        rendered = _start(tokenizer) + (_builtin(question) if name == "builtin" else _plain(question))
    before, _, after = rendered.partition(_PLACE)
    made = Frame(name, before, after, **{field: getattr(question, field) for field in TAKES[name]})
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


def _language(question: Question) -> str:
    return "zh" if question.language == "zh" else "en"


def _plain(question: Question) -> str:
    head, tail = PLAIN[_language(question)]
    instruction = f"{question.instruction.strip()}\n\n" if question.instruction.strip() else ""
    text = head.format(instruction=instruction, passage=_PLACE, question=question.question.strip())
    prefix = question.answer_prefix.strip()
    return text + (tail.format(prefix=prefix) if prefix else "")


def _builtin(question: Question) -> str:
    return BUILTIN[_language(question)].format(passage=_PLACE, question=question.question.strip())


def _chat(question: Question, tokenizer: Any, passage: str) -> str:
    """The tokenizer's own template, thinking off where it has that switch, then the answer's first words."""
    if not getattr(tokenizer, "chat_template", None):
        raise InputError("template_no_chat")
    asked = "\n\n".join(p for p in (question.instruction.strip(), passage, question.question.strip()) if p)
    talk = [{"role": "user", "content": asked}]
    if question.system:
        talk.insert(0, {"role": "system", "content": question.system})
    try:
        text = tokenizer.apply_chat_template(
            talk, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )
    except Exception as fault:  # a template is a program of the model's author; any error in it ends up here
        raise InputError("template_fails", reason=f"{type(fault).__name__}: {fault}"[:200]) from fault
    return str(text) + question.answer_prefix.strip()


def _start(tokenizer: Any) -> str:
    """The special tokens this tokenizer puts before a plain text, as text."""
    bare = tokenizer("a", add_special_tokens=False).input_ids
    full = tokenizer("a").input_ids
    lead = full[: len(full) - len(bare)] if full[len(full) - len(bare) :] == bare else []
    return "".join(tokenizer.convert_ids_to_tokens(lead))


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


def joined(prompt: str, string: str, *, bare: bool) -> str:
    """An answer's string as it would directly follow `prompt`: after a space between words of spaced scripts.

    Args:
        bare: the prompt ends in control tokens of a chat, so that the answer begins a new text.
    """
    last, first = prompt[-1:], string[:1]
    if bare or not last or last.isspace() or not first.strip():
        return string
    return f" {string}" if _spaced(last) and _spaced(first) else string


def _spaced(character: str) -> bool:
    """Scripts that write spaces between words; Chinese, Japanese and full-width signs do not."""
    return ord(character) < 0x2E80


def continuation_ids(
    tokenizer: Any, prompt: str, prompt_ids: tuple[int, ...], string: str
) -> tuple[int, ...]:
    """The tokens of `string` after `prompt`.

    Taken from the joint tokenisation where the prompt's tokens are its beginning; where the tokenizer would
    merge across the seam, the string's own tokens, which the model can as well go on with.
    """
    together = ids_of(tokenizer, prompt + string)
    if together[: len(prompt_ids)] == prompt_ids and len(together) > len(prompt_ids):
        return together[len(prompt_ids) :]
    return ids_of(tokenizer, string)


def ids_of(tokenizer: Any, text: str) -> tuple[int, ...]:
    """The tokens of a text, special ones where the text has them; too long ones are refused elsewhere."""
    return tuple(tokenizer(text, add_special_tokens=False, verbose=False).input_ids)


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
