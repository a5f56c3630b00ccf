"""Where Chinese words could be cut otherwise, and what becomes of a passage that takes a suggestion."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.text.passage import Passage
from probes.text.unsure import MOST, accepted, suggestions


def words(passage: Passage) -> str:
    return "|".join(word.text for word in passage.words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("小明天去", "小明|天|去"),
        ("乒乓球拍卖完了", "乒乓球拍|卖完|了"),
        ("他看完了书", "他|看完|了|书"),
        ("小王国庆去", "小王|国|庆|去"),
    ],
)
def test_the_first_suggestion_taken(text: str, expected: str) -> None:
    passage = Passage(text)
    made = accepted(passage, suggestions(passage)[0])
    assert words(made) == expected != words(passage)


@pytest.mark.parametrize("text", ["小明早上去咖啡店", "我走进咖啡店", "I went home. 3 times", "中", "ไปร้าน"])
def test_where_nothing_is_unsure(text: str) -> None:
    assert suggestions(Passage(text)) == ()


def test_what_was_made_by_hand_is_not_questioned() -> None:
    text = "小明天去"
    passage = Passage(text)
    assert suggestions(accepted(passage, suggestions(passage)[0])) == ()
    assert suggestions(Passage(text, splits=[2])) == ()


@settings(max_examples=200)
@given(
    st.text(st.sampled_from("小明天早上去老王国庆乒乓球拍卖完了看和尚未，a "), min_size=1).filter(str.strip)
)
def test_a_suggestion_can_be_taken(text: str) -> None:
    passage = Passage(text)
    offered = suggestions(passage)
    assert len(offered) <= MOST
    for one in offered:
        assert "".join(one.now) == "".join(one.instead) == text[one.start : one.end]
        made = accepted(passage, one)
        inside = [word.text for word in made.words if one.start <= word.start < one.end]
        assert tuple(inside) == one.instead
        assert "".join(segment.text for segment in made.segments) == text


def test_a_long_text_is_no_matter() -> None:
    assert len(suggestions(Passage("小明天去，" * 20_000))) == MOST
    assert suggestions(Passage("猫" * 100_000)) == ()
