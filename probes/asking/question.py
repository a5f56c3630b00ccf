"""A question about a passage, how it is put to a model, and the presets that come with Crux."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from probes.asking.answers import Answer, AnswerSet
from probes.errors import CruxError, InputError
from probes.text.characters import check_unicode
from probes.text.passage import Passage, Span

FOLDER = Path(__file__).parents[1] / "presets"
TEMPLATES = ("auto", "plain", "chat", "builtin")
ROLES = ("key", "redundant", "noise", "distractor")
Swap = tuple[str, str]
"""Words of a passage, named as :meth:`Passage.find` takes them, and what is put in the place of each."""


@dataclass(frozen=True)
class Suggested:
    """What studies that rewrite a passage may try where the reader names nothing.

    Attributes:
        rewordings: words of the passage, and what may stand in their place.
        mention: the words whose mentions are counted, such as the place that was visited.
        other: another question about the same passage, with its answers and the label of the right one.
    """

    rewordings: tuple[tuple[str, tuple[str, ...]], ...] = ()
    mention: str | None = None
    other: tuple[str, AnswerSet, str | None] | None = None


@dataclass(frozen=True)
class Question:
    """A passage, what is asked about it, the answers compared, and how the whole is put.

    `template` "auto" lets the model choose: its own format for the built-in model, the chat template where
    the tokenizer has one, plain text otherwise. `answer_prefix` is what the answer begins with: a prefill
    for chat models, the text's last words for plain ones; the built-in model needs none.
    """

    passage: Passage
    question: str
    answers: AnswerSet
    language: str = ""
    """"zh" or "en": of the words around passage and question; by default the passage's."""
    template: str = "auto"
    instruction: str = ""
    answer_prefix: str = ""
    system: str | None = None
    right: str | None = None
    """An answer's label; its name is taken too, and becomes the label."""
    tempting: str | None = None
    preset: str | None = None
    roles: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    swaps: tuple[Swap, ...] = ()
    """Minimal counterfactuals that patching may take, the first of the same length in tokens."""
    suggested: Suggested = Suggested()

    def __post_init__(self) -> None:
        check_unicode(self._texts())
        if not self.question.strip():
            raise InputError("question_empty")
        if self.template not in TEMPLATES:
            raise InputError("template_unknown", name=self.template)
        if not self.language:
            object.__setattr__(self, "language", self.passage.language)
        for name in ("right", "tempting"):
            object.__setattr__(self, name, self._label(name))

    def _label(self, name: str) -> str | None:
        """Of the answer that `right` or `tempting` calls by label or name; one that is not listed stays as it
        is, and is refused where it is used.
        """
        called = getattr(self, name)
        if called in (None, ""):
            return None
        try:
            return self.answers.label_of(str(called))
        except InputError:
            return str(called)

    def _texts(self) -> Iterator[tuple[str, object]]:
        """All that is not in the passage or the answers, which look to themselves, by its option's name."""
        yield "question", self.question
        yield "language", self.language
        yield "instruction", self.instruction
        yield "prefix", self.answer_prefix
        yield from (("system", self.system), ("right", self.right), ("tempting", self.tempting))
        yield from (pair for change, to in self.swaps for pair in (("change", change), ("to", to)))

    def role_of(self, span: Span) -> str | None:
        """The role that a careful reader gives the words of `span`; key words first."""
        for role in ROLES:
            if any(start <= span[0] and span[1] <= end for start, end in self.roles.get(role, ())):
                return role
        return None


@dataclass(frozen=True)
class Preset:
    """One passage with its question, right answer and the roles of its words; read from a TOML file."""

    id: str
    language: str
    title: Mapping[str, str]
    about: Mapping[str, str]
    text: str
    ask: str
    answers: AnswerSet
    right: str | None
    tempting: str | None
    instruction: str
    answer_prefix: str
    dictionary: tuple[str, ...]
    role_texts: Mapping[str, Sequence[Any]]
    gloss: Mapping[str, str]
    counterfactuals: tuple[Swap, ...] = ()
    """Of the same length in most tokenizers, with another answer."""
    suggested: Suggested = Suggested()

    @property
    def passage(self) -> Passage:
        return Passage(self.text, dictionary=self.dictionary)

    def roles(self, passage: Passage) -> dict[str, tuple[Span, ...]]:
        """The spans that a careful reader, told that stated arrivals count, would give each role."""
        return {role: tuple(_place(passage, t) for t in texts) for role, texts in self.role_texts.items()}

    def question(self) -> Question:
        """The preset as a question, ready to be asked."""
        passage = self.passage
        return Question(
            passage,
            self.ask,
            self.answers,
            language=self.language,
            instruction=self.instruction,
            answer_prefix=self.answer_prefix,
            right=self.right,
            tempting=self.tempting,
            preset=self.id,
            roles=self.roles(passage),
            swaps=self.counterfactuals,
            suggested=self.suggested,
        )


