"""Slots of time, places, people and acts; with the verbs, all that a clause is written from."""

from __future__ import annotations

import random
import re

from probes.generator.filling import Clause
from probes.generator.letters import TURNED
from probes.generator.story import ME, UNKNOWN, Event, Word
from probes.generator.verbs import Verbs

ACTS = ("order", "buy", "eat", "drink")
DENIED = [
    "没敢",
    "没肯",
    "不敢",
    "不肯",
    "不愿",
    "不必",
    "不该",
    "不用",
    "不便",
    "不忍",
    "未曾",
    "未敢",
    "不曾",
    "不许",
    "不准",
]
"""Denials of a manner, with which those of invented characters are mixed."""


class Clauses(Verbs):
    """Writes the clauses of one story."""

    def _slot_time(self, clause: Clause) -> None:
        phrase = self._phrase(clause)
        text = self.tables.word("time", self.rng)
        if clause.words:
            text = text[0].lower() + text[1:]
        for word in text.split():
            self._word(word, clause, "T", clause.event, phrase)

    def _slot_again(self, clause: Clause) -> None:
        phrase = self._phrase(clause)
        for word in self.tables.word("again", self.rng).split():
            self._word(word, clause, "T", clause.event, phrase)

    def _slot_adv(self, clause: Clause) -> None:
        chance = self.rng.random()
        if chance < 0.5:
            return
        if chance < 0.5 + 0.3 * self.nonce:
            clause.words.append(Word(self.nonce_word()))
        else:
            self._named(self.tables.word("adv", self.rng), clause)

    def _slot_noisev(self, clause: Clause) -> None:
        odd = self.rng.random() < 0.12 * self.nonce
        self._named(self.nonce_word() if odd else self.tables.word("noisev", self.rng), clause)

    def _slot_noun(self, clause: Clause) -> None:
        odd = self.rng.random() < 0.08 * self.nonce
        self._named(self.nonce_word() if odd else self.tables.word("noun", self.rng), clause, being=True)

    def _slot_times(self, clause: Clause) -> None:
        self._fill(self.tables.times(clause.times, self.rng), clause)

    def _slot_no_x(self, clause: Clause) -> None:
        """A Chinese denial of any manner: 没敢, 不肯, 未曾, with any character behind it."""
        denial = self.rng.choice(DENIED)
        if self.rng.random() < 0.6 * self.nonce and (odd := self.nonce_stem()) not in TURNED:
            denial = self.rng.choice("没没不不未") + odd
        self._word(denial, clause, "B", clause.event)

    def _slot_time_q(self, clause: Clause) -> None:
        """A time that tells one visit more."""
        told = " ".join(word.text for word in clause.words).lower()
        free = [text for text in self.tables.options("time") if text.lower() not in told]
        text = self.rng.choice(free)
        for word in (text[0].lower() + text[1:]).split():
            self._word(word, clause, "Q", clause.event)

    def _slot_first_q(self, clause: Clause) -> None:
        """How often at first, where the visits of a clause are told by twos and threes."""
        first = self.rng.randint(1, clause.times - 1)
        clause.split = self._parts(clause.times - first)
        self._fill(self.tables.times(first, self.rng), clause)

    def _parts(self, total: int) -> list[int]:
        """`total` as a sum of one or two numbers."""
        first = self.rng.randint(1, total)
        return [first, total - first] if first < total else [total]

    def _slot_rest(self, clause: Clause) -> None:
        """What `first_q` left (all but one without it), each with its own time."""
        rest = clause.split or self._parts(clause.times - 1)
        for number, times in enumerate(rest, 1):
            last = number == len(rest)
            name = "and_so_often" if last else "so_often"
            told = self.tables.times(times, self.rng)
            self._fill(self.tables.frame(name, self.rng).replace("{n}", told), clause)

    def _slot_each(self, clause: Clause) -> None:
        """What each of several visits was for."""
        for number in range(clause.times):
            name = "each" if number + 1 < clause.times else "each_last"
            self._fill(self.tables.frame(name, self.rng), clause)

    def _slot_number_q(self, clause: Clause) -> None:
        self._word(self.tables.options("number")[clause.times - 2], clause, "Q", clause.event)

    def _slot_number_l(self, clause: Clause) -> None:
        self._word(self.tables.options("number")[clause.times - 2], clause, "L", clause.event)

    def _slot_days(self, clause: Clause) -> None:
        """As many days, months or dates as there are visits, in their order."""
        self._days(clause, self.rng.choice(("weekday", "weekday", "month", "date")))

    def _slot_weekdays(self, clause: Clause) -> None:
        self._days(clause, "weekday")

    def _days(self, clause: Clause, name: str) -> None:
        days = self.tables.options(name)
        chosen = [days[at] for at in sorted(self.rng.sample(range(len(days)), clause.times))]
        self._fill(_day_list(chosen, name, self.language, self.rng), clause)
        self._tell_time(clause)

    def _slot_span(self, clause: Clause) -> None:
        """From the first of as many days as there are visits to the last."""
        days = self.tables.options("weekday")
        first = self.rng.randint(0, len(days) - clause.times)
        joint = {"en": "to", "zh": self.rng.choice("到至")}[self.language]
        self._fill(f"{days[first]}/Q {joint}/Q {days[first + clause.times - 1]}/Q", clause)
        self._tell_time(clause)

    def _tell_time(self, clause: Clause) -> None:
        """The days that say how often also tell a new time."""
        phrase = self._phrase(clause)
        for word in clause.words:
            if word.tag == "Q" and word.phrase is None:
                word.phrase = phrase

    def _slot_listed(self, clause: Clause) -> None:
        """The further visits of a clause that tells of `times`, one phrase each."""
        for _ in range(clause.times - 1):
            self._fill(self.tables.frame("once_more", self.rng), clause)

    # ---- places and people

    def _slot_place(self, clause: Clause) -> None:
        self._fill(self.tables.frame("place_phrase", self.rng), clause)

    def _slot_place_short(self, clause: Clause) -> None:
        """A place without a clause of its own, to which "twice" or "again" behind it could belong."""
        while "{person}" in (phrase := self.tables.frame("place_phrase", self.rng)):
            pass
        self._fill(phrase, clause)

    def _slot_p(self, clause: Clause) -> None:
        assert clause.place is not None
        for word in self.story.places[clause.place].split():
            self._word(word, clause, "P", clause.event)

    def add_person(self) -> str:
        """Somebody of the lexicon, known to the story under the phrase that names them."""
        phrase = self.tables.word("person", self.rng)
        if self.rng.random() < 0.15 * self.nonce:
            odd = self.nonce_word()
            name = odd.capitalize() if self.language == "en" else f"{self.rng.choice('小老阿')}{odd[0]}"
            phrase = name if self.language == "en" else f"*{name}"
        name = phrase.replace("*", "")
        self.story.people[name] = phrase
        return name

    def _slot_who(self, clause: Clause) -> None:
        if clause.person is None:
            clause.person = self.add_person()
        if clause.person == UNKNOWN:
            self._named(self.tables.word("pronoun", self.rng), clause, "S", clause.event, being=True)
        else:
            self._named(self.story.people[clause.person], clause, "S", clause.event, being=True)

    def _slot_person(self, clause: Clause) -> None:
        self._named(self.tables.word("person", self.rng), clause, being=True)

    def _slot_mate(self, clause: Clause) -> None:
        """Somebody who may or may not come along: whether they arrive is left open."""
        name = self.add_person()
        if clause.event is not None:
            self.story.events[clause.event].mates += (name,)
        self._named(self.story.people[name], clause, being=True)

    def _slot_pron(self, clause: Clause) -> None:
        """A pronoun that may or may not mean the person named before it."""
        self._word(self.tables.word("pronoun", self.rng), clause, "S", clause.event)
        if clause.event is not None:
            self.story.events[clause.event].people = (UNKNOWN,)

    # ---- acts

    def _act(self, text: str, clause: Clause, people: tuple[str, ...]) -> None:
        kind, colon, rest = text.partition(": ")
        if not colon:
            self._fill(text, clause)
            return
        number = self.event(Event(kind, people, owner=clause.event))
        event = self.story.events[number]
        for chunk in rest.split():
            word, _, mark = chunk.partition("/")
            slot = re.search(r"\{(\w+)\}", word)
            if slot:
                event.thing = self._named(self.tables.word(slot[1], self.rng), clause, "O", number)
            else:
                self._word(word, clause, mark, number)

    def _some_act(self) -> str:
        """Any act; those that a question can ask for a third of the time."""
        acts = self.tables.options("act")
        return self.rng.choice([a for a in acts if ": " in a] if self.rng.random() < 0.25 else acts)

    def _slot_act(self, clause: Clause) -> None:
        self._act(self._some_act(), clause, (ME,))

    def _slot_theiract(self, clause: Clause) -> None:
        self._act(self._some_act(), clause, (clause.person or UNKNOWN,))

    def _slot_act_le(self, clause: Clause) -> None:
        for chunk in self.tables.word("act_le", self.rng).split():
            word, _, mark = chunk.partition("/")
            if mark:
                self._word(word, clause, mark, clause.event)
            else:
                self._fill(word, clause)


def _day_list(days: list[str], name: str, language: str, rng: random.Random) -> str:
    """The words of several days, each marked as telling how often."""
    marked = [f"{day}/Q" for day in days]
    if language == "zh":
        joint = rng.choice(("、", "、", "和/Q"))
        return " 、 ".join(marked[:-1]) + f" {joint} {marked[-1]}"
    before = "in/Q" if name == "month" else "on/Q"
    if rng.random() < 0.5:
        marked = [f"{before} {day}" for day in marked]
    else:
        marked[0] = f"{before} {marked[0]}"
    both = "both/Q " if len(days) == 2 and rng.random() < 0.15 else ""
    return both + " , ".join(marked[:-1]) + f" and/Q {marked[-1]}"
