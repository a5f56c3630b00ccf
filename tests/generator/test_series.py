"""Several visits told in a row: listed in one sentence, "there" again, by "we"."""

from __future__ import annotations

import pytest

from probes.asking.trials import Mode, Trial
from probes.generator import Composer, answer
from probes.generator.story import ME, UNKNOWN, WE
from tests.generator.telling import arrival, count, told, visits


@pytest.mark.parametrize(
    ("language", "frame", "verb", "without"),
    [
        ("en", "I went/V to/V the {P} {time} {listed} .", "went", "0"),
        ("zh", "我 走进/V {P} {listed} 。", "走进", None),  # 又去了 still says I did
    ],
)
@pytest.mark.parametrize("times", [2, 3, 5])
def test_visits_listed_in_one_sentence_count_one_a_phrase(
    language: str, frame: str, verb: str, without: str | None, times: int
) -> None:
    story = told(language, (frame, arrival(times=times)))
    query = visits(language)
    listed = tuple(word.span for word in story.words if word.tag in ("Q", "E"))
    assert count(story) == str(times)
    assert answer(story, query, Trial(listed)) == "1"
    assert answer(story, query, Trial(listed[:1])) is None
    assert answer(story, query, Trial(listed, Mode.REPLACE)) is None
    assert count(story, verb) == without


@pytest.mark.parametrize(
    ("language", "first", "second", "verb", "place"),
    [
        ("en", "I went/V to/V the {P} .", "{time} I cycled/V there/R .", "went", "park"),
        ("zh", "我 走进/V {P} 。", "{time} 我 来到/V 那里/R 。", "走进", "公园"),
    ],
)
def test_there_again_is_another_visit(language: str, first: str, second: str, verb: str, place: str) -> None:
    story = told(language, (first, arrival()), (second, arrival(antecedent=0)))
    time = story.text[slice(story.phrases[1][0].start, story.phrases[1][-1].end)]
    assert count(story) == "2"
    assert count(story, verb) == "1"
    assert count(story, place) is None
    assert count(story, time) is None  # the same visit, told again?
    assert count(story, order=(1, 0)) is None


@pytest.mark.parametrize(
    ("language", "frame", "we"),
    [("en", "We/M went/V to/V the {P} .", "We"), ("zh", "我们/M 走进/V {P} 。", "我们")],
)
def test_we_went_is_my_visit_and_perhaps_anybodys(language: str, frame: str, we: str) -> None:
    story = told(language, (frame, arrival(people=(ME, UNKNOWN))))
    assert count(story) == "1"
    assert count(story, we) is None
    assert answer(story, visits(language, "Anna")) is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_we_do_in_passages_is_done_by_me_and_somebody_left_open(language: str) -> None:
    composer, found = Composer(language, 7), 0
    for _ in range(300):
        story = composer.story(3)
        for number, parts in story.parts.items():
            if any(word.text.lower() in WE for tag in "ML" for word in parts.get(tag, ())):
                found += 1
                assert story.events[number].people == (ME, UNKNOWN), story.text
    assert found > 20


def test_what_we_feel_does_not_make_a_strangers_visit_mine() -> None:
    composer = Composer("en", 3)
    for _ in range(400):
        story = composer.story(3)
        for number, event in enumerate(story.events):
            if event.kind == "arrival" and "S" in story.parts[number] and "M" not in story.parts[number]:
                assert ME not in event.people, story.text


@pytest.mark.parametrize(("language", "phrase"), [("en", "ltogether I "), ("zh", "，我总共去过")])
def test_a_total_is_told_of_all_visits(language: str, phrase: str) -> None:
    composer, found = Composer(language, 5, hard=1.0), 0
    for _ in range(1500):
        story = composer.story(3)
        if phrase in story.text:
            place = next(iter(story.places))
            mine = [e for e in story.events if e.kind == "arrival" and e.place == place and ME in e.people]
            assert [event.times > 1 for event in mine] == [True], story.text
            found += 1
    assert found > 3
