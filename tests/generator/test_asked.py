"""Passages written for a place: the place read off a question, and visited as often as was asked for."""

from __future__ import annotations

import random

import pytest

from probes.generator import Composer, answer, asked_place, queries
from probes.generator.careful_reader import Reader
from probes.generator.lexicon import HELD_OUT, TRAIN, Splits, Tables
from probes.generator.story import ME


@pytest.mark.parametrize("splits", [TRAIN, HELD_OUT])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_place_is_read_off_every_question_about_my_visits(language: str, splits: Splits) -> None:
    composer, tables, rng = Composer(language, 11, splits), Tables(language, splits), random.Random(2)
    mine = others = 0
    for _ in range(60):
        for query in queries(composer.story(), tables, rng, most=8, names=4):
            counts_me = query.is_count and query.person == ME
            assert asked_place(query.text, language) == (query.place if counts_me else None), query.text
            mine, others = mine + counts_me, others + (not counts_me)
    assert mine > 100
    assert others > 50


@pytest.mark.parametrize(
    ("question", "language", "place"),
    [
        ("How often did I visit the Odeon?", "en", "Odeon"),
        ("How many times did I go to my school?", "en", "school"),
        ("How many times did I go to the little tea house on the hill", "en", "little tea house on the hill"),
        ("How many times did Anna go to the park?", "en", None),
        ("Sum up in one sentence what this speech says.", "en", None),
        ("我去了几次星巴克？", "zh", "星巴克"),
        ("我到底去了咖啡店几次？", "zh", "咖啡店"),
        ("他去了几次公园？", "zh", None),
        ("我去了哪里？", "zh", None),
    ],
)
def test_places_that_no_lexicon_has_and_questions_that_ask_for_none(
    question: str, language: str, place: str | None
) -> None:
    assert asked_place(question, language) == place


@pytest.mark.parametrize(("language", "place"), [("en", "little shop"), ("zh", "店")])
def test_a_story_about_a_place_goes_there_as_often_as_asked(language: str, place: str) -> None:
    composer, tables, rng = Composer(language, 4), Tables(language), random.Random(0)
    for visits in [*range(6)] * 4:
        story = composer.story(place=place, visits=visits)
        assert Reader(story).visits(ME, place) == visits
        assert not any(name in place or place in name for name in story.places if name != place)
        (first, *_) = queries(story, tables, rng)
        assert (first.place, answer(story, first)) == (place, str(visits))
