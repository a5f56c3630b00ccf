"""One room: what is asked in it, who is in it, what they pressed. Not locked: `Rooms` holds the lock.

What leaves a room is a frozen view without names, and nobody's words before the reveal but their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from dashboard.shelf import Choice
from probes.asking.question import Question
from probes.errors import CruxError
from probes.ranks import average_precision, pooled_places, pooled_precision
from probes.record.results import ProbeResult
from probes.text.passage import Unit

Picks = tuple[int, ...]
"""Numbers of words, the surest first."""


@dataclass(frozen=True)
class Asked:
    """What a class predicts: a question about a passage, the model, and the options of its study of words."""

    question: Question
    choice: Choice
    options: Mapping[str, Any]

    @property
    def words(self) -> Sequence[Unit]:
        return self.question.passage.words


@dataclass(frozen=True)
class Found:
    """What a room shows once it is revealed."""

    pupils: int
    """Who sent a prediction."""
    counts: Picks
    """Of each word, how many of them pressed it."""
    record: ProbeResult | None
    """The model's effects; None where they could not be measured."""
    moving: frozenset[int]
    """Words that move the answer."""
    precision: float | None
    """Average precision of the class's pooled ranking; None where no word moves the answer or nobody sent."""
    own: tuple[float, ...]
    """The pupils' own, from the lowest to the highest: in no order that tells whose each is."""

    def share(self, word: int) -> float:
        return self.counts[word] / self.pupils if self.pupils else 0.0

    def precision_of(self, picks: Sequence[int]) -> float | None:
        """Average precision of one prediction."""
        return average_precision(picks, self.moving) if self.moving else None


@dataclass(frozen=True)
class Pulse:
    """What is asked again and again: few numbers."""

    version: int
    """Another one: the page is to be drawn anew."""
    joined: int
    ready: int
    """How many have sent a prediction."""
    pressing: int
    """How many have pressed words and not sent them, or changed them since."""


@dataclass(frozen=True)
class Lead:
    """The room as its teacher sees it."""

    code: str
    asked: Asked
    number: int
    """Of this passage in the room, from 1."""
    pulse: Pulse
    measured: bool
    """Whether the model's effects are known."""
    fault: CruxError | None
    """Why they cannot be."""
    done: int
    total: int
    """Runs of the model so far, and in all."""
    found: Found | None


@dataclass(frozen=True)
class Seat:
    """The room as one pupil sees it."""

    asked: Asked
    number: int
    pulse: Pulse
    draft: Picks
    """Words pressed, sent or not."""
    sent: Picks | None
    """The prediction that counts."""
    found: Found | None


@dataclass
class Pupil:
    """One of a class, known by a token alone."""

    draft: Picks = ()
    sent: Picks | None = None


@dataclass
class Room:
    """See the module's docstring."""

    code: str
    lead_token: str
    asked: Asked
    opened: float
    acted: float
    """When anybody did something in it last; looking on is nothing."""
    number: int = 1
    version: int = 1
    pupils: dict[str, Pupil] = field(default_factory=dict)
    record: ProbeResult | None = None
    fault: CruxError | None = None
    done: int = 0
    total: int = 0
    found: Found | None = None

    def ask(self, asked: Asked) -> None:
        """Another passage: everybody begins anew."""
        self.asked, self.number, self.version = asked, self.number + 1, self.version + 1
        self.pupils = {token: Pupil() for token in self.pupils}
        self.measure_again()
        self.found = None

    def measure_again(self) -> None:
        self.record, self.fault, self.done, self.total = None, None, 0, 0

    def reveal(self) -> None:
        """From here on no prediction of this passage changes."""
        if self.found is None and (self.record or self.fault):
            sent = [pupil.sent for pupil in self.pupils.values() if pupil.sent is not None]
            self.found = found_of(sent, len(self.asked.words), self.record)
            self.version += 1

    def pulse(self) -> Pulse:
        pupils = self.pupils.values()
        ready = sum(pupil.sent is not None for pupil in pupils)
        pressing = sum(bool(pupil.draft) and pupil.draft != pupil.sent for pupil in pupils)
        return Pulse(self.version, len(self.pupils), ready, pressing)

    def lead(self) -> Lead:
        known = self.record is not None
        progress = (known, self.fault, self.done, self.total)
        return Lead(self.code, self.asked, self.number, self.pulse(), *progress, self.found)

    def seat(self, pupil: Pupil) -> Seat:
        return Seat(self.asked, self.number, self.pulse(), pupil.draft, pupil.sent, self.found)


def found_of(sent: Sequence[Picks], count: int, record: ProbeResult | None) -> Found:
    """What a class predicted of `count` words, beside the model's effects."""
    counts = [0] * count
    for picks in sent:
        for word in picks:
            counts[word] += 1
    rows = record.data["rows"] if record else []
    moving = frozenset(row["index"] for row in rows if row["no_change"] is False)
    told = bool(moving and sent)
    precision = pooled_precision(pooled_places(sent, count), moving) if told else None
    own = sorted(average_precision(picks, moving) for picks in sent) if told else []
    return Found(len(sent), tuple(counts), record, moving, precision, tuple(own))


def clean(picks: object, count: int, most: int) -> Picks:
    """Those of `picks` that are numbers of `count` words, each once, `most` at most."""
    if not isinstance(picks, Collection) or isinstance(picks, (str, bytes, Mapping)):
        return ()
    kept: dict[int, None] = {}
    for one in islice(picks, 4 * most):
        if type(one) is int and 0 <= one < count:
            kept.setdefault(one)
    return tuple(kept)[:most]
