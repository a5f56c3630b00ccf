"""Everyday details around a story change nothing about what its words tell."""

from __future__ import annotations

import copy
import random
import re
from pathlib import Path

import pytest

from probes.asking.trials import Mode, Trial
from probes.generator.alterations import Alteration, apply
from probes.generator.careful_reader import Reader
from probes.generator.compose import Composer
from probes.generator.lexicon import Tables, table
from probes.generator.story import ME, Story, Word
from probes.training.details import MOST, details, surround
from probes.training.examples import ExampleSource
from probes.training.overlap import Forbidden, preset_texts
from probes.training.pieces import places

LANGUAGES = ("en", "zh")
BY_HAND = Path(__file__).parent.parent / "generator"
GOING = {
    "en": r"\b(go|goes|going|gone|went|comes?|came|coming|arriv\w*|enter\w*|visit\w*|return\w*|drove|there"
    r"|again|back|once|twice)\b",
    "zh": r"去|来到|回到|走进|进去|路过|经过|赶到|逛|又|再|那里|那儿|[一两三]次|趟",
}


def lines(language: str) -> list[str]:
    known = details(language)
    return [*known.sentences, *known.circumstances, *known.doings]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_detail_speaks_of_going_or_of_a_place(language: str) -> None:
    assert len(lines(language)) == len(set(lines(language))) > 700
    assert [line for line in lines(language) if re.search(GOING[language], line, re.IGNORECASE)] == []
    names = {
        *table("lexicon", language)["place"]["train"],
        *Tables(language).options("place"),
        *places(language),
    }
    edge = r"\b" if language == "en" else ""
    named = re.compile("|".join(edge + re.escape(name) + edge for name in names))
    assert [line for line in lines(language) if named.search(line)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_details_have_the_form_that_they_are_put_in_by(language: str) -> None:
    known = details(language)
    marks = ".?!" if language == "en" else "。？！"
    assert all(line[-1] in marks and line == line.strip() for line in known.sentences)
    for clause in (*known.circumstances, *known.doings):
        assert not set(clause) & set('.?!。？！;；:："“”()（）')
        assert clause == clause.strip()
        assert language == "zh" or clause[0].islower() or clause.startswith("I "), clause
    measured = [path.read_text("utf-8") for path in BY_HAND.glob(f"*_{language}.toml")]
    forbidden = Forbidden([*preset_texts(), *measured])
    assert [line for line in lines(language) if forbidden.hit(line)] == []


def pair(language: str, seed: int) -> tuple[Story, Story, dict[int, Word]]:
    """A story, the same with details, and the words of the second by the identity of those of the first."""
    plain = Composer(language, seed).story(3)
    full = copy.deepcopy(plain)
    before = full.words
    surround(full, random.Random(seed))
    return plain, full, {id(a): b for a, b in zip(plain.words, before, strict=True)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_story_stands_between_the_details(language: str) -> None:
    added = 0
    for seed in range(40):
        plain, full, same = pair(language, seed)
        own = {id(word) for word in same.values()}
        kept = [word.text for word in full.words if id(word) in own]
        assert [w.casefold() for w in kept] == [word.text.casefold() for word in plain.words]
        gap = " " if language == "en" else ""
        put = [gap.join(w.text for w in s if id(w) not in own) for s in full.sentences]
        put = [re.sub(r" (?=[.,?!])", "", text).strip(",， ") for text in put if text]
        known = {line.strip(",， ") for line in lines(language)}
        assert set(put) <= known
        assert len(put) <= MOST
        added += len(put)
        assert all(full.text[slice(*word.span)] == word.text for word in full.words)
    assert added > 80


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mode", [Mode.DELETE, Mode.REPLACE])
def test_every_word_does_what_it_does_without_details(language: str, mode: Mode) -> None:
    filler = "[MASK]" if mode == Mode.REPLACE else None
    for seed in range(4):
        plain, full, same = pair(language, 100 + seed)
        for word in plain.words:
            if word.is_mark:
                continue
            readers = [
                Reader(story, Trial((one.span,), mode, filler))
                for story, one in ((plain, word), (full, same[id(word)]))
            ]
            for place in plain.places:
                assert readers[0].visits(ME, place) == readers[1].visits(ME, place), (word.text, full.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_details_may_be_taken_away(language: str) -> None:
    for seed in range(8):
        plain, full, same = pair(language, 200 + seed)
        own = {id(word) for word in same.values()}
        spans = tuple(word.span for word in full.words if id(word) not in own and not word.is_mark)
        for trial in (Trial(spans), Trial(spans, Mode.HIDE), Trial(spans[::2], Mode.REPLACE, "…")):
            for place in plain.places:
                assert Reader(full, trial).visits(ME, place) == Reader(plain).visits(ME, place)
        marks = {word.text for word in full.words if word.is_mark}
        left = apply(full, Alteration(Trial(spans))).text
        bare = [
            re.sub("[" + re.escape("".join(marks)) + r"\s]", "", text).casefold()
            for text in (left, plain.text)
        ]
        assert bare[0] == bare[1]


def test_a_source_puts_them_around_a_share_of_its_passages() -> None:
    known = {text for language in LANGUAGES for text in details(language).sentences}

    def having(share: float) -> int:
        source = ExampleSource(4, Forbidden([]), details=share)
        texts = [source.asked(3, 0.0).story.text for _ in range(40)]
        return sum(any(line in text for line in known) for text in texts)

    assert having(0.0) == 0
    assert having(0.2) < having(1.0) - 10
    assert having(1.0) > 25
