"""Passages put together from short pieces of free telling, each with the number of visits it tells of.

The generator knows what every word of its sentences does, and so has few ways of telling; these pieces were
written freely, and know only their number. A passage takes some for each of its places; a place's count is
their sum.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from probes.generator.filling import nonce_word
from probes.generator.lexicon import Tables
from probes.generator.questions import queries
from probes.generator.story import Story
from probes.training.examples import Example, branch
from probes.training.overlap import Forbidden
from probes.training.pieces import MOST, Piece, pieces, places
from probes.training.said import Filler, Said

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

ASKED = (10, 22, 24, 20, 13, 11)
"""How often the first place is visited never, once, ... five times."""
BESIDE = (34, 32, 18, 9, 4, 3)
"""The same of the other places."""
ON_TWO = 0.4
"""How often a passage on several places has a piece on two of them."""
LINES = 0.06
"""How often every piece that names its place begins a line."""
ALONE = 0.3
"""How often a passage is one piece that says it is complete, and nothing else."""
WHOLE = 0.35
"""How often a place's visits are told by one piece that says it is complete, where there is one."""
GOES_ON = 0.42
"""How often a piece is followed by one that does not name the place again."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A text, and how often I go to each place of it, the one to be asked first before the others. `running`:
    the offset of some words' or sentences' last character, and my visits to their place by then; `known`: the
    same, and the visits that the word or sentence tells of.
    """

    text: str
    counts: dict[str, int]
    running: tuple[tuple[int, int], ...]
    known: tuple[tuple[int, int], ...]


class Teller:
    """A seeded source of such passages in one language."""

    def __init__(self, language: str, rng: random.Random, nonce: float = 1.0):
        self.language, self.rng, self.nonce = language, rng, nonce
        self.tables = Tables(language)
        self.fill = Filler(language, self.tables)
        known = pieces(language)
        self._whole = [[p for p in known if p.whole and p.counts == (n,)] for n in range(MOST + 1)]
        self._two = [p for p in known if len(p.counts) == 2]
        self._named = [
            [p for p in known if not (p.whole or p.goes_on) and p.counts == (n,)] for n in range(MOST + 1)
        ]
        self._more = [[p for p in known if p.goes_on and p.counts == (n,)] for n in range(MOST + 1)]

    def passage(self) -> Passage:
        """One passage on one to three places."""
        rng = self.rng
        if rng.random() < ALONE:
            whole = self.fill.cut(rng.choice([p for same in self._whole for p in same]), rng)
            said = self._filled(whole, *self._names(1))
            return self._joined([[said]], said.visits)
        names = self._names(rng.choices((1, 2, 3), (3, 5, 3))[0])
        counts = {
            name: rng.choices(range(MOST + 1), BESIDE if number else ASKED)[0]
            for number, name in enumerate(names)
        }
        left, blocks = dict(counts), []
        if len(names) > 1 and rng.random() < ON_TWO:
            blocks.append(self._of_two(left, rng.sample(names, 2)))
        for name in names:
            blocks += self._of_one(name, left[name], begun=left[name] != counts[name])
        blocks = [block for block in blocks if block]
        rng.shuffle(blocks)
        return self._joined(blocks, counts)

    def _joined(self, blocks: list[list[Said]], counts: dict[str, int]) -> Passage:
        gap = "" if self.language == "zh" else " "
        between = "\n" if self.rng.random() < LINES else gap
        text, so_far = "", dict.fromkeys(counts, 0)
        running, known = [], []
        for block in blocks:
            for number, said in enumerate(block):
                text += gap if number else between if text else ""
                start, text = len(text), text + said.text
                running += [(start + at, so_far[place] + n) for at, place, n in said.running]
                known += [(start + at, n) for at, n in said.known]
                for place, n in said.visits.items():
                    so_far[place] += n
        return Passage(text, counts, tuple(running), tuple(known))

    def _names(self, number: int) -> list[str]:
        rng = self.rng
        while True:
            kinds = rng.choices(("lexicon", "more", "odd"), (5, 4, 1), k=number)
            names = [self._name(kind) for kind in kinds]
            apart = all(a == b or a not in b for a in names for b in names)
            if len(set(names)) == number and apart:
                return names

    def _name(self, kind: str) -> str:
        if kind == "odd":
            return nonce_word(self.tables, self.rng)
        return self.rng.choice(self.tables.options("place") if kind == "lexicon" else places(self.language))

    def _of_two(self, left: dict[str, int], names: list[str]) -> list[Said]:
        """A piece on two places; what it tells of is taken from `left`."""
        fitting = [
            p for p in self._two if all(n <= left[name] for n, name in zip(p.counts, names, strict=True))
        ]
        if not fitting:
            return []
        chosen = self.rng.choice(fitting)
        for n, name in zip(chosen.counts, names, strict=True):
            left[name] -= n
        return [self._filled(chosen, *names)]

    def _of_one(self, name: str, left: int, begun: bool) -> list[list[Said]]:
        """Blocks whose visits to `name` sum up to `left`; `begun`: another piece tells of some already."""
        rng = self.rng
        blocks = []
        if not begun and self._whole[left] and rng.random() < WHOLE:
            blocks.append([self._filled(rng.choice(self._whole[left]), name)])
            left = 0
        while left:
            n = rng.choices([n for n in range(1, left + 1) if self._named[n]], self._weights(left))[0]
            block = [self._filled(rng.choice(self._named[n]), name)]
            left -= n
            while rng.random() < GOES_ON and len(block) < 4:
                n = rng.choices((0, 1, 2), (4, 7, 1))[0]
                if n <= left and self._more[n]:
                    block.append(self._filled(rng.choice(self._more[n]), name))
                    left -= n
            blocks.append(block)
        mentions = rng.choices((0, 1, 2), (5, 4, 1))[0]
        for _ in range(mentions if blocks else max(1, mentions)):
            block = [self._filled(rng.choice(self._named[0]), name)]
            if rng.random() < GOES_ON / 2:
                block.append(self._filled(rng.choice(self._more[0]), name))
            blocks.append(block)
        return blocks

    def _weights(self, left: int) -> list[int]:
        return [(0, 10, 7, 6, 5, 5)[n] for n in range(1, left + 1) if self._named[n]]

    def _filled(self, chosen: Piece, *names: str) -> Said:
        return self.fill(chosen, list(names), self.rng)


def told(teller: Teller, forbidden: Forbidden, tokenizer: PreTrainedTokenizerFast) -> Example | None:
    """A passage of `teller` with its questions as an example; None where it does not fit or is forbidden."""
    made = teller.passage()
    if forbidden.hit(made.text):
        return None
    story = Story(teller.language, text=made.text, places={name: name for name in made.counts})
    passage = tokenizer(made.text)
    size = len(passage["input_ids"])
    example = Example(list(passage["input_ids"]), [0] * size, list(range(size)))
    for points, found in ((made.running, example.running), (made.known, example.known)):
        for offset, number in points:
            if (token := passage.char_to_token(offset)) is not None:
                found.append((token, number))
    asked = queries(story, teller.tables, teller.rng, 4, nonce=teller.nonce, names=0)
    for number, query in enumerate(asked, 1):
        label = str(made.counts.get(query.place or "", 0))
        if not branch(example, number, size, query, label, tokenizer):
            return None
    return example
