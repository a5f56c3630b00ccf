"""Verbs of coming and going: a manner with a path ("ran into"), or a verb of the lexicon ("dropped by")."""

from __future__ import annotations

import re

from probes.generator.filling import Clause, Filling
from probes.generator.story import ME, UNKNOWN, WE

OWN = {
    "we": ("our", "ourselves"),
    "they": ("their", "themselves"),
    "he": ("his", "himself"),
    "she": ("her", "herself"),
    "you": ("your", "yourself"),
}
"""How "my way" and "let myself" are said of somebody else."""
NOBODY = {"nobody", "none", "no", "neither", "anybody", "one"}
_PIECE = re.compile(r"^(.*?)(?:\((.*)\))?(/[A-Z])?(?:\((.*)\))?$")


class Verbs(Filling):
    """Slots of arriving, leaving and going past."""

    def _verb(self, spec: str, clause: Clause, tag: str = "V") -> None:
        """`a|b/L|~c|(d)`: words of the verb; without `b` it is open, `c` carries nothing, nor does `d`, which
        may be left out.
        """
        owner = self._owner(clause)
        for piece in spec.split("|"):
            if piece.startswith("~"):
                self._word(owner.get(piece[1:], piece[1:]), clause, "", None)
                continue
            match = _PIECE.match(piece)
            assert match is not None
            if match[1]:
                self._word(
                    owner.get(match[1], match[1]), clause, match[3][1:] if match[3] else tag, clause.event
                )
            extra = match[2] or match[4]
            if extra and self.rng.random() < 0.5:
                for word in extra.split():
                    self._word(word, clause, "", None)

    def _owner(self, clause: Clause) -> dict[str, str]:
        """How "my way" is said of the people of the clause."""
        people = () if clause.event is None else self.story.events[clause.event].people
        told = [word.text.lower() for word in clause.words]
        if ME in people or not people:
            nobody = NOBODY & set(told) and "i" not in told
            alone = next((word for word in reversed(told) if word in ("i", *WE)), "i") == "i"
            if clause.person is None and not nobody and alone:
                return {}
            who = "they" if nobody and "us" not in told else "we"
        else:
            who = (
                next((word for word in reversed(told) if word in OWN), "they")
                if UNKNOWN in people
                else "they"
            )
        return dict(zip(("my", "myself"), OWN[who], strict=True))

    def _moving(self, clause: Clause, path: str, form: int = 0, tag: str = "V") -> None:
        """A manner of moving with a preposition or complement of `path`."""
        rng, tables = self.rng, self.tables
        manner = tables.word("manner", rng)
        if path in ("path_go", "path_at") and manner.split()[0] in tables.options("no_go"):
            return self._moving(clause, path, form, tag)
        forms = manner.split()
        if not tables.splits.verbs and rng.random() < 0.3 * self.nonce:
            odd = self.nonce_stem()
            forms = [f"{odd}ed", odd, f"{odd}ing"] if self.language == "en" else [odd]
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
            odd = self.nonce_stem()
            phrase = f"{odd}ed {tables.word('path_by', rng)}" if self.language == "en" else f"{odd}着"
        self._named(phrase, clause)

    def _slot_leave(self, clause: Clause) -> None:
        if self.rng.random() < 0.5:
            self._moving(clause, "path_out")
        else:
            self._verb(self.tables.word("verb_out", self.rng).replace(" ", "|"), clause)
