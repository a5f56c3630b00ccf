"""Whose a clause is once its "I" is gone."""

from __future__ import annotations

import random

import pytest

from probes.asking.trials import Mode, Trial
from probes.generator import Query, Splits, Story, answer
from probes.generator.clauses import Clauses
from probes.generator.filling import Clause
from probes.generator.lexicon import Tables
from probes.generator.story import ME
from tests.generator.telling import arrival, count, told, visits, writer


@pytest.mark.parametrize(
    ("language", "frame", "gone", "right"),
    [
        ("en", "On Sunday I walked/V into/V the {P} .", ("I",), "1"),
        ("en", "{person} was ill , and I walked/V into/V the {P} .", (" I ",), None),
        ("en", "they left , so I walked/V into/V the {P} .", (" I ",), None),
        ("en", "The bus was full , so I walked/V into/V the {P} .", (" I ",), None),
        ("en", "I said no , and I walked/V into/V the {P} .", (" I ",), "1"),
        ("en", "{person} was ill , so I sighed and I walked/V into/V the {P} .", ("and I",), "1"),
        ("en", "{person} was ill , so I sighed and I walked/V into/V the {P} .", ("so I", "and I"), None),
        ("zh", "我 {noun} 坏了 ， 我 走进/V {P} 。", ("，我",), None),
        ("zh", "我 大壮 也 没 等 ， 走进/V {P} 。", ("我",), "1"),
        ("zh", "我 {person} 也 没 等 ， 走进/V {P} 。", ("我",), "1"),
        ("zh", "下午 我 走进/V {P} 。", ("我",), "1"),
        ("zh", "我 很 累 ， 我/M 和 小明 走进/V {P} 。", ("我",), "1"),  # the second one says who went
    ],
)
def test_without_its_subject_a_clause_is_mine_where_nobody_else_is_named_before_it(
    language: str, frame: str, gone: tuple[str, ...], right: str | None
) -> None:
    story = told(language, (frame, arrival()))
    assert count(story) == "1"
    assert count(story, *gone) == right
    assert count(story, *gone, mode=Mode.HIDE) == right


def test_my_sister_is_not_me() -> None:
    story = told("zh", ("{person} 病了 ， 我 走进/V {P} 。", arrival()))
    possessive = told("zh", ("我 {act} 。", None), ("我 走进/V {P} 。", arrival()))
    assert count(story, "，我") is None
    assert count(possessive) == "1"
    tables = Tables("zh", Splits())
    for phrase in ("我*妹妹", "我的*朋友"):
        clauses = Clauses(Story("zh"), tables, random.Random(0))
        clause = Clause()
        clauses._named(phrase, clause, being=True)
        assert all(word.being for word in clause.words), phrase


@pytest.mark.parametrize("filler", ["[MASK]", "…", "it"])
def test_whatever_stands_in_place_of_i_leaves_open_who_went(filler: str) -> None:
    story = told("en", ("I walked/V into/V the {P} .", arrival()))
    query = visits("en")
    assert answer(story, query, Trial(((0, 1),), Mode.REPLACE, filler)) is None


def ordered(story: Story, gone: str = "") -> str | None:
    """What I ordered, with the first occurrence of `gone` taken away."""
    thing = next(event.thing for event in story.events if event.thing)
    at = story.text.index(gone)
    spans = ((at, at + len(gone)),) if gone else ()
    return answer(story, Query("order", "?", story.language, (thing, "x")), Trial(spans))


def test_what_two_of_us_ordered_is_not_known_to_be_mine_without_me() -> None:
    story = Story("en", places={"park": "park"}, people={"Anna": "Anna"})
    clauses = writer(story)
    clause = Clause(event=clauses.event(arrival(people=(ME, "Anna"))), place="park", person="Anna")
    clauses._fill("{who} and/M I/M", clause)
    clauses._act("order: asked/V for/V {drink}", clause, (ME,))
    clauses.sentence("and walked/V into/V the {P} .", clause)
    assert ordered(story.finish()) == story.events[1].thing
    assert ordered(story, "and I") is None
    assert ordered(story, " I ") is None
    assert ordered(story, "Anna") == story.events[1].thing


def test_my_order_without_its_subject_may_be_a_friends() -> None:
    story = Story("en")
    clauses = writer(story)
    clause = Clause()
    clauses._fill("{person} was ill , and I", clause)
    clauses._act("order: asked/V for/V {drink}", clause, (ME,))
    clauses.sentence(".", clause)
    assert ordered(story.finish()) == story.events[0].thing
    assert ordered(story, "I ") is None
