"""Sentences whose reading the convention fixes, one by one: what counts, and what does once words go."""

from __future__ import annotations

from itertools import pairwise

import pytest

from probes.asking.trials import Mode, Trial
from probes.generator import Composer, Splits, Story, answer
from probes.generator.compose import _Draft
from probes.generator.filling import Clause
from probes.generator.letters import TURNED
from probes.generator.lexicon import HELD_OUT
from probes.generator.story import ME, UNKNOWN, Event
from tests.generator.telling import arrival, count, told, visits, writer


def test_every_word_of_the_verb_and_the_place_must_stand() -> None:
    story = told("en", ("I walked/V into/V the {P} .", arrival()))
    assert story.text == "I walked into the park."
    assert count(story) == "1"
    for word in ("walked", "into", "park"):
        assert count(story, word) == "0", word
    for word in ("I", "the"):
        assert count(story, word) == "1", word


def test_at_the_door_of_keeps_me_outside() -> None:
    blocked = Event("blocked", place="park", bare=True)
    story = told("en", ("I walked to the door/D of/D the {P} but did/A not/B go/V in/V .", blocked))
    assert (count(story), count(story, "door"), count(story, "walked")) == ("0", None, "0")


@pytest.mark.parametrize(
    ("verb", "text", "without"),
    [
        (
            "walked|through/L|~the|door/L|of/L",
            "Walked through the door of park.",
            {"Walked": "0", "through": None, "the": "1", "door": None, "of": None},
        ),
        (
            "paid|~a|visit/L|to/L",
            "Paid a visit to park.",
            {"Paid": "0", "a ": "1", "visit": None, "to": None},
        ),
    ],
)
def test_a_word_that_can_be_guessed_is_open_and_an_article_carries_nothing(
    verb: str, text: str, without: dict[str, str | None]
) -> None:
    story = Story("en", places={"park": "park"})
    clauses = writer(story)
    clause = Clause(event=clauses.event(arrival()), place="park")
    clauses._verb(verb, clause)
    clauses.sentence("{P} .", clause)
    assert story.finish().text == text
    assert count(story) == "1"
    assert {word: count(story, word) for word in without} == without


def test_an_open_word_of_somebody_elses_arrival_says_nothing_of_mine() -> None:
    story = told("en", ("Anna/S showed/V up/L at/L the {P} .", arrival(people=("Anna",))))
    assert [count(story, word) for word in ("up", "at", "Anna")] == ["0", "0", None]
    anna = visits("en", "Anna")
    at = story.text.index("up")
    assert answer(story, anna, Trial(((at, at + 2),))) is None


@pytest.mark.parametrize(
    ("frame", "event", "text"),
    [
        ("I", arrival(), "I let myself into the park."),
        ("{who}", arrival(people=("Anna",)), "Anna let themselves into the park."),
        ("{who} and I/M", arrival(), "Anna and I let ourselves into the park."),
        ("We/M", arrival(people=(ME, UNKNOWN)), "We let ourselves into the park."),
        ("She", arrival(people=(UNKNOWN,)), "She let herself into the park."),
        ("you", arrival(people=(UNKNOWN,)), "You let yourself into the park."),
        ("Nobody/B", arrival(), "Nobody let themselves into the park."),
        ("None/B of us", arrival(), "None of us let ourselves into the park."),
        ("Anna was ill , and I", arrival(), "Anna was ill, and I let myself into the park."),
    ],
)
def test_everybody_goes_their_own_way(frame: str, event: Event, text: str) -> None:
    story = Story("en", places={"park": "park"}, people={"Anna": "Anna"})
    clauses = writer(story)
    clause = Clause(event=clauses.event(event), place="park", person="Anna" if "who" in frame else None)
    clauses._fill(frame, clause)
    clauses._verb("let|myself/L|into", clause)
    clauses.sentence("the {P} .", clause)
    assert story.finish().text == text


