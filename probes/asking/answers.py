"""Candidate answers. Runs nothing.

An answer's probability is the probability that the continuation of the prompt *begins with* any of its
strings, compared as token sequences. Strings form a tree: a string's nearest ancestor is the longest other
string that it begins with. A string below one of the same answer adds nothing and is dropped; one below a
string of *another* answer is that much taken from the other ("one" begins "one hundred"). So every
continuation belongs to the longest string it begins with, and answers never overlap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from probes.errors import InputError, LimitError
from probes.text import escapes
from probes.text.characters import check_unicode

Ids = tuple[int, ...]

_PARTING, _EQUALS = ";；\n\r", "=＝"
"""What stands between answers, and between an answer's label and strings, where they are written as text."""
MAX_CHARACTERS = 200_000
"""Of all strings of a set of answers, their endings included."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One candidate: the label it is known by, and every string that says it."""

    label: str
    strings: tuple[str, ...]
    display: str = ""
    """How a person would say it ("once"); the label where empty."""

    @property
    def name(self) -> str:
        return self.display or self.label


@dataclass(frozen=True, slots=True)
class Term:
    """One string's part in one answer: its probability is added (`sign` 1) or taken off (-1)."""

    answer: int
    string: str
    ids: Ids
    sign: int


@dataclass(frozen=True)
class AnswerSet:
    """The answers that are compared.

    `endings`, where given, are put after every string ("once." and "once\\n" instead of "once"): then an
    answer counts only where it also ends there, and every string scored is listed in full. `alone` allows
    one answer that is compared with nothing: see `of_text`.
    """

    answers: tuple[Answer, ...]
    endings: tuple[str, ...] = ()
    alone: bool = False

    def __post_init__(self) -> None:
        written = (s for a in self.answers for s in (a.label, a.display, *a.strings))
        check_unicode(("answers", text) for text in written)
        check_unicode(("endings", text) for text in self.endings)
        if not any(self.endings):  # an empty one alone asks for nothing
            object.__setattr__(self, "endings", ())
        labels = Counter(answer.label for answer in self.answers)
        if len(self.answers) < (1 if self.alone else 2):
            raise InputError("answers_few", count=len(self.answers))
        if doubled := next((label for label, count in labels.items() if count > 1), None):
            raise InputError("answers_label_twice", label=doubled)
        for answer in self.answers:
            if not answer.label or not answer.strings or not all(s.strip() for s in answer.strings):
                raise InputError("answers_empty", label=answer.label)
        self._refuse_long()

    def _refuse_long(self) -> None:
        """Counted, not built: every string is put before every ending.

        Raises:
            LimitError: with the number of characters and the limit.
        """
        lengths = [len(string) for answer in self.answers for string in answer.strings]
        ends = self.endings or ("",)
        characters = sum(lengths) * len(ends) + sum(map(len, ends)) * len(lengths)
        if characters > MAX_CHARACTERS:
            raise LimitError("answers_long", characters=characters, most=MAX_CHARACTERS)

    @classmethod
    def parse(cls, text: str) -> AnswerSet:
        """From the command line: `0=never=zero times;1=once=one time`, full-width signs too; or one a line.

        The first string after the label is also how the answer is called, unless a name stands there after
        two equals signs: `1==once or so=once`. A label alone is its own string. A backslash takes a sign, a
        space or a line end as it is.
        """
        answers = []
        for part in escapes.parted(escapes.signs(text, _PARTING + _EQUALS), _PARTING):
            label, *strings = map(escapes.plain, escapes.parted(part, _EQUALS))
            if not label and not strings:
                continue
            name = (strings or [label])[0]
            if len(strings) > 1 and not name:
                _, name, *strings = strings
            else:
                strings = strings or [label]
            answers.append(Answer(label, tuple(strings), name))
        return cls(tuple(answers))

    def as_text(self, between: str = ";") -> str:
        """The answers as `parse` takes them, with `between` (";" or a line end) from one to the next."""
        lines = []
        for answer in self.answers:
            named = [] if answer.display == answer.strings[0] else ["", answer.display]
            parts = (answer.label, *named, *answer.strings)
            lines.append("=".join(escapes.escaped(part, _PARTING + _EQUALS) for part in parts))
        return between.join(lines)

    @classmethod
    def of(cls, table: Mapping[str, Sequence[str]]) -> AnswerSet:
        """From a mapping of labels to strings."""
        return cls(tuple(Answer(label, tuple(s), s[0] if s else "") for label, s in table.items()))

    @classmethod
    def of_text(cls, text: str) -> AnswerSet:
        """One text alone, whose probability is asked for."""
        return cls((Answer("text", (text,), text.strip()),), alone=True)

    def index(self, label: str) -> int:
        """Where the answer stands whose label this is, or else whose name.

        Raises:
            InputError: there is none.
        """
        for names in ([a.label for a in self.answers], [a.name for a in self.answers]):
            if label in names:
                return names.index(label)
        raise InputError("answer_unknown", label=label, labels=", ".join(a.label for a in self.answers))

    def label_of(self, called: str) -> str:
        """The label of the answer called so, by its label or its name.

        Raises:
            InputError: there is none.
        """
        exact = any(called in (answer.label, answer.name) for answer in self.answers)
        return self.answers[self.index(called if exact else called.strip())].label

    @property
    def strings(self) -> list[tuple[int, str]]:
        """Every (answer, string) with the endings put on, in order."""
        ends = self.endings or ("",)
        return [(i, s + end) for i, a in enumerate(self.answers) for s in a.strings for end in ends]

    def terms(self, tokenise: Callable[[str], Ids]) -> tuple[Term, ...]:
        """What to score, once strings are token sequences (module docstring).

        Raises:
            InputError: two answers share a token sequence, a string has no tokens.
        """
        owner: dict[Ids, tuple[int, str]] = {}
        for answer, string in self.strings:
            ids = tokenise(string)
            if not ids:
                raise InputError("answer_no_tokens", string=string)
            other = owner.setdefault(ids, (answer, string))
            if other[0] != answer:
                pair = (self.answers[other[0]].label, self.answers[answer].label)
                raise InputError("answers_same", string=string, one=pair[0], other=pair[1])
        nearest = _nearest_ancestors(owner)
        terms: list[Term] = []
        for ids, (answer, string) in owner.items():
            above = owner[nearest[ids]][0] if ids in nearest else None
            if above == answer:
                continue
            terms.append(Term(answer, string, ids, 1))
            if above is not None:
                terms.append(Term(above, string, ids, -1))
        return tuple(sorted(terms, key=lambda term: term.answer))


def _nearest_ancestors(strings: Iterable[Ids]) -> dict[Ids, Ids]:
    """Of each token sequence that begins with another of them, the longest such other.

    In sorted order a sequence stands behind all that it begins with, and nothing else stands between them
    but what begins with them too: one pass with a stack, linear in the number of tokens.
    """
    found: dict[Ids, Ids] = {}
    open_: list[Ids] = []
    for ids in sorted(strings):
        while open_ and ids[: len(open_[-1])] != open_[-1]:
            open_.pop()
        if open_:
            found[ids] = open_[-1]
        open_.append(ids)
    return found
