"""Words joined and split by hand, found by name, taken away."""

from __future__ import annotations

import pickle

import pytest
import regex

from probes.asking.question import preset
from probes.errors import InputError
from probes.text.passage import Passage
from tests.test_passage import FAMILY, THUMB, words

# ---- joining and splitting by hand


def test_join_and_split() -> None:
    passage = Passage("我走进咖啡店 now")
    joined = passage.joined(1, 2)
    assert [w.text for w in joined.words] == ["我", "走进咖啡店", "now"]
    assert words(passage.text, joins=joined.joins) == "我|走进咖啡店|now"
    apart = joined.split_at(2)
    assert [w.text for w in apart.words] == ["我", "走", "进咖啡店", "now"]
    assert [w.text for w in apart.joined(1, 3).words] == ["我", "走进咖啡店 now"]
    halves = passage.split_at(5)
    assert [w.text for w in halves.words] == ["我", "走进", "咖啡", "店", "now"]
    assert halves.splits == (5,)
    assert halves.joined(2, 3) == Passage(passage.text, joins=[(3, 6)])
    assert pickle.loads(pickle.dumps(apart)) == apart


@pytest.mark.parametrize(
    ("joins", "splits"),
    [
        ([(3, 3)], []),
        ([(4, 2)], []),
        ([(-1, 2)], []),
        ([(0, 99)], []),
        ([(0, 3), (2, 5)], []),  # overlap
        ([(0, 2)], []),  # ends with a space
        ([(5, 6)], []),  # no word
        ([(2, 8)], []),  # over the end of the line
        ([], [0]),
        ([], [-3]),
        ([], [99]),
        ([], [6]),  # between line end and comma
        ([], [10]),  # inside an emoji
        ([], [13]),  # inside an emoji, behind its joiner
        ([(11, 13)], []),  # half an emoji
        ([(2, 5)], [3]),  # inside a join
    ],
)
def test_joins_and_splits_that_are_refused(joins: list, splits: list) -> None:
    text = f"a bcd,,\n {THUMB}{FAMILY}"
    assert Passage(text).text == text
    with pytest.raises(InputError):
        Passage(text, joins=joins, splits=splits)


@pytest.mark.parametrize(("first", "last"), [(0, 0), (1, 0), (-1, 1), (0, 2)])
def test_joining_words_that_are_not_there(first: int, last: int) -> None:
    with pytest.raises(InputError):
        Passage("one two").joined(first, last)


# ---- finding

TEXT = "I walked in. The coffee shop, the Coffee  shop and the coffee-shop: I like coffee, C# and 1,000 #2."


def found(wanted: str, text: str = TEXT) -> list[str]:
    return [text[start:end] for start, end in Passage(text).find(wanted)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("WALKED", ["walked"]),
        ("i#2，walked", ["walked", "I"]),
        ("coffee", ["coffee", "Coffee", "coffee"]),
        ("coffee shop", ["coffee shop", "Coffee  shop"]),
        ("coffee shop＃2;in、 The #3", ["in", "Coffee  shop", "the"]),
        ("alke", ["alke"]),
        ("c#, 1\\,000，\\#2", ["C#", "1,000", "#2"]),
        ("", []),
        (" ,；", []),
    ],
)
def test_find(wanted: str, expected: list[str]) -> None:
    assert found(wanted) == expected


def test_a_phrase_stands_on_words_before_it_stands_inside_them() -> None:
    assert Passage("咖啡店里，去咖啡店").find("店") == ((2, 3), (8, 9))
    assert Passage("scar car park, car parks").find("car park") == ((5, 13),)


@pytest.mark.parametrize("text", [TEXT, preset("coffee-zh").text, preset("coffee-en").text])
def test_an_occurrence_is_what_its_number_finds(text: str) -> None:
    passage = Passage(text)
    for word in passage.words:
        name = regex.sub(r"([,;#])", r"\\\1", word.text)
        one, of = passage.occurrence(word.span)
        assert passage.find(f"{name}#{one}") == (word.span,)
        assert (one, of) == (word.occurrence, word.occurrences)
    start, end = passage.find(passage.words[0].text)[0]
    assert passage.occurrence((start, end + 2)) == (1, 1)


def test_phrases_are_numbered_too() -> None:
    assert Passage(TEXT).occurrence((34, 46)) == (2, 2)
    assert Passage("咖啡店里，去咖啡店").occurrence((8, 9)) == (2, 2)


def test_what_is_not_found_is_named_with_its_neighbours() -> None:
    with pytest.raises(InputError, match="walked") as caught:
        found("walkd")
    assert caught.value.values["text"] == "walkd"
    with pytest.raises(InputError, match="3 time") as caught:
        found("coffee#4")
    assert caught.value.values == {"text": "coffee", "asked": 4, "count": 3}
    with pytest.raises(InputError):
        found("coffee#0")


# ---- taking away


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("I walked into the shop.", "walked", "I into the shop."),
        ("I walked into the shop.", "I", "walked into the shop."),
        ("I walked into the shop.", "shop", "I walked into the."),
        ("I walked into the shop.", "walked,into", "I the shop."),
        ("I walked into the shop.", "I,walked", "into the shop."),
        ("I walked into the shop.", "I,into,shop", "walked the."),
        ("I walked into the shop.", "I walked into the shop", "."),
        ("Well, I (we) left", "we", "Well, I () left"),
        ("(a b c)", "a", "(b c)"),
        ("我走进咖啡店。", "走进", "我咖啡店。"),
        ("去了 shop 三次", "shop", "去了 三次"),
        ("去了 shop 三次", "了", "去 shop 三次"),
        ("a😀 b", "😀", "a b"),
        ("3.a 5", "a", "3. 5"),
        ("a我 aひ", "我,a#2", "a ひ"),
        ("  indent stays", "indent", "  stays"),
        ("one\n\ntwo\n\nthree", "two", "one\n\nthree"),
        ("one\r\ntwo\r\nthree", "one", "two\r\nthree"),
        ("one\ntwo\nthree", "one,three", "two"),
        ("one\ntwo\nthree", "one,two", "three"),
        ("a b\nc d", "b,c", "a\nd"),
        ("only", "only", ""),
    ],
)
def test_without(text: str, wanted: str, expected: str) -> None:
    passage = Passage(text)
    assert passage.without(passage.find(wanted)) == expected


def test_a_sentence_takes_one_space() -> None:
    passage = Passage("One here. Two there.  Three. 四。五。")
    one, two, three, four, _ = (unit.span for unit in passage.sentences)
    assert passage.without([one]) == "Two there.  Three. 四。五。"
    assert passage.without([two]) == "One here.  Three. 四。五。"
    assert passage.without([four]) == "One here. Two there.  Three. 五。"
    assert passage.without([one, two, three]) == "四。五。"


@pytest.mark.parametrize("span", [(0, 0), (-1, 2), (1, 9), (2, 1)])
def test_spans_outside_the_text(span: tuple[int, int]) -> None:
    with pytest.raises(InputError):
        Passage("abc").removal([span])