def test_half_a_word_gone_is_no_reading() -> None:
    story = told("zh", ("我 走进/V {P} 。", arrival()))
    assert count(story, "走进") == "0"
    assert count(story, "进") is None


def test_a_chinese_arrival_without_its_particle_is_open() -> None:
    story = told("zh", ("我 去/V 了/L {P} 。", arrival()))
    assert (count(story), count(story, "去"), count(story, "了")) == ("1", "0", None)


@pytest.mark.parametrize(
    ("frame", "bare", "gone", "right"),
    [
        ("I never/B went/V to/V the {P} .", True, ("never",), "1"),
        ("I did/A not/B go/V to/V the {P} .", True, ("not",), "1"),
        ("I did/A not/B go/V to/V the {P} .", True, ("did",), "0"),
        ("I did/A not/B go/V to/V the {P} .", True, ("did", "not"), None),
        ("I decided/B to/B go/V to/V the {P} .", False, ("decided",), "0"),
        ("I decided/B to/B go/V to/V the {P} .", False, ("decided", "to"), None),
        ("I never/B went/V to/V the {P} .", True, ("never", "went"), "0"),
    ],
)
def test_what_blocks_an_arrival(frame: str, bare: bool, gone: tuple[str, ...], right: str | None) -> None:
    story = told("en", (frame, Event("blocked", place="park", bare=bare)))
    assert count(story) == "0"
    assert count(story, *gone) == right


def test_a_filler_in_a_blockers_place_leaves_the_reading_open() -> None:
    story = told("en", ("I never/B went/V to/V the {P} .", Event("blocked", place="park", bare=True)))
    assert count(story, "never", mode=Mode.REPLACE) is None
    assert count(story, "never", mode=Mode.HIDE) == "1"


def test_other_peoples_visits_are_theirs() -> None:
    story = told("en", ("Anna/S went/V to/V the {P} .", arrival(people=("Anna",))))
    assert count(story) == "0"
    assert count(story, "Anna") is None
    assert answer(story, visits("en", "Anna")) == "1"


def test_a_friend_beside_me_goes_too() -> None:
    story = told("en", ("Anna/S and I/M went/V to/V the {P} .", arrival(people=(ME, "Anna"))))
    assert count(story) == "1"
    assert count(story, "I") is None


def test_going_to_and_then_into_is_one_visit() -> None:
    story = told("en", ("I went/V to/V the {P} .", arrival()), ("I entered/V the {P} .", arrival(pair=0)))
    assert count(story) == "1"
    assert count(story, "went") == "1"
    assert count(story, "entered") == "1"
    assert count(story, "went", "entered") == "0"
    assert count(story, order=(1, 0)) is None


def test_two_visits_need_something_between_them() -> None:
    one = ("I went/V to/V the {P} .", arrival())
    again = ("I went/V to/V the {P} again/T .", arrival())
    assert count(told("en", one, again)) == "2"
    assert count(told("en", one, again), "again") is None
    assert count(told("en", one, ("I went/T home/T .", None), one)) == "2"


def test_there_points_to_the_sentence_before() -> None:
    story = told(
        "en",
        ("I heard of the {P} .", Event("mention", place="park")),
        ("I went/V there/R .", arrival(antecedent=0)),
        ("It rained .", None),
    )
    assert count(story) == "1"
    assert count(story, "park") is None
    assert count(story, order=(0, 2, 1)) is None
    assert count(story, order=(2, 0, 1)) == "1"
    assert count(story, "went") == "0"


def test_how_often_is_a_key_word() -> None:
    story = told("en", ("I went/V to/V the {P} three/Q times/Q .", arrival(times=3)))
    assert count(story) == "3"
    assert count(story, "three times") == "1"
    assert count(story, "three") is None
    assert count(story, "went") == "0"


