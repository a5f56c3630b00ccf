"""A question put through a tokenizer's chat template: what stands round the passage, and before an answer.

Templates are programs, and do with a talk what they like. So each is first rendered around marks, and used
only where every mark stands in the outcome as it was given; then around the texts themselves, which must
make no difference. Where the assistant's turn opens is read off a talk in which the assistant has spoken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probes.asking.question import Question
from probes.errors import InputError
from probes.models.rendering import Fault, render

PASSAGE, SYSTEM, ANSWER = (f"\ue000crux-{name}\ue000" for name in ("passage", "system", "answer"))
"""Private-use characters: no tokenizer, template or passage has them."""

Form = tuple[str, str]
FORMS: tuple[Form, ...] = (("text", "text"), ("parts", "parts"), ("parts", "text"), ("text", "parts"))
"""How the content of user and system is given: as a text, or as a list of parts, one of them a text."""

FAULTS = (
    "template_fails",
    "template_drops_text",
    "template_changes_text",
    "template_repeats_text",
    "template_drops_system",
)
"""What can be wrong with a rendered talk, from the first that is looked for to the last."""
REASON = 150


@dataclass(frozen=True)
class Opening:
    """A talk up to the answer, its passage left out."""

    before: str
    after: str
    lead: str
    """What the assistant's turn has before its first word, where `after` does not end in it."""
    system: str | None


def opening(question: Question, tokenizer: Any) -> Opening:
    """The prompt around the passage, thinking off where the template has that switch.

    Raises:
        InputError: there is no chat template; it fails, drops, changes or repeats what it is given; it has no
            turn for an answer.
        LimitError: it takes more time or memory than a template may.
    """
    template = _Template(tokenizer)
    system = (question.system or "").strip() or None
    form, marked = _form(template, _asked(question, PASSAGE), system)
    text = question.passage.text
    asked = _asked(question, text)

    talk = _talk(asked, system, form)
    answered = [[*talk, _message("assistant", ANSWER, kind)] for kind in ("text", "parts")]
    real, unprompted, *spoken = template.render([talk, talk, *answered], prompted=(True, False, False, False))
    if isinstance(real, Fault):
        raise _fails(real)
    if real != marked.replace(SYSTEM, system or "").replace(PASSAGE, text):
        raise InputError("template_changes_text")
    _, _, tail = real.rpartition(asked)
    header, lead = _turn(tail, real != unprompted, [str(told).rpartition(asked)[2] for told in spoken])

    before, _, after = marked.replace(SYSTEM, system or "").partition(PASSAGE)
    prefix = question.answer_prefix.strip()
    after += header + (lead + prefix if prefix else "")
    return Opening(before, after, "" if prefix else lead, system)


def _form(template: _Template, asked: str, system: str | None) -> tuple[Form, str]:
    """The first form of content that the template renders faithfully, and what it makes of the marks."""
    mark = SYSTEM if system else None
    forms = FORMS if system else FORMS[:2]
    faults = []
    rendered = template.render([_talk(asked, mark, form) for form in forms])
    for form, text in zip(forms, rendered, strict=True):
        fault = _fault(text, asked, mark)
        if fault is None:
            assert isinstance(text, str)
            return form, text
        faults.append(fault)
    raise max(faults, key=lambda fault: FAULTS.index(fault.key))  # of the form that came furthest


def _fault(rendered: str | Fault, asked: str, mark: str | None) -> InputError | None:
    """What keeps a talk rendered around marks from being used."""
    if isinstance(rendered, Fault):
        return _fails(rendered)
    if PASSAGE not in rendered:
        altered = _letters(PASSAGE) in _letters(rendered)
        return InputError("template_changes_text" if altered else "template_drops_text")
    if asked not in rendered:
        return InputError("template_changes_text")
    if rendered.count(PASSAGE) > 1:
        return InputError("template_repeats_text")
    if mark and mark not in rendered:
        return InputError("template_drops_system")
    return None


def _turn(tail: str, opened: bool, spoken: Sequence[str]) -> tuple[str, str]:
    """What is still to come between a prompt and an answer: the turn's header, and the spaces after it.

    Args:
        tail: what the prompt has after the question.
        opened: whether the template opens the assistant's turn when told to, with `add_generation_prompt`; if
            not, the header is taken from a talk in which the assistant has spoken.
        spoken: what such talks have after the question.
    """
    for text in spoken:
        if text.startswith(tail) and text.count(ANSWER) == 1:
            between = text[len(tail) : text.index(ANSWER)]
            if not between.strip():
                return "", between
            if not opened:
                header = between.rstrip(" ")
                return header, between[len(header) :]
    if opened:  # thoughts that the turn may hold before an answer are not for us to write
        return "", ""
    raise InputError("template_no_turn")


def _asked(question: Question, passage: str) -> str:
    return "\n\n".join(p for p in (question.instruction.strip(), passage, question.question.strip()) if p)


def _talk(asked: str, system: str | None, form: Form) -> list[dict[str, Any]]:
    first = [_message("system", system, form[1])] if system else []
    return [*first, _message("user", asked, form[0])]


def _message(role: str, text: str, form: str) -> dict[str, Any]:
    return {"role": role, "content": text if form == "text" else [{"type": "text", "text": text}]}


class _Template:
    """The chat template of a tokenizer, and what it is given beside the talk."""

    def __init__(self, tokenizer: Any) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise InputError("template_no_chat")
        try:
            self.source = tokenizer.get_chat_template()  # the default one of several
        except ValueError as fault:
            raise _fails(Fault(str(fault))) from fault
        if not isinstance(self.source, str):
            raise _fails(Fault(type(self.source).__name__))
        self.given: Mapping[str, Any] = {
            "tools": None,
            "documents": None,
            **tokenizer.special_tokens_map,
            "enable_thinking": False,
        }

    def render(
        self, talks: Sequence[list[dict[str, Any]]], prompted: Sequence[bool] = ()
    ) -> list[str | Fault]:
        """Each talk as text; the assistant's turn is to be opened where `prompted`, by default everywhere."""
        return render(
            self.source,
            [
                {**self.given, "messages": talk, "add_generation_prompt": told}
                for talk, told in zip(talks, prompted or [True] * len(talks), strict=True)
            ],
        )


def _fails(fault: Fault) -> InputError:
    """In the template's own words: one line of them, of bounded length, that can be shown."""
    line = " ".join("".join(c if c.isprintable() else " " for c in fault.reason).split())
    return InputError("template_fails", reason=line if len(line) <= REASON else line[:REASON] + "…")


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()
