"""Taking words away at random, as the probes do: deleted, hidden, replaced; sentences moved."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from probes.asking.trials import CLEAN, Mode, Trial
from probes.generator.story import Story, Word
from probes.text.segment import Span

FILLERS = {
    "en": ("[MASK][MASK]", "it", "thing", "…", "___", "_", "something", "X"),
    "zh": ("[MASK][MASK]", "某些", "…", "__", "_", "某", "某某"),
}


@dataclass(frozen=True, slots=True)
class Alteration:
    """A trial, or an order of sentences (never both)."""

    trial: Trial = CLEAN
    order: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Altered:
    """The passage as a model reads it; `moved` maps a character's offset in the story's text into `text`."""

    text: str
    hidden: tuple[Span, ...]
    moved: Callable[[int], int]


def apply(story: Story, edit: Alteration) -> Altered:
    """The text after `edit`. Hidden words stay in it: their offsets are returned."""
    if edit.order is not None:
        return _reorder(story, edit.order)
    trial = edit.trial
    if trial.is_clean or trial.mode == Mode.HIDE:
        return Altered(story.text, trial.spans if trial.mode == Mode.HIDE else (), lambda offset: offset)
    return _cut(story.text, trial)


def _cut(text: str, trial: Trial) -> Altered:
    """Spans replaced by the filler; a deleted word takes the space before it along (or behind it)."""
    filler = str(trial.filler or "") if trial.mode == Mode.REPLACE else ""
    cuts: list[Span] = []
    for start, end in trial.spans:
        free = cuts[-1][1] if cuts else 0  # two words never take the same space
        if not filler and start > free and text[start - 1] == " ":
            start -= 1
        elif not filler and text[end : end + 1] == " ":
            end += 1
        cuts.append((max(start, free), max(end, free)))
    out, last = [], 0
    for start, end in cuts:
        out += [text[last:start], filler]
        last = end
    out.append(text[last:])

    def moved(offset: int) -> int:
        return offset - sum(min(end, offset) - start - len(filler) for start, end in cuts if start < offset)

    return Altered("".join(out), (), moved)


def _reorder(story: Story, order: tuple[int, ...]) -> Altered:
    spans = story.sentence_spans()
    gap = 1 if story.language == "en" else 0
    begins, position = {}, 0
    for number in order:
        begins[number] = position
        position += spans[number][1] - spans[number][0] + gap

    def moved(offset: int) -> int:
        number = next(n for n, (_, end) in enumerate(spans) if offset < end)
        return begins[number] + offset - spans[number][0]

    return Altered(story.reordered(order), (), moved)


KINDS = {"one": 30, "few": 18, "many": 20, "telling": 18, "event": 10, "sentence": 4, "move": 8}
"""How words are chosen, and how often."""
MODES = {Mode.DELETE: 50, Mode.HIDE: 28, Mode.REPLACE: 22}


def random_alteration(
    story: Story, rng: random.Random, kind: str | None = None, mode: Mode | None = None
) -> Alteration:
    """One edit of `story`, drawn by the weights above where `kind` and `mode` do not say."""
    kind = kind or rng.choices(list(KINDS), list(KINDS.values()))[0]
    if kind == "move":
        order = list(range(len(story.sentences)))
        rng.shuffle(order)
        return Alteration(order=tuple(order))
    mode = mode or rng.choices(list(MODES), list(MODES.values()))[0]
    spans = _disjoint([_within(word, story.language, rng) for word in _choose(story, kind, rng)])
    filler = None
    if mode == Mode.REPLACE:
        filler = "[MASK]" if rng.random() < 0.5 else rng.choice(FILLERS[story.language])
    return Alteration(Trial(spans, mode, filler))


def _choose(story: Story, kind: str, rng: random.Random) -> list[Word]:
    words = [word for word in story.words if not word.is_mark]
    parts = [word for word in words if word.event is not None and word.tag not in ("", "T")] or words
    if kind == "telling":
        pool = _telling(story) or words
        return rng.sample(pool, min(len(pool), rng.choice((1, 1, 1, 2))))
    if kind == "one":
        return [rng.choice(parts if rng.random() < 0.6 else words)]
    if kind == "few":
        pool = parts if rng.random() < 0.4 else words
        return rng.sample(pool, min(len(pool), rng.randint(2, 5)))
    if kind == "many":
        share = rng.uniform(0.08, 0.3) if rng.random() < 0.4 else rng.uniform(0.3, 0.98)
        return [word for word in words if rng.random() < share]
    if kind == "event":
        number = rng.choice(parts).event
        tags = rng.choice(("V", "P", "VP", "B", "BA"))
        return [word for word in parts if word.event == number and word.tag in tags]
    return [word for word in rng.choice(story.sentences) if not word.is_mark]


def _telling(story: Story) -> list[Word]:
    """The words that say of a visit whether there was one, whose, and how often: one of them missing is what
    a reader gets wrong first.
    """
    visits = [n for n, event in enumerate(story.events) if event.kind in ("arrival", "blocked")]
    tagged = [word for n in visits for tag in "VPBQACDMLS" for word in story.parts[n].get(tag, ())]
    return tagged + [story.subjects[n].word for n in visits if n in story.subjects]


def _within(word: Word, language: str, rng: random.Random) -> Span:
    """The word's span; of an unmarked Chinese run, as long as a clause, only a few characters."""
    length = word.end - word.start
    if language == "en" or word.tag not in ("", "T") or length <= 2:
        return word.span
    size = rng.randint(1, 3)
    start = word.start + rng.randint(0, max(0, length - size))
    return start, min(word.end, start + size)


def _disjoint(spans: list[Span]) -> tuple[Span, ...]:
    out: list[Span] = []
    for start, end in sorted(set(spans)):
        if not out or start >= out[-1][1]:
            out.append((start, end))
    return tuple(out)
