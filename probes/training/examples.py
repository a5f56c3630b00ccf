"""Passages with several questions each, as token ids with targets.

One example is a passage followed by its questions as *branches*: every question sees the passage and itself,
none sees another, and each stands at the positions it would have alone. So a passage is read once for all its
questions, exactly as if they were asked apart.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from probes.generator.alterations import Alteration, Altered, apply, random_alteration
from probes.generator.careful_reader import Reader
from probes.generator.compose import Composer
from probes.generator.questions import PROMPTS, Query, queries
from probes.generator.story import ME, UNKNOWN, Story
from probes.training.details import surround
from probes.training.overlap import Forbidden
from probes.training.tokenizer import WINDOW

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

OTHERS = 6
"""The event label of somebody else's visit; 0 to 5 are mine."""
COUNT_REST, NAME_TOKEN = 0.1, 0.6
"""Weights of answer tokens behind the first of a count (always the same), and of the tokens of a name."""

VISITS = (8, 10, 13, 18, 26, 25)
"""How often the first place of a training passage is visited never, once, ... five times. Four and five are
what a network confuses last, and the other places of a passage are seldom visited that often.
"""
COUNT_WEIGHTS = (0.6, 1.0, 1.0, 1.5, 2.0, 2.0)
"""Weights of a count's first answer token, by the count: half of them are "never", few "five times"."""