def test_a_friend_said_to_be_along_leaves_the_friends_visit_open() -> None:
    story = told("en", ("I went/V to/V the {P} with Anna .", arrival(mates=("Anna",))))
    assert count(story) == "1"
    assert answer(story, visits("en", "Anna")) is None
    story = told("zh", ("小明/S 跟 小红 去/V 了/L {P} 。", arrival(people=("小明",), mates=("小红",))))
    assert count(story) == "0"
    assert answer(story, visits("zh", "小红")) is None
    assert answer(story, visits("zh", "小明")) == "1"


def test_wanting_to_go_there_is_not_going_there() -> None:
    story = told(
        "zh",
        ("我 听说 {P} 很 大 。", Event("mention", place="park")),
        ("我 想/B 去/V 那里/R 。", Event("blocked", place="park", antecedent=0)),
    )
    assert count(story) == "0"
    assert count(story, "想") is None
    assert count(story, "去") == "0"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_denied_there_and_companions_come_up_in_passages(language: str) -> None:
    """Rare parts of a passage are really written, and their readings stay within the convention."""
    composer = Composer(language, 8)
    stories = [composer.story(3) for _ in range(150)]
    events = [event for story in stories for event in story.events]
    assert any(event.mates for event in events)
    assert any(event.kind == "blocked" and event.antecedent is not None for event in events)


@pytest.mark.parametrize("splits", [Splits(), HELD_OUT])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_mark_of_the_tables_is_left_in_a_text(language: str, splits: Splits) -> None:
    composer = Composer(language, 21, splits, nonce=1.0, hard=1.0)
    for _ in range(250):
        story = composer.story(3)
        assert not set(story.text) & set("()（）{}|~*/"), story.text


def test_an_invented_chinese_verb_says_nothing_of_its_own() -> None:
    """No 不进, 提到 or 等到 is taken for an arrival; no 没少进 for a denial."""
    composer = Composer("zh", 22, nonce=1.0, hard=1.0)
    arrivals, denials = set[str](), set[str]()
    for _ in range(500):
        story = composer.story(3)
        for number, event in enumerate(story.events):
            verb = story.parts[number].get("V", ())
            if event.kind == "arrival" and verb:
                arrivals.add("".join(word.text for word in verb))
            if event.kind == "blocked":
                denials |= {word.text for word in story.parts[number].get("B", ())}
    assert len(arrivals) > 200
    assert not {verb for verb in arrivals if set(verb) & set("不没别提等看听谈说见找遇")}
    assert len({word for word in denials if word[0] in "没不未"}) > 20
    assert not {word for word in denials if word[:1] in ("没", "不") and word[1:] in TURNED and word[1:]}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_carries_on_stands_behind_a_bare_arrival(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence that goes in tells of the same visit only where the one before tells of nothing else."""
    kinds: list[list[str]] = []
    finish = _Draft._finish

    def noted(draft: _Draft, asked: str) -> Story | None:
        kinds.append(list(draft.kinds))
        return finish(draft, asked)

    monkeypatch.setattr(_Draft, "_finish", noted)
    composer = Composer(language, 23)
    for _ in range(200):
        composer.story(3)
    pairs = [pair for story in kinds for pair in pairwise(story) if pair[1].startswith("carry_on")]
    assert len(pairs) > 20
    assert {before for before, _ in pairs} == {"arrival_reached"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_there_points_to_a_place_that_was_named_outright(language: str) -> None:
    composer, found = Composer(language, 24), 0
    near = {"en": ("near", "opposite", "behind", "far"), "zh": ("附近", "旁边", "对面", "不远")}[language]
    for splits in (Splits(), HELD_OUT):
        composer = Composer(language, 24, splits)
        for _ in range(200):
            story = composer.story(3)
            for event in story.events:
                if event.antecedent is None or story.events[event.antecedent].kind != "mention":
                    continue
                found += 1
                words = story.parts[event.antecedent]["P"]
                before = story.text[max(0, words[0].start - 14) : words[0].start].split()[-2:]
                assert not set(before) & set(near), story.text
    assert found > 20
