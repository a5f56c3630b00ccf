"""The presets' data: what is asked of them can be found in them. Read from the files, without the loader."""

from __future__ import annotations

import tomllib
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import regex

import probes
from probes.text.passage import Passage

FOLDER = Path(probes.__file__).parent / "presets"
PRESETS = {
    path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*-*.toml"))
}
ANSWERS = tomllib.loads((FOLDER / "answers.toml").read_text(encoding="utf-8"))
COUNTING = [name for name, preset in PRESETS.items() if preset["answers"] == "count"]
PLACES = {  # the place asked for: how often it is named
    "coffee-zh": ("咖啡店", 3),
    "coffee-en": ("coffee shop", 3),
    "library-en": ("library", 3),
    "bakery-en": ("bakery", 3),
    "gym-en": ("gym", 4),
    "bank-en": ("bank", 2),
    "cinema-zh": ("电影院", 3),
    "market-zh": ("菜市场", 3),
    "hospital-zh": ("医院", 4),
    "bookshop-zh": ("书店", 3),
}

COFFEE_ZH = """昨天 我 在 一个 繁忙 的 一天 结束 之后 决定 去 我 最 喜欢 的 咖啡店 放松 一下
    我 走进 咖啡店 点 了 一杯 拿铁 然后 找 了 一个 靠窗 的 位置 坐下
    我 喝 着 咖啡 看着 窗外 的 人们 匆匆忙忙 感觉 非常 惬意
    然后 我 从 咖啡店 出来 回到 了 家中"""
COFFEE_EN = """Yesterday after a busy day I decided to go to my favourite coffee shop to relax
    I walked into the coffee shop and ordered a latte then found a seat by the window and sat down
    I drank my coffee watched the people outside hurry by and felt very content
    Then I came out of the coffee shop and went home"""


def passage(name: str) -> Passage:
    return Passage(PRESETS[name]["text"], dictionary=PRESETS[name].get("dictionary", ()))


def spans(name: str) -> dict[str, list[tuple[int, int]]]:
    """The roles' spans, found by plain search; fails where a text does not occur (that often)."""
    text = PRESETS[name]["text"]
    found: dict[str, list[tuple[int, int]]] = {}
    for role, entries in PRESETS[name]["roles"].items():
        for entry in entries:
            wanted, nth = (entry, 1) if isinstance(entry, str) else (entry["text"], entry["occurrence"])
            starts = [m.start() for m in regex.finditer(regex.escape(wanted), text)]
            assert len(starts) >= nth, (name, role, entry)
            found.setdefault(role, []).append((starts[nth - 1], starts[nth - 1] + len(wanted)))
    return found


@pytest.mark.parametrize(("name", "expected"), [("coffee-zh", COFFEE_ZH), ("coffee-en", COFFEE_EN)])
def test_the_words_of_the_coffee_shop(name: str, expected: str) -> None:
    """Cut by hand."""
    assert [word.text for word in passage(name).words] == expected.split()
    lines = [line.split() for line in expected.splitlines()]
    starts = [
        next(w.text for w in passage(name).words if w.start >= s.start) for s in passage(name).sentences
    ]
    assert starts == [line[0] for line in lines]


def test_each_language_has_every_kind_of_answer() -> None:
    for language in ("zh", "en"):
        mine = [PRESETS[name] for name in COUNTING if PRESETS[name]["language"] == language]
        assert {preset["right"] for preset in mine} == {"0", "1", "2", "3"}
        assert len(mine) >= 5


@pytest.mark.parametrize("name", PRESETS)
def test_its_language_titles_and_length(name: str) -> None:
    preset: dict[str, Any] = PRESETS[name]
    assert preset["id"] == name
    assert name.endswith(f"-{preset['language']}")
    assert passage(name).language == preset["language"]
    assert all(preset[key][language].strip() for key in ("title", "about") for language in ("zh", "en"))
    assert regex.search(r"\p{Han}", preset["about"]["zh"])
    assert not regex.search(r"\p{Han}", preset["about"]["en"] + preset["title"]["en"])
    assert preset["answer_prefix"]
    assert preset["text"] == preset["text"].strip()
    if not name.startswith("crux"):  # the speech is as long as the lecture has it
        assert 40 <= len(passage(name).words) <= 90


@pytest.mark.parametrize("name", COUNTING)
def test_its_answers_and_its_place(name: str) -> None:
    preset = PRESETS[name]
    labels = ANSWERS["count"][preset["language"]]
    place, mentions = PLACES[name]
    assert preset["right"] in labels
    assert preset["tempting"] in labels
    assert preset["right"] != preset["tempting"]
    assert place in preset["question"]
    assert preset["text"].count(place) == mentions
    assert place in preset["answer_prefix"]


@pytest.mark.parametrize("name", PRESETS)
def test_its_roles_are_in_the_text_and_do_not_contradict_each_other(name: str) -> None:
    text, words = PRESETS[name]["text"], passage(name).words
    placed = [(span, role) for role, found in spans(name).items() for span in found]
    assert set(PRESETS[name]["roles"]) <= {"key", "redundant", "noise", "distractor"}
    for (one, first), (other, second) in combinations(placed, 2):
        assert one[1] <= other[0] or other[1] <= one[0], (
            first,
            text[slice(*one)],
            second,
            text[slice(*other)],
        )
    for (start, end), role in placed:
        inside = [word for word in words if start < word.end and word.start < end]
        assert inside, (role, text[start:end])
        assert (inside[0].start, inside[-1].end) == (start, end), "a role begins or ends inside a word"
    if name in COUNTING:
        assert {role for _, role in placed} == {"key", "redundant", "noise", "distractor"}
        place, mentions = PLACES[name]
        covered = sum(text[start:end].count(place) for (start, end), _ in placed)
        assert covered == mentions or PRESETS[name]["right"] == "0", "every mention of the place has a role"
    else:
        assert not placed
        assert "right" not in PRESETS[name]


@pytest.mark.parametrize("name", [name for name in PRESETS if name.endswith("-zh")])
def test_every_chinese_word_has_a_gloss_and_no_gloss_is_idle(name: str) -> None:
    assert set(PRESETS[name]["gloss"]) == {word.text for word in passage(name).words}
    assert all(gloss.isascii() or "…" in gloss for gloss in PRESETS[name]["gloss"].values())


def test_no_passage_is_a_near_copy_of_another() -> None:
    for language in ("zh", "en"):
        mine = [[w.text for w in passage(name).words] for name in PRESETS if name.endswith(language)]
        for one, other in combinations(mine, 2):
            assert SequenceMatcher(None, one, other, autojunk=False).ratio() < 0.4


@pytest.mark.parametrize("language", ["zh", "en"])
def test_counting_answers(language: str) -> None:
    answers = ANSWERS["count"][language]
    assert list(answers) == ["0", "1", "2", "3", "4", "5"]
    strings = [string for answer in answers.values() for string in answer["strings"]]
    assert len(set(strings)) == len(strings)
    assert all(string == string.strip() and string for string in strings)
    assert all(answer["display"] == answer["strings"][0] for answer in answers.values())
    prefixes = {
        (label, other)
        for (label, one), (other, two) in combinations(answers.items(), 2)
        if any(a.startswith(b) or b.startswith(a) for a in one["strings"] for b in two["strings"])
    }
    assert prefixes == ({("0", "1")} if language == "zh" else set()), (
        "一次也没 alone begins as another answer does"
    )
    expected = {"zh": {"一", "一次", "1次"}, "en": {"once", "one time", "one"}}
    assert expected[language] <= set(answers["1"]["strings"])
