"""Passages of free telling: the count is the sum of the pieces, whatever their order."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Literal

import pytest
from transformers import PreTrainedTokenizerFast

from probes.generator.questions import PROMPTS
from probes.training.overlap import Forbidden, preset_texts, runs
from probes.training.pieces import MOST, Piece, common_words, piece, pieces, places, split
from probes.training.told import Passage, Teller, told

BY_HAND = Path(__file__).parent.parent / "generator"
NUMBERS = ("zero", "one", "two", "three", "four", "five")
LANGUAGES: tuple[Literal["en", "zh"], ...] = ("en", "zh")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_is_a_piece_and_none_stands_twice(language: str) -> None:
    known = pieces(language)
    assert len(known) > 3000
    assert len({one.text for one in known}) == len(known)
    assert {n for one in known for n in one.counts} == set(range(MOST + 1))
    assert not [one.text for one in known if one.whole and len(one.counts) == 2]  # whose number would it be?


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_piece_has_a_run_of_a_preset_or_of_a_passage_that_is_measured_on(language: str) -> None:
    measured = [path.read_text("utf-8") for path in BY_HAND.glob(f"*_{language}.toml")]
    known = Forbidden([*preset_texts(), *measured])
    assert [one.text for one in pieces(language) if known.hit(one.text)] == []
    assert runs(measured[0])


@pytest.mark.parametrize(
    "line",
    [
        "went to {A}",
        "1 | ",
        "6 | I went to {A} six times.",
        "1 | I went there.",
        "1+ | I went to {A} again.",
        "1 | I went to {A}, then to {B}.",
        "1 1 | I went to {A}.",
        "1 | I went to {A} and {C}.",
        "1? | I went to {A}.",
        "1 | I went² to {A}.",
        "2 | I went¹ to {A}, and was back.",
        "1 | I went₁ to {A}.",
        "1 1 | I went¹ to {A} and {B}¹.",
    ],
)
def test_a_line_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=re.escape(line)):
        piece(line)


def test_what_a_line_says() -> None:
    assert piece("1 0 | To {A}, not {B}.") == Piece((1, 0), "To {A}, not {B}.")
    assert piece("2+ | Twice more.") == Piece((2,), "Twice more.", goes_on=True)
    assert piece("0! | Never {A}.") == Piece((0,), "Never {A}.", whole=True)
    marked = piece("3 1 | In {B}₁ once, in {A}² twice, and back¹.")
    assert marked.text == "In {B} once, in {A} twice, and back."
    assert split(marked.marked)[1] == [(5, 1, 1), (18, 0, 2), (34, 0, 1)]
    assert marked.told
    assert piece("0 | Not {A}.").told
    assert not piece("1 | To {A}.").told


class Few(Teller):
    """A teller of some pieces, which tell their own number."""

    def __init__(self, seed: int) -> None:
        super().__init__("en", random.Random(seed))
        self._named = [[Piece((n,), f"<{NUMBERS[n]}> {{A}}.")] for n in range(MOST + 1)]
        self._more = [[Piece((n,), f"<{NUMBERS[n]}> more.", goes_on=True)] for n in range(3)] + [[]] * 3
        self._whole = [[Piece((n,), f"<only {NUMBERS[n]}> {{A}}.", whole=True)] for n in range(MOST + 1)]
        self._two = [
            Piece((a, b), f"<{NUMBERS[a]}> {{A}} <{NUMBERS[b]}> {{B}}.") for a in (0, 1) for b in (0, 2)
        ]


def plain_counts(made: Passage) -> tuple[dict[str, int], list[int], set[str]]:
    """Counts, the running count of each piece on one place, and the places told of as complete: read from
    left to right.
    """
    numbers = {word: n for n, word in enumerate(NUMBERS)}
    counts = dict.fromkeys(made.counts, 0)
    running, whole, place = [], set(), ""
    for sentence in re.findall(r"<[^.]*\.", made.text):
        told = re.findall(r"<(only )?(\w+)> (more|the ([^.<]*[^.< ]))", sentence)
        for only, word, _, name in told:
            place = name or place
            counts[place] += numbers[word]
            if only:
                whole.add(place)
        if len(told) == 1:
            running.append(counts[place])
    return counts, running, whole


@pytest.mark.parametrize("seed", range(60))
def test_counts_are_the_sum_of_what_the_pieces_tell(seed: int) -> None:
    made = Few(seed).passage()
    counts, running, whole = plain_counts(made)
    assert counts == made.counts
    assert running == [so_far for _, so_far in made.running]
    assert all(made.text[offset] == "." for offset, _ in made.running)
    for place in whole:  # nothing else is counted beside it
        assert len(re.findall(rf"<(?!zero|only)\w+> the {re.escape(place)}\.", made.text)) == 0


def test_some_passages_are_one_whole_piece_and_nothing_else() -> None:
    made = [Few(seed).passage() for seed in range(200)]
    alone = [one for one in made if re.fullmatch(r"<only \w+> the [^.<]+\.", one.text)]
    assert len(alone) > 40
    assert all(one.running == ((len(one.text) - 1, *one.counts.values()),) for one in alone)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_passage_is_made_of_pieces(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SWAPPED", "BETWEEN", "TOLD_ANEW", "CUT"):
        monkeypatch.setattr(f"probes.training.said.{name}", 0.0)
    teller = Teller(language, random.Random(5))
    for _ in range(10):
        made = teller.passage()
        names = [name if language == "zh" else f"the {name}" for name in made.counts]
        possible = {
            one.text.replace("{A}", first).replace("{B}", second).casefold()
            for one in pieces(language)
            for first in names
            for second in names
        }
        left = made.text.casefold()
        for one in sorted(possible, key=len, reverse=True):
            left = left.replace(one, "")
        assert left.strip() == ""
        assert all(name.casefold() in made.text.casefold() for name in made.counts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_asks_for_its_places_and_is_told_their_counts(
    tokenizer: PreTrainedTokenizerFast, language: Literal["en", "zh"]
) -> None:
    asked = 0
    for seed in range(20):
        made = Teller(language, random.Random(seed)).passage()
        example = told(Teller(language, random.Random(seed)), Forbidden([]), tokenizer)
        if example is None:
            continue
        size = example.branch.index(1)
        assert example.ids[:size] == tokenizer(made.text)["input_ids"]
        passage = tokenizer(made.text)
        for points, found in ((made.running, example.running), (made.known, example.known)):
            assert found == [(passage.char_to_token(offset), number) for offset, number in points]
        for number, (_, count) in enumerate(example.counts, 1):
            asks = [i for i, b in zip(example.ids, example.branch, strict=True) if b == number]
            question = tokenizer.decode(asks)
            assert PROMPTS[language].split("{passage}\n")[1].split("{")[0].strip() in question
            named = [name for name in made.counts if re.sub(r"\s", "", name) in re.sub(r"\s", "", question)]
            assert count == max((made.counts[name] for name in named), default=0)
            asked += 1
    assert asked > 20


def test_a_passage_of_a_preset_is_never_told(tokenizer: PreTrainedTokenizerFast) -> None:
    made = Teller("en", random.Random(1)).passage()
    assert told(Teller("en", random.Random(1)), Forbidden([made.text]), tokenizer) is None


def test_words_of_free_telling_are_pieces_of_the_tokenizer(tokenizer: PreTrainedTokenizerFast) -> None:
    known = tokenizer.get_vocab()
    assert len(common_words()) > 1000
    words = [word for word in common_words() if re.fullmatch("[A-Za-z]+", word)]
    assert [word for word in words if f"▁{word}" not in known] == []
    assert len(places("en")) > 150 < len(places("zh"))