@dataclass
class Example:
    """A passage with its branches; `ids`, `branch` (0 for the passage) and `position` have one entry a token.

    `hidden` lists tokens that nothing later may read. `targets`: (index, token to predict there, weight in
    hundredths, 1 at the first answer token). `events`: (index, label). `counts`: (index of the asked place's
    last token in a question, count). `running`: (index, my visits so far to the place that is named there).
    `known`: (index, visits that the word or sentence ending there tells of, in free telling).
    """

    ids: list[int]
    branch: list[int]
    position: list[int]
    hidden: list[int] = field(default_factory=list)
    targets: list[tuple[int, int, int, int]] = field(default_factory=list)
    events: list[tuple[int, int]] = field(default_factory=list)
    counts: list[tuple[int, int]] = field(default_factory=list)
    running: list[tuple[int, int]] = field(default_factory=list)
    known: list[tuple[int, int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass
class Asked:
    """A passage as edited, its questions, and the right labels."""

    story: Story
    edited: Altered
    reader: Reader
    asked: list[tuple[Query, str]]


class ExampleSource:
    """An endless seeded stream of passages with questions in both languages; `details`: how often everyday
    details are put around them.
    """

    def __init__(
        self,
        seed: int,
        forbidden: Forbidden,
        *,
        nonce: float = 1.0,
        odd_places: float = 0.35,
        hard: float = 1.0,
        details: float = 0.0,
    ):
        self.rng = random.Random(seed)
        self.forbidden, self.nonce, self.details = forbidden, nonce, details
        self.composers = [
            Composer(
                language,
                self.rng.randrange(2**31),
                nonce=nonce,
                odd_places=odd_places,
                hard=hard,
                visits=VISITS,
            )
            for language in ("en", "zh")
        ]

    def asked(self, level: int, edits: float) -> Asked:
        """One passage of `level`; edited with probability `edits`, its questions answered anew."""
        while True:
            composer = self.rng.choice(self.composers)
            story = composer.story(level)
            if self.details and self.rng.random() < self.details:
                surround(story, self.rng)
            if self.forbidden.hit(story.text):
                continue
            most = 8 if level == 4 else 6
            found = queries(story, composer.tables, self.rng, most, nonce=self.nonce, names=3)
            edit = random_alteration(story, self.rng) if self.rng.random() < edits else Alteration()
            edited = apply(story, edit)
            reader = Reader(story, edit.trial, edit.order)
            asked = [(query, label) for query in found if (label := query.read(reader)) is not None]
            if asked:
                return Asked(story, edited, reader, asked)


def event_labels(asked: Asked) -> list[tuple[int, int, int | None]]:
    """For each event with a place: where its last standing word ends once edited, what it counts, and how
    many visits of mine to that place have been told by then (None where the whole is open).
    """
    story, reader = asked.story, asked.reader
    told = {place: reader.contributions(ME, place) for place in story.places}
    found: list[tuple[int, int, str, bool]] = []
    for number, event in enumerate(story.events):
        words = [w for tag in "VPQBSR" for w in story.parts[number].get(tag, ()) if not reader.state(w)]
        if event.place is None or not words:
            continue
        label = min(told[event.place][0].get(number, 0), 5)
        mine = label > 0
        if not mine and ME not in event.people and UNKNOWN not in event.people and reader.stated(number):
            label = OTHERS
        last = max(words, key=lambda w: asked.edited.moved(w.start))
        found.append((asked.edited.moved(last.end - 1), label, event.place, mine))
    labels: list[tuple[int, int, int | None]] = []
    so_far = dict.fromkeys(story.places, 0)
    for offset, label, place, mine in sorted(found):
        so_far[place] += label if mine else 0
        labels.append((offset, label, None if told[place][1] is None else so_far[place]))
    return labels


def encode(asked: Asked, tokenizer: PreTrainedTokenizerFast) -> Example | None:
    """Token ids of the passage and its branches; None where they do not fit the window."""
    passage = tokenizer(asked.edited.text, return_offsets_mapping=True)
    ids = list(passage["input_ids"])
    size = len(ids)
    example = Example(ids, [0] * size, list(range(size)))
    spans = asked.edited.hidden
    example.hidden = [
        i
        for i, (a, b) in enumerate(passage["offset_mapping"])
        if a < b and any(a < e and s < b for s, e in spans)
    ]
    for offset, value, so_far in event_labels(asked):
        token = passage.char_to_token(offset)
        if token is not None:
            example.events.append((token, value))
            if so_far is not None:
                example.running.append((token, so_far))
    for number, (query, label) in enumerate(asked.asked, 1):
        if not branch(example, number, size, query, label, tokenizer):
            return None
    return example


def branch(
    example: Example, number: int, size: int, query: Query, label: str, tokenizer: PreTrainedTokenizerFast
) -> bool:
    """Put question `number` and its answer behind a passage of `size` tokens; False: it does not fit."""
    prompt = PROMPTS[query.language].format(passage="", question=query.text)
    asked = tokenizer(prompt, add_special_tokens=False)
    reply = [
        *tokenizer(query.continuation(label), add_special_tokens=False)["input_ids"],
        tokenizer.eos_token_id,
    ]
    start = len(example.ids)
    ids = [*asked["input_ids"], *reply[:-1]]
    if size + len(ids) > WINDOW:
        return False
    example.ids += ids
    example.branch += [number] * len(ids)
    example.position += range(size, size + len(ids))
    answer_at = start + len(asked["input_ids"]) - 1
    for step, token in enumerate(reply):
        weight = (COUNT_WEIGHTS[int(label)] if step == 0 else COUNT_REST) if query.is_count else NAME_TOKEN
        example.targets.append((answer_at + step, token, round(100 * weight), int(step == 0)))
    if query.is_count:
        token = asked.char_to_token(prompt.index(query.text) + query.name_end - 1)
        if token is not None:
            example.counts.append((start + token, int(label)))
    return True


@dataclass
class Batch:
    """Padded arrays of some examples: [rows, length] and flat lists of indices."""

    ids: np.ndarray
    branch: np.ndarray
    position: np.ndarray
    hidden: np.ndarray
    targets: np.ndarray
    events: np.ndarray
    counts: np.ndarray
    running: np.ndarray
    known: np.ndarray


STEP = 8
"""Lengths are padded to its multiples: every new shape of a product has to be prepared by the library."""


def padded(length: int) -> int:
    """`length` and what is put behind it."""
    return -(-length // STEP) * STEP


def collate(examples: list[Example], pad: int) -> Batch:
    """The lists of indices get the row as first column; padding is branch -1."""
    length = padded(max(len(example) for example in examples))
    shape = (len(examples), length)
    ids, branch = np.full(shape, pad, np.int64), np.full(shape, -1, np.int64)
    position, hidden = np.zeros(shape, np.int64), np.zeros(shape, bool)
    widths = {"targets": 5, "events": 3, "counts": 3, "running": 3, "known": 3}
    flat: dict[str, list[tuple[int, ...]]] = {name: [] for name in widths}
    for row, example in enumerate(examples):
        size = len(example)
        ids[row, :size], branch[row, :size], position[row, :size] = (
            example.ids,
            example.branch,
            example.position,
        )
        hidden[row, example.hidden] = True
        for name, rows in flat.items():
            rows += [(row, *item) for item in getattr(example, name)]
    arrays = {name: np.array(rows, np.int64).reshape(-1, widths[name]) for name, rows in flat.items()}
    return Batch(ids, branch, position, hidden, **arrays)


def batches(examples: list[Example], tokens: int, pad: int, rng: random.Random) -> Iterator[Batch]:
    """Batches of examples of like length, at most `tokens` padded tokens each, in random order."""
    groups: list[list[Example]] = [[]]
    for example in sorted(examples, key=len):
        if groups[-1] and padded(len(example)) * (len(groups[-1]) + 1) > tokens:
            groups.append([])
        groups[-1].append(example)
    rng.shuffle(groups)
    for group in groups:
        yield collate(group, pad)
