"""The tables of words and frames, and which half of each a passage is written from."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
MORE = {"frames": ("tales",)}
"""Files that add to the lists of another."""
PLACES = frozenset({"place"})
VERBS = frozenset(
    {"manner", "verb_enter", "verb_go", "base_enter", "base_go", "verb_past", "verb_out", "no_go"}
)


@dataclass(frozen=True, slots=True)
class Splits:
    """Which tables are drawn from their held-out half: frames, places, verbs of moving, all other words."""

    frames: bool = False
    places: bool = False
    verbs: bool = False
    words: bool = False


TRAIN = Splits()
HELD_OUT = Splits(True, True, True, True)


@cache
def table(name: str, language: str) -> dict[str, dict[str, Any]]:
    """The TOML table `name` ("lexicon" or "frames") of a language, with every list of words split."""
    tables: dict[str, dict[str, Any]] = {}
    for file in (name, *MORE.get(name, ())):
        for key, entry in tomllib.loads((DATA / f"{file}_{language}.toml").read_text("utf-8")).items():
            known = tables.setdefault(key, {})
            for half, one in entry.items():
                known[half] = known[half] + one if half in known else one
    for entry in tables.values():
        for half in ("train", "heldout"):
            if isinstance(entry.get(half), str):
                entry[half] = entry[half].split()
    return tables


class Tables:
    """Words and frames of one language under one split."""

    def __init__(self, language: str, splits: Splits = TRAIN):
        self.language, self.splits = language, splits
        self.words = table("lexicon", language)
        self.frames = table("frames", language)

    def has(self, name: str) -> bool:
        """Whether the lexicon has a table `name`."""
        return name in self.words

    def options(self, name: str) -> list[str]:
        """The lexicon's entries under `name`; the training half where no other was set aside."""
        held = (
            self.splits.places
            if name in PLACES
            else self.splits.verbs
            if name in VERBS
            else self.splits.words
        )
        entry = self.words[name]
        found: list[str] = entry["heldout"] if held and "heldout" in entry else entry["train"]
        return found

    def frame_options(self, name: str) -> list[str]:
        """The frames under `name`; the training half where no other was set aside."""
        entry = self.frames[name]
        held = self.splits.frames and "heldout" in entry
        found: list[str] = entry["heldout" if held else "train"]
        return found

    def held_out_frames(self, name: str) -> list[str]:
        """The frames under `name` that training never shows."""
        held: list[str] = self.frames[name].get("heldout", [])
        return held

    def word(self, name: str, rng: random.Random) -> str:
        """One of the lexicon's entries under `name`."""
        return rng.choice(self.options(name))

    def frame(self, name: str, rng: random.Random) -> str:
        """One of the frames under `name`."""
        return rng.choice(self.frame_options(name))

    def bare(self, name: str) -> bool:
        """Whether a blocked clause of this kind states an arrival once its blockers are gone."""
        return bool(self.frames[name].get("bare", False))

    def times(self, count: int, rng: random.Random) -> str:
        """Words for `count` times, 2 to 5, marked as a frame is."""
        found: str = rng.choice(self.frames["times"][str(count)])
        return found

    @property
    def count_answers(self) -> list[str]:
        """The answers never, once, ... five times, as they continue a prompt."""
        found: list[str] = self.frames["answer"]["count"]
        return found
