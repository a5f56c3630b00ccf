"""Whole passages: visits, other people's visits, plans and mentions, and what stands between them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from probes.generator.careful_reader import Reader
from probes.generator.clauses import Clauses
from probes.generator.filling import Clause
from probes.generator.joining import join
from probes.generator.lexicon import TRAIN, Splits, Tables
from probes.generator.story import ME, UNKNOWN, WE, Event, Story, Word


@dataclass(frozen=True, slots=True)
class PassageSize:
    """How much a passage holds at most: visits to the asked place and to others, mentions, fillers, words."""

    visits: int
    others: int
    mentions: int
    fillers: int
    words: int


SIZES = (
    PassageSize(1, 1, 0, 0, 45),
    PassageSize(2, 1, 1, 1, 45),
    PassageSize(3, 2, 2, 2, 80),
    PassageSize(5, 3, 3, 4, 150),
    PassageSize(5, 8, 8, 22, 420),
)
"""By level: the first three are a curriculum, 3 is the ordinary passage, 4 the long one."""


WEIGHTS = (20, 24, 20, 15, 11, 10)
"""How often the first place is visited never, once, ... five times, unless told otherwise."""


class Composer:
    """A seeded source of stories in one language."""

    def __init__(
        self,
        language: str,
        seed: int,
        splits: Splits = TRAIN,
        *,
        nonce: float = 0.0,
        odd_places: float = 0.0,
        hard: float = 0.0,
        visits: tuple[int, ...] = WEIGHTS,
    ):
        """`nonce` scales how often a word is invented, `odd_places` how often places are named at random,
        `hard` how much more often the turns of phrase are used that take the longest to learn; `visits`: how
        often the first place is visited never, once, ... five times.
        """
        self.language, self.tables, self.rng = language, Tables(language, splits), random.Random(seed)
        self.nonce, self.odd_places, self.hard, self.visits = nonce, odd_places, hard, visits

    def story(self, level: int = 3, *, place: str | None = None, visits: int | None = None) -> Story:
        """One passage whose first place has a defined number of my visits; `place` is what that place is
        called, and then named at least once; `visits` how often I go there; each drawn where it is None.
        """
        size = SIZES[level]
        if visits is None:
            visits = self.rng.choices(range(size.visits + 1), self.visits[: size.visits + 1])[0]
        while True:
            story = _Draft(self, size, place).write(visits)
            if story is not None and (place is None or place.casefold() in story.text.casefold()):
                return story


SEVERAL = {
    "arrival_listed": 22,
    "arrival_counted": 26,
    "arrival_summed": 16,
    "arrival_days": 16,
    "arrival_daily": 10,
    "arrival_joint_counted": 8,
}
"""How a sentence tells of several visits, and how often."""
ONLY = 0.2
"""How often an only visit is said to be the only one."""
SERIES = 0.2
"""How often a visit is followed by others whose place is not named again."""
TOGETHER = 0.25
"""How often all visits to the first place follow each other."""


class _Draft:
    """One attempt at a passage."""

    def __init__(self, composer: Composer, size: PassageSize, place: str | None = None):
        self.rng, self.tables, self.size = composer.rng, composer.tables, size
        self.hard = composer.hard
        self.language = composer.language
        self.story = Story(composer.language)
        self.clauses = Clauses(self.story, self.tables, self.rng, composer.nonce)
        self.kinds: list[str] = []
        if place is None:
            self._name_places(composer.odd_places)
        else:
            self._name_others(place)
        self.ids = list(self.story.places)

    def _name_others(self, place: str) -> None:
        """Places beside `place`, none of whose names is a part of it or has it as a part."""
        apart = [name for name in self.tables.options("place") if name not in place and place not in name]
        self.story.places = {name: name for name in (place, *self.rng.sample(apart, self.rng.randint(1, 3)))}

    def _name_places(self, odd: float) -> None:
        names = self.rng.sample(self.tables.options("place"), self.rng.randint(2, 4))
        if self.rng.random() < odd:
            strange = [self._odd_name() if self.rng.random() < 0.7 else name for name in names]
            names = strange if len(set(strange)) == len(names) else names
        self.story.places = {name: name for name in names}

    def _odd_name(self) -> str:
        words = [
            self.clauses.nonce_word() if self.rng.random() < 0.3 else self.tables.word("noun", self.rng)
            for _ in range(self.rng.randint(1, 2))
        ]
        if self.rng.random() < 0.4:
            words.append(
                self.rng.choice(self.tables.options("place")).split()[-1][-1]
                if self.language == "zh"
                else self.rng.choice(["shop", "house", "hall", "centre"])
            )
        return ("" if self.language == "zh" else " ").join(words)

    # ---- one sentence each

    def _say(
        self,
        name: str,
        kind: str | None = None,
        place: str | None = None,
        person: str | None = None,
        **about: object,
    ) -> int | None:
        event = None
        clause = Clause(place=place, person=person)
        if kind is not None:
            people = (person,) if person else (ME,)
            event = self.clauses.event(Event(kind, people, place, **about))  # type: ignore[arg-type]
            clause.event, clause.times = event, self.story.events[event].times
        self.clauses.sentence(self.tables.frame(name, self.rng), clause)
        we = any(word.tag in ("M", "L") and word.text.lower() in WE for word in clause.words)
        if event is not None and we:
            self.story.events[event].people = (ME, UNKNOWN)
        elif name.startswith("arrival_joint") and event is not None and clause.person:
            self.story.events[event].people = (ME, clause.person)
        self.kinds.append(name)
        return event

    def visit(self, place: str, times: int = 1, first: bool = True, total: bool = False) -> None:
        """My arrival at `place`, or a sentence that tells of `times` of them, and what may follow it.

        `first`: nothing told of this place yet, so no word of a new time is needed. `total`: these are all
        visits to it.
        """
        rng = self.rng
        if times > 1:
            names = SEVERAL | ({"arrival_total": 36} if total else {})
            event = self._say(
                rng.choices(list(names), list(names.values()))[0], "arrival", place, times=times
            )
        elif total and rng.random() < ONLY:
            event = self._say("arrival_only", "arrival", place)
        else:
            event = self._arrive(place, first)
        self._told_of(place, event)
        if rng.random() < 0.25:
            self._say("filler")
        if rng.random() < 0.3:
            self._say("leave", "leave", place)
        if rng.random() < 0.15:
            self._say("home")

    def _told_of(self, place: str, event: int | None) -> None:
        """What came of a visit, that there was no other, or who else was there."""
        rng = self.rng
        if rng.random() < 0.22:
            self._say("aside", "mention", place)
        if event is None or self.story.events[event].place is None:
            return
        if rng.random() < 0.1:
            self._say("not_again", "blocked", place, antecedent=event)
        elif rng.random() < 0.06:
            self._say("other_there", "arrival", place, self.clauses.add_person(), antecedent=event)

    def _arrive(self, place: str, first: bool) -> int | None:
        """One arrival; its event where its own sentence, the last one told, names the place."""
        rng = self.rng
        chance = rng.random()
        if first and rng.random() < 0.2:
            self._plan(place)
        if chance < 0.08 + 0.08 * self.hard:
            self._there(place)
            return None
        name = rng.choices(
            [
                "arrival",
                "arrival_timed",
                "arrival_ordinal",
                "arrival_door",
                "arrival_inside",
                "arrival_joint",
                "arrival_diary",
            ],
            [38 if first else 12, 34, 4 + 3 * self.hard, 7 + 9 * self.hard, 6, 8, 4],
        )[0]
        if name in ("arrival", "arrival_timed") and rng.random() < 0.14:
            self._carry_on(place, self._say("arrival_reached", "arrival", place))
            return None
        return self._say(name, "arrival", place)

    def _carry_on(self, place: str, event: int | None) -> None:
        if self.rng.random() < 0.5:
            clause = Clause(event=event, place=place)
            self.clauses.sentence(self.tables.frame("carry_on", self.rng), clause)
            self.kinds.append("carry_on")
        else:
            self._say("carry_on_named", "arrival", place, pair=event)

    def _there(self, place: str, arrives: bool = True) -> None:
        before = len(self.story.events)
        self._mention(place)
        named = [n for n in range(before, len(self.story.events)) if self.story.events[n].place == place]
        name, kind = ("there", "arrival") if arrives else ("there_blocked", "blocked")
        self._say(name, kind, place, antecedent=named[0])

    def series(self, place: str, left: int, counted: list[int]) -> None:
        """An arrival at `place` and, the place not named again, more of them, at most `left`; `counted` is
        given how many.
        """
        rng = self.rng
        first = self._say(rng.choice(["arrival_timed", "arrival_timed", "arrival_reached"]), "arrival", place)
        told, more = 1, rng.choice((1, 1, 2, 2, 3))
        while more and told < left:
            if rng.random() < 0.3:
                self._say("aside", "mention", place)
            times = rng.randint(2, left - told) if left - told > 1 and rng.random() < 0.15 else 1
            name = "there_more" if times > 1 else "there_again"
            self._say(name, "arrival", place, times=times, antecedent=first)
            told, more = told + times, more - 1
        self._told_of(place, first)
        counted.append(told)

    def _mention(self, place: str) -> None:
        name, kind = self.rng.choice([("named", "mention"), ("named", "mention"), ("leave", "leave")])
        self._say(name, kind, place)

    def _plan(self, place: str) -> None:
        name = self.rng.choices(["blocked", "blocked_past", "blocked_did", "nobody"], [60, 10, 26, 4])[0]
        bare = False if name == "nobody" else self.tables.bare(name)
        self._say(name, "blocked", place, bare=bare)

    def inert(self, place: str) -> None:
        """Something about `place` that is no arrival of mine."""
        chance = self.rng.random()
        if chance < 0.04:
            self._there(place, arrives=False)
        elif chance < 0.42:
            self._say("mention", "mention", place)
        elif chance < 0.72:
            self._plan(place)
        elif chance < 0.9:
            self.other(place)
        else:
            self._say("leave", "leave", place)

    def other(self, place: str) -> None:
        """Somebody else's visit; at times the same person's again."""
        known = list(self.story.people)
        person = (
            UNKNOWN
            if self.rng.random() < 0.12
            else self.rng.choice(known)
            if known and self.rng.random() < 0.4
            else self.clauses.add_person()
        )
        if self.rng.random() < 0.1 and person != UNKNOWN:
            self._say("other_counted", "arrival", place, person, times=self.rng.choice((2, 2, 3)))
        else:
            self._say("other", "arrival", place, person)

    # ---- the whole

    def _block(self, blocks: list[tuple[list[list[Word]], list[str]]], write: Callable[[], object]) -> None:
        sentences, kinds = len(self.story.sentences), len(self.kinds)
        write()
        blocks.append((self.story.sentences[sentences:], self.kinds[kinds:]))

    def write(self, left: int) -> Story | None:
        """The story with `left` visits to its first place; None where it came out too long or open."""
        rng, size = self.rng, self.size
        asked, rest = self.ids[0], self.ids[1:]
        blocks: list[tuple[list[list[Word]], list[str]]] = []
        first = True
        while left:
            if left > 1 and rng.random() < SERIES:
                told: list[int] = []
                self._block(blocks, partial(self.series, asked, left, told))
                left, first = left - sum(told), False
                continue
            times = rng.randint(2, left) if left > 1 and rng.random() < 0.17 + 0.07 * self.hard else 1
            self._block(blocks, partial(self.visit, asked, times, first, first and times == left))
            left, first = left - times, False
        visits, blocks = blocks, []
        seen: set[str] = set()
        for _ in range(rng.randint(0, size.others)):
            place = rng.choice(rest)
            self._block(
                blocks, partial(self.visit, place, 2 if rng.random() < 0.06 else 1, place not in seen)
            )
            seen.add(place)
        for _ in range(rng.randint(0, size.mentions)):
            self._block(blocks, partial(self.inert, rng.choice(self.ids) if rng.random() < 0.5 else asked))
        for _ in range(rng.randint(0, size.fillers)):
            self._block(blocks, partial(self._say, "filler"))
        if not blocks and not visits:
            self._block(blocks, partial(self.inert, asked))
        if rng.random() < TOGETHER:
            rng.shuffle(blocks)
            where = rng.randint(0, len(blocks))
            blocks[where:where] = visits
        else:
            blocks += visits
            rng.shuffle(blocks)
        self.story.sentences = [s for sentences, _ in blocks for s in sentences]
        self.kinds = [k for _, kinds in blocks for k in kinds]
        return self._finish(asked)

    def _finish(self, asked: str) -> Story | None:
        if sum(len(s) for s in self.story.sentences) > self.size.words:
            return None
        self.story.sentences = join(self.story.sentences, self.kinds, self.tables, self.rng)
        self.story.finish()
        return self.story if Reader(self.story).visits(ME, asked) is not None else None
