"""A passage that a claim is measured on, and the numbers that claims read off the records made there."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from probes.asking.question import Question
from probes.text.phrases import occurrences
from probes.text.segment import Span

Record = Mapping[str, Any]
MOVES = 0.5
"""From this change of the number answered, or this loss in nats, on something is said to move the answer."""
FLOOR = -50.0
"""What stands for the logarithm of a probability that is zero."""
FAR, MARKS = 24, ".,;:!?。，；：！？"
"""How far before the place its verb may stand, in characters, and what may not be between them."""


@dataclass
class Place:
    """One passage on which a claim is measured: its question, and a way to run studies on it.

    Args:
        run: gives the record of a study with options, each made once.
        speech: the lecture's speech that circles round its words, in the same language.
    """

    name: str
    question: Question
    run: Callable[[str, dict[str, Any]], Record]
    speech: Place | None = None
    used: list[Record] = field(default_factory=list)

    def record(self, study: str, **options: Any) -> Record:
        """The record of a study on this passage."""
        found = self.run(study, options)
        if not any(found is one for one in self.used):
            self.used.append(found)
        return found

    @property
    def target(self) -> str:
        """What effects are measured on: the right answer, where there is one. The one that comes first can
        hardly rise: of a model that guesses it is first by luck, and falls back whatever is changed.
        """
        return "top" if self.question.right is None else "right"

    @property
    def words(self) -> Record:
        """Every word of the passage deleted alone."""
        return self.record("words", target=self.target)

    def spans(self, role: str) -> list[Span]:
        """What a careful reader gives this role."""
        return list(self.question.roles.get(role, ()))

    @property
    def mentions(self) -> list[Span]:
        """Where the place that is asked about is named."""
        mention = self.question.suggested.mention
        return occurrences(self.question.passage.text, mention) if mention else []

    @property
    def moves(self) -> bool:
        """Whether the words that say what was done move the answer; any word, where nobody knows which do."""
        known = rows_of(self.words, self.visit_words())
        return moves(self.words, known or self.words["rows"])

    @property
    def visited(self) -> bool:
        """Whether the right answer counts visits whose words are known."""
        return self.question.right not in (None, "0") and bool(self.deeds())

    def deeds(self) -> list[Span]:
        """The key words that say what was done right before the place is named, with 了 or 过 behind them."""
        text = self.question.passage.text
        found = []
        for start, end in self.visit_words():
            end += text[end : end + 1] in ("了", "过")
            gap = next((text[end : m[0]] for m in self.mentions if m[0] >= end), None)
            if gap is not None and len(gap) <= FAR and not any(mark in gap for mark in MARKS):
                found.append((start, end))
        return found

    def visit_words(self) -> list[Span]:
        """The key words that are not the place's name: what is done."""
        return [span for span in self.spans("key") if not any(meet(span, m) for m in self.mentions)]

    def called(self, span: Span) -> str:
        """A span as an option names it: its text, with its number where it occurs more than once."""
        text = self.question.passage.text[slice(*span)]
        places = self.question.passage.find(text)
        return text if len(places) == 1 else f"{text}#{1 + [tuple(p) for p in places].index(tuple(span))}"


@dataclass(frozen=True)
class Figure:
    """What one passage says of a claim.

    `told` are numbers worth showing beside it; `moves`: whether anything on this passage moves the answer.
    """

    value: float
    told: Mapping[str, float] = field(default_factory=dict)
    moves: bool = True


def meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


# ---- numbers of a record


def margin(run: Record, right: str | None) -> float | None:
    """How far the right answer's log-probability is above the best other's, nats."""
    by_label: dict[str, float] = {
        str(a["answer"]): max(a["log_prob"], FLOOR) for a in run["answers"] if a["log_prob"] is not None
    }
    if right not in by_label or len(by_label) < 2:
        return None
    return float(by_label[right]) - max(value for label, value in by_label.items() if label != right)


def number(run: Record) -> float | None:
    """The number answered: the mean over the answers that are numbers."""
    shares = {int(a["answer"]): a["probability"] for a in run["answers"] if str(a["answer"]).isdecimal()}
    whole = math.fsum(shares.values())
    return math.fsum(n * p for n, p in shares.items()) / whole if whole > 0 else None


def lost(row: Record) -> float:
    """How much of the answer's log-probability goes without a row's words, nats; 0 where it rises."""
    return max(0.0, -max(float(row["effect_log_prob"]), FLOOR))


def moves(words: Record, rows: Sequence[Record]) -> bool:
    """Whether leaving out one of `rows` moves the number answered by `MOVES`; of answers that are no numbers,
    whether it turns the answer. A single word that does so somewhere says little: of many, one may by chance.
    """
    before = number(words["clean"])
    for row in rows:
        after = number(row)
        if before is None or after is None:
            if row["flips_clearly"]:
                return True
        elif abs(after - before) >= MOVES:
            return True
    return False


def rows_of(words: Record, spans: Sequence[Span]) -> list[Record]:
    return [row for row in words["rows"] if any(meet((row["start"], row["end"]), span) for span in spans)]
