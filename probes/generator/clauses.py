"""From a frame to words: slots are filled from the lexicon, marks (word/V) become parts in an event."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from probes.generator.letters import CONSONANTS, SILENT_H, VOWELS, odd_characters
from probes.generator.lexicon import Tables
from probes.generator.story import ME, UNKNOWN, Event, Story, Word

ACTS = ("order", "buy", "eat", "drink")
_CHUNK = re.compile(r"^(.*?)(?:/([A-Z]))?$")
_SLOT = re.compile(r"(\{\w+\})")


@dataclass
class Clause:
    """What is known while one frame is filled."""

    event: int | None = None
    place: str | None = None
    person: str | None = None
    times: int = 1
    words: list[Word] = field(default_factory=list)


class Clauses:
    """Writes the clauses of one story."""

    def __init__(self, story: Story, tables: Tables, rng: random.Random, nonce: float = 0.0):
        self.story, self.tables, self.rng, self.nonce = story, tables, rng, nonce
        self.language = tables.language
        self._phrases = 0

    # ---- events

    def event(self, event: Event) -> int:
        self.story.events.append(event)
        return len(self.story.events) - 1

    def sentence(self, frame: str, clause: Clause) -> list[Word]:
        """Fill `frame` and add it to the story as a sentence."""
        self._fill(frame, clause)
        if self.language == "en":
            self._mend_english(clause.words)
        self.story.sentences.append(clause.words)
        return clause.words

    @staticmethod
    def _mend_english(words: list[Word]) -> None:
        for number, word in enumerate(words):
            if word.text in ("a", "an") and number + 1 < len(words):
                following = words[number + 1].text.lower()
                word.text = "an" if following[0] in VOWELS or following in SILENT_H else "a"

    # ---- slots

    def _fill(
        self,
        template: str,
        clause: Clause,
        tag: str = "",
        event: int | None = None,
        phrase: int | None = None,
    ) -> None:
        for chunk in template.split():
            match = _CHUNK.match(chunk)
            assert match is not None
            body, own = match[1], match[2]
            for part in _SLOT.split(body):
                if part.startswith("{"):
                    self._slot(part[1:-1], clause)
                elif part:
                    number = clause.event if own else event
                    marked = own or tag
                    self._word(
                        part,
                        clause,
                        marked,
                        number,
                        phrase if marked != "T" or phrase is not None else self._phrase(clause),
                    )

    def _word(
        self, text: str, clause: Clause, tag: str, event: int | None, phrase: int | None = None
    ) -> None:
        clause.words.append(Word(text, tag, event if tag else None, phrase))

    def _phrase(self, clause: Clause) -> int:
        """A new time phrase, or the running one where its first words stand just before."""
        last = clause.words[-1] if clause.words else None
        if last is not None and last.phrase is not None:
            return last.phrase
        self._phrases += 1
        return self._phrases

    def _slot(self, name: str, clause: Clause) -> None:
        special = getattr(self, f"_slot_{name.lower()}", None)
        if special is not None:
            special(clause)
        elif name in self.tables.frames:
            self._fill(self.tables.frame(name, self.rng), clause)
        elif self.tables.has(name):
            self._named(self.tables.word(name, self.rng), clause)
        else:
            raise KeyError(f"no such slot: {{{name}}}")

    def _named(self, phrase: str, clause: Clause, tag: str = "", event: int | None = None) -> str:
        """A phrase of the lexicon; `tag` marks its naming word, which is returned."""
        head = ""
        chunks = phrase.split()
        starred = any("*" in chunk for chunk in chunks)
        for number, chunk in enumerate(chunks):
            before, star, after = chunk.partition("*")
            if star and before:
                self._fill(before, clause)
            name = after if star else chunk
            if "{" in name:
                self._fill(name, clause)
            elif tag and (star or (not starred and number == len(chunks) - 1)):
                self._word(name, clause, tag, event)
                head = name
            else:
                self._word(name, clause, "", None)
        return head

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
        self._named(self.nonce_word() if odd else self.tables.word("noun", self.rng), clause)

    def nonce_word(self) -> str:
        """A word out of place: one of the everyday words, or syllables and characters that make none."""
        rng = self.rng
        if rng.random() < 0.5:
            return self.tables.word("cover", rng)
        if self.language == "en":
            syllables = (rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.randint(1, 3)))
            return "".join(syllables) + rng.choice(["", rng.choice(CONSONANTS)])
        return "".join(rng.choice(odd_characters()) for _ in range(rng.choice((1, 2, 2, 3))))

    # ---- places and people

    def _slot_place(self, clause: Clause) -> None:
        self._fill(self.tables.frame("place_phrase", self.rng), clause)

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
            self._named(self.tables.word("pronoun", self.rng), clause, "S", clause.event)
        else:
            self._named(self.story.people[clause.person], clause, "S", clause.event)

    def _slot_mate(self, clause: Clause) -> None:
        """Somebody who may or may not come along: whether they arrive is left open."""
        name = self.add_person()
        if clause.event is not None:
            self.story.events[clause.event].mates += (name,)
        self._named(self.story.people[name], clause)

    def _slot_pron(self, clause: Clause) -> None:
        """A pronoun that may or may not mean the person named before it."""
        self._word(self.tables.word("pronoun", self.rng), clause, "S", clause.event)
        if clause.event is not None:
            self.story.events[clause.event].people = (UNKNOWN,)

    # ---- verbs

    def _verb(self, spec: str, clause: Clause, tag: str = "V") -> None:
        """`a|b/L|~c|(d)`: words of the verb; `c` carries nothing, nor does `d`, which may be left out."""
        for piece in spec.split("|"):
            if piece.startswith("~"):
                self._word(piece[1:], clause, "", None)
                continue
            match = re.match(r"^(.*?)(?:\((.*)\))?(/[A-Z])?(?:\((.*)\))?$", piece)
            assert match is not None
            if match[1]:
                self._word(match[1], clause, match[3][1:] if match[3] else tag, clause.event)
            extra = match[2] or match[4]
            if extra and self.rng.random() < 0.5:
                for word in extra.split():
                    self._word(word, clause, "", None)

    def _moving(self, clause: Clause, path: str, form: int = 0, tag: str = "V") -> None:
        """A manner of moving with a preposition or complement of `path`."""
        rng, tables = self.rng, self.tables
        manner = tables.word("manner", rng)
        if path in ("path_go", "path_at") and manner.split()[0] in tables.options("no_go"):
            return self._moving(clause, path, form, tag)
        forms = manner.split()
        if not tables.splits.verbs and rng.random() < 0.3 * self.nonce:
            odd = self.nonce_word()
            forms = [f"{odd}ed", odd, f"{odd}ing"] if self.language == "en" else [odd[:1]]
        if self.language == "en":
            self._word(forms[form], clause, tag, clause.event if tag else None)
            self._path_english(tables.word(path, rng), clause, tag)
        else:
            self._verb(forms[0] + tables.word(path, rng), clause, tag)
        return None

    def _path_english(self, path: str, clause: Clause, tag: str) -> None:
        extra, _, rest = path.rpartition(") ")
        if extra and self.rng.random() < 0.6:
            for word in extra[1:].split():
                self._word(word, clause, "", None)
        for word in rest.split():
            self._word(word, clause, tag, clause.event if tag else None)

    def _arrive(self, clause: Clause, kind: str, form: int = 0) -> None:
        chance = self.rng.random()
        if chance < 0.5 or (chance < 0.58 and kind == "go"):
            self._moving(clause, f"path_{kind}" if chance < 0.5 else "path_at", form)
            return
        spec = self.tables.word(f"verb_{kind}", self.rng)
        self._verb(spec.split()[form] if self.language == "en" else spec, clause)

    def _slot_go(self, clause: Clause) -> None:
        self._arrive(clause, "go" if self.rng.random() < 0.5 else "enter")

    def _slot_enter(self, clause: Clause) -> None:
        self._arrive(clause, "enter")

    def _slot_reach(self, clause: Clause) -> None:
        self._arrive(clause, "go")

    def _slot_base(self, clause: Clause) -> None:
        self._arrive(clause, "go" if self.rng.random() < 0.6 else "enter", 1)

    def _slot_going(self, clause: Clause) -> None:
        self._arrive(clause, "go" if self.rng.random() < 0.6 else "enter", 2)

    def _slot_base_enter(self, clause: Clause) -> None:
        if self.rng.random() < 0.35:
            manner = self.tables.word("manner", self.rng)
            self._verb(manner + self.rng.choice(("进", "入")), clause)
        else:
            self._verb(self.tables.word("base_enter", self.rng), clause)

    def _slot_base_go(self, clause: Clause) -> None:
        self._verb(self.tables.word("base_go", self.rng), clause)

    def _slot_pass(self, clause: Clause) -> None:
        self._moving(clause, "path_past", tag="")

    def _slot_verb_past(self, clause: Clause) -> None:
        """Looking at a place, waiting by it: whatever the verb, nobody goes in."""
        rng, tables = self.rng, self.tables
        phrase = tables.word("verb_past", rng)
        if not tables.splits.verbs and rng.random() < 0.2 * self.nonce:
            odd = self.nonce_word()
            phrase = f"{odd}ed {tables.word('path_by', rng)}" if self.language == "en" else f"{odd[:1]}着"
        self._named(phrase, clause)

    def _slot_leave(self, clause: Clause) -> None:
        if self.rng.random() < 0.5:
            self._moving(clause, "path_out")
        else:
            self._verb(self.tables.word("verb_out", self.rng).replace(" ", "|"), clause)

    def _slot_times(self, clause: Clause) -> None:
        self._fill(self.tables.times(clause.times, self.rng), clause)

    # ---- acts

    def _act(self, text: str, clause: Clause, people: tuple[str, ...]) -> None:
        kind, colon, rest = text.partition(": ")
        if not colon:
            self._fill(text, clause)
            return
        number = self.event(Event(kind, people, owner=None if ME in people else clause.event))
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
