"""The careful reader: what a story answers after words are taken away or sentences moved.

Three-valued: a number or name where the convention decides, None where a careful reader could not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from itertools import pairwise

from probes.asking.trials import CLEAN, Mode, Trial
from probes.generator.story import ME, UNKNOWN, Event, Story, Word

MOST = 5
"""The highest count that has an answer."""


class Remains(IntEnum):
    """What is left of a word: all of it, nothing, or a part that may be misread."""

    STANDS = 0
    GONE = 1
    UNSURE = 2


class Reader:
    """One reading of a story: which words stand, in which order the sentences come."""

    def __init__(self, story: Story, trial: Trial = CLEAN, order: Sequence[int] | None = None):
        self.story, self.trial = story, trial
        order = range(len(story.sentences)) if order is None else order
        self.rank = {sentence: rank for rank, sentence in enumerate(order)}
        self.order = list(order)
        self.states: dict[int, Remains] = {}
        if trial.spans:
            self.states = {id(w): s for w in story.words if (s := self._taken(w))}

    def _taken(self, word: Word) -> Remains:
        covered = sum(max(0, min(word.end, end) - max(word.start, start)) for start, end in self.trial.spans)
        if not covered:
            return Remains.STANDS
        return Remains.GONE if covered == word.end - word.start else Remains.UNSURE

    def state(self, word: Word) -> Remains:
        """What is left of `word` in this reading."""
        return self.states.get(id(word), Remains.STANDS)

    def _all(self, words: Sequence[Word]) -> Remains:
        """STANDS where every word does; GONE where none does; else UNSURE."""
        states = {self.state(word) for word in words}
        if not states or states == {Remains.STANDS}:
            return Remains.STANDS
        return Remains.GONE if states == {Remains.GONE} else Remains.UNSURE

    def stated(self, number: int) -> int | None:
        """How many arrivals event `number` states: 0 for none, None where a reader could not say."""
        event, parts = self.story.events[number], self.story.parts[number]
        verb = [self.state(word) for word in parts["V"]]
        place = self._all(parts["P"])
        carried = any(self.state(word) != Remains.GONE for word in parts["C"] + parts["E"])
        if Remains.GONE in verb or (parts["P"] and place == Remains.GONE):
            return None if carried else 0
        if event.kind == "blocked":
            blocked = self._blocked(event, number)
            if blocked != 1:
                return blocked
        sure = Remains.UNSURE not in verb and place == Remains.STANDS
        sure = sure and all(self._all(parts[tag]) == Remains.STANDS for tag in "SMLR")
        if not sure or not self._mine(number) or not self._attached(event, number):
            return None
        if event.times > 1:
            return {Remains.STANDS: event.times, Remains.GONE: 1}.get(self._filled(parts["Q"] + parts["E"]))
        return 1

    def _filled(self, words: Sequence[Word]) -> Remains:
        """Like :meth:`_all`, but a filler in a word's place leaves open what stood there."""
        state = self._all(words)
        return Remains.UNSURE if state == Remains.GONE and self.trial.mode == Mode.REPLACE else state

    def _blocked(self, event: Event, number: int) -> int | None:
        """0 while a blocker stands, 1 where the clause has become an arrival, None where that is open."""
        parts = self.story.parts[number]
        if any(self.state(word) == Remains.STANDS for word in parts["B"]):
            return 0 if self._all(parts["D"]) == Remains.STANDS else None
        if self._filled(parts["B"]) != Remains.GONE or not event.bare:
            return None
        return 1 if self._all(parts["A"]) == Remains.STANDS else None

    def _mine(self, number: int) -> bool:
        """Whether the clause is still about me: its "I" stands, or I am the last one named before it, or
        nobody is. A filler in its place may be anybody.
        """
        subject = self.story.subjects.get(number)
        if subject is None or self.state(subject.word) == Remains.STANDS:
            return True
        if self.trial.mode == Mode.REPLACE:
            return False
        left = [word for word in subject.before if self.state(word) == Remains.STANDS]
        return not left or (left[-1].text == subject.word.text and not left[-1].being)

    def _attached(self, event: Event, number: int) -> bool:
        """Whether what the event leans on ("there", its own second sentence) is where
        it was.
        """
        parts = self.story.parts[number]
        sentences = sorted({w.sentence for words in parts.values() for w in words})
        if any(self.rank[b] - self.rank[a] != b - a for a, b in pairwise(sentences)):
            return False
        if event.antecedent is None:
            return True
        named = self.story.parts[event.antecedent]["P"]
        here = (parts["R"] or parts["V"])[0].sentence
        near = self.rank[here] - self.rank[named[-1].sentence] == here - named[-1].sentence
        return near and self._all(named) == Remains.STANDS

    def visits(self, person: str, place: str) -> int | None:
        """How often `person` is stated to arrive at `place`."""
        return self.contributions(person, place)[1]

    def contributions(self, person: str, place: str) -> tuple[dict[int, int], int | None]:
        """What each event adds to the count, and the sum (None where it is open)."""
        added: dict[int, int] = {}
        total, open_, separated = 0, False, True
        for item in self._timeline():
            if item == "time":
                separated = True
                continue
            assert isinstance(item, int)
            event = self.story.events[item]
            if event.kind == "leave":
                separated |= event.place == place and self._all(self._clause(item)) == Remains.STANDS
                continue
            count = self.stated(item)
            if event.place != place:
                separated |= count == 1 and person in event.people
                open_ |= count is None and event.antecedent is not None  # "there" may mean any place now
                continue
            if count == 0 or self._elses(item, person):
                continue
            if count is None or person in event.mates or (person != ME and UNKNOWN in event.people):
                open_ = True
                continue
            if person not in event.people:
                continue
            if event.pair is not None and event.pair in added:
                open_ |= not self._adjacent(event.pair, item)
                continue
            open_ |= not separated
            added[item], separated = count, False
            total += count
        return added, None if open_ or total > MOST else total

    def _elses(self, number: int, person: str) -> bool:
        """Whether the event is certainly about other people than `person`."""
        event = self.story.events[number]
        named = {person, UNKNOWN if person != ME else ME} & {*event.people, *event.mates}
        told = self._all(self.story.parts[number]["S"]) == Remains.STANDS
        return not named and told and self._mine(number)

    def _clause(self, number: int) -> list[Word]:
        parts = self.story.parts[number]
        return parts["V"] + parts["P"]

    def _adjacent(self, first: int, second: int) -> bool:
        a, b = (self._clause(number)[0].sentence for number in (first, second))
        return self.rank[b] - self.rank[a] == b - a

    def _timeline(self) -> list[int | str]:
        """Events that arrive or leave, by their last word, among the phrases that tell a new time.

        A phrase in the same clause as the verb ("went there again") comes before it, wherever it stands.
        """
        items: list[tuple[tuple[int, int], int | str]] = []
        for number, event in enumerate(self.story.events):
            if event.kind in ("arrival", "blocked", "leave"):
                last = max(self._clause(number), key=lambda w: (self.rank[w.sentence], w.start))
                items.append(((self.rank[last.sentence], last.start), number))
        for words in self.story.phrases.values():
            if self._all(words) == Remains.STANDS:
                own = words[0].event
                first = self._clause(own)[0] if own is not None else words[0]
                items.append(((self.rank[first.sentence], min(first.start, words[0].start) - 1), "time"))
        return [item for _, item in sorted(items, key=lambda pair: (pair[0], str(pair[1])))]

    def done(self, kind: str) -> str | None:
        """The one thing I am stated to have ordered, bought, ...; None where there is none, or more than
        one.
        """
        things: set[str] = set()
        for number, event in enumerate(self.story.events):
            if event.kind != kind:
                continue
            parts = self.story.parts[number]
            if Remains.GONE in [self.state(word) for word in parts["V"]]:
                continue
            owner = self.story.parts[event.owner] if event.owner is not None else {}
            doers = (
                [*owner.get("M", ()), *owner.get("S", ())] if ME not in event.people else owner.get("M", ())
            )
            if self._all([*doers, *parts["S"], *parts["V"]]) != Remains.STANDS or UNKNOWN in event.people:
                return None
            if ME not in event.people:
                continue
            if not self._mine(number) or self._all(parts["O"]) != Remains.STANDS:
                return None
            things.add(event.thing)
        return things.pop() if len(things) == 1 else None