def _place(passage: Passage, entry: str | Mapping[str, Any]) -> Span:
    """Where a role's text stands: a string, or a string and which of its occurrences."""
    text, nth = (entry, 1) if isinstance(entry, str) else (entry["text"], entry.get("occurrence", 1))
    at = -1
    for _ in range(nth):
        at = passage.text.find(text, at + 1)
        if at < 0:
            raise ValueError(f"{text!r} (occurrence {nth}) is not in the passage")
    return (at, at + len(text))


@cache
def standard_answers(name: str, language: str) -> AnswerSet:
    """A named answer set of `presets/answers.toml`, such as "count" (0 to 5), in one language."""
    table = tomllib.loads((FOLDER / "answers.toml").read_text(encoding="utf-8"))
    try:
        entries = table[name][language]
    except KeyError:
        known = ", ".join(f"{n} ({', '.join(table[n])})" for n in table)
        raise InputError("answers_set_unknown", name=name, known=known) from None
    return AnswerSet(tuple(Answer(label, tuple(e["strings"]), e["display"]) for label, e in entries.items()))


def answer_set(text: str, language: str) -> AnswerSet:
    """`0=never;1=once`, one answer a line, or the name of a standard set in `language`."""
    if any(sign in text.strip() for sign in ";=；＝\n\r"):
        return AnswerSet.parse(text)
    return standard_answers(text.strip(), language)


@cache
def presets() -> tuple[str, ...]:
    """The ids of all presets, the coffee shop first."""
    found = sorted(p.stem for p in FOLDER.glob("*-*.toml"))
    first = [name for lead in ("coffee", "crux") for name in (f"{lead}-zh", f"{lead}-en") if name in found]
    return (*first, *(name for name in found if name not in first))


@cache
def preset(name: str) -> Preset:
    """The preset called `name`.

    Raises:
        InputError: there is none of that name, or its file is broken.
    """
    if name not in presets():
        raise InputError("preset_unknown", name=name, names=", ".join(presets()))
    try:
        table = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
        return _from_table(table)
    except (KeyError, ValueError, TypeError) as fault:
        raise InputError("preset_broken", name=name, reason=repr(fault)) from fault


def _from_table(table: Mapping[str, Any]) -> Preset:
    chosen, language = table["answers"], table["language"]
    try:
        answers = standard_answers(chosen, language) if isinstance(chosen, str) else AnswerSet.of(chosen)
        answers = replace(answers, endings=tuple(table.get("endings", ())))
    except CruxError as fault:
        raise ValueError(str(fault)) from fault
    return Preset(
        id=table["id"],
        language=language,
        title=table["title"],
        about=table["about"],
        text=table["text"],
        ask=table["question"],
        answers=answers,
        right=table.get("right"),
        tempting=table.get("tempting"),
        instruction=table.get("instruction", ""),
        answer_prefix=table.get("answer_prefix", ""),
        dictionary=tuple(table.get("dictionary", ())),
        role_texts=table.get("roles", {}),
        gloss=table.get("gloss", {}),
        counterfactuals=tuple((pair["change"], pair["to"]) for pair in table.get("counterfactuals", ())),
        suggested=_suggested(table.get("suggested", {})),
    )


def _suggested(table: Mapping[str, Any]) -> Suggested:
    rewordings = tuple((one["change"], tuple(one["to"])) for one in table.get("rewordings", ()))
    other = table.get("other")
    asked = other and (other["question"], AnswerSet.of(other["answers"]), other.get("right"))
    return Suggested(rewordings, table.get("mention"), asked)
