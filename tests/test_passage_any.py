"""What holds for any text at all."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.errors import InputError
from probes.text.passage import MAX_CHARACTERS, Passage
from tests.test_passage import FAMILY, FLAG, KEYCAP, THUMB

ALPHABET = [
    *"aB1我走进咖啡店点了去.。,，-'!？…\"()“”～~#\\",
    *" \n\t\u3000\u00a0", "\r\n", "\x00", "\u200b", "\u200d", "\u0301", FAMILY, THUMB, FLAG, KEYCAP,
    "e\u0301", "ひ", "ー", "カ", "ร้", "한", "ש", "\u202e", "$", "+", "3.5", "Mr.",
    "don't", "www.a.b", "𠮷", "ﬁ", "ǅ",
]  # fmt: skip
mixed = st.lists(st.sampled_from(ALPHABET), min_size=1, max_size=40).map("".join)
any_text = st.one_of(
    mixed, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
).filter(str.strip)


@settings(max_examples=300)
@given(any_text)
def test_nothing_is_lost(text: str) -> None:
    passage = Passage(text)
    assert "".join(s.text for s in passage.segments) == text
    assert all(text[s.start : s.end] == s.text for s in passage.segments)
    assert [w.span for w in passage.words] == [s.span for s in passage.segments if s.is_word]
    assert all(not w.text[0].isspace() and not w.text[-1].isspace() for w in passage.words)
    letters = {m.start() for m in regex.finditer(r"[\p{L}\p{N}\p{Extended_Pictographic}]", text)}
    assert letters <= {i for w in passage.words for i in range(w.start, w.end)}


@settings(max_examples=300)
@given(any_text)
def test_each_word_is_in_one_sentence_and_each_sentence_in_one_paragraph(text: str) -> None:
    passage = Passage(text)
    for inner, outer in ((passage.words, passage.sentences), (passage.sentences, passage.paragraphs)):
        for unit in inner:
            assert sum(o.start <= unit.start and unit.end <= o.end for o in outer) == 1
        for o in outer:
            assert o.text.strip() == o.text
            assert any(o.start <= unit.start and unit.end <= o.end for unit in inner)


@settings(max_examples=300)
@given(any_text, st.data())
def test_removal_never_fuses_words_that_were_apart(text: str, data: st.DataObject) -> None:
    passage = Passage(text)
    gone = data.draw(st.sets(st.sampled_from(passage.words))) if passage.words else set()
    cuts = passage.removal([w.span for w in gone])
    removed = {i for a, b in cuts for i in range(a, b)}
    assert list(cuts) == sorted(cuts)
    assert all(b < c for (_, b), (c, _) in pairwise(cuts))
    assert removed >= {i for w in gone for i in range(w.start, w.end)}
    assert all(text[i].isspace() for i in removed - {i for w in gone for i in range(w.start, w.end)})
    assert passage.without([w.span for w in gone]) == "".join(
        c for i, c in enumerate(text) if i not in removed
    )
    kept = [w for w in passage.words if w not in gone]
    for left, right in pairwise(kept):
        between = range(left.end, right.start)
        if any(text[i].isspace() for i in between):
            stays = [text[i] for i in between if i not in removed]
            assert any(not regex.match(r"[\p{L}\p{M}\p{N}'’.:/,%&_\-+#@~·]", c) for c in stays), (text, gone)


@settings(max_examples=200)
@given(
    st.lists(st.sampled_from(["walk", "3.5", "don't", FAMILY, "é", "C++", "$5"]), min_size=2, max_size=9),
    st.data(),
)
def test_the_words_that_stay_are_the_words_of_what_stays(tokens: list[str], data: st.DataObject) -> None:
    passage = Passage(" ".join(tokens))
    assert [w.text for w in passage.words] == tokens
    gone = data.draw(st.sets(st.sampled_from(range(len(tokens))), max_size=len(tokens) - 1))
    assert passage.without([passage.words[i].span for i in gone]) == " ".join(
        token for i, token in enumerate(tokens) if i not in gone
    )


@settings(max_examples=300)
@given(any_text, st.data())
def test_units_are_found_by_their_names(text: str, data: st.DataObject) -> None:
    passage = Passage(text)
    if passage.words:
        spans = sorted(w.span for w in data.draw(st.sets(st.sampled_from(passage.words))))
        by_span = {w.span: w for w in passage.words}
        names = [re.sub(r"([\\,，、;；#＃])", r"\\\1", by_span[s].text) for s in spans]
        wanted = ",".join(f"{n}#{by_span[s].occurrence}" for n, s in zip(names, spans, strict=True))
        assert list(passage.find(wanted)) == spans


@settings(max_examples=100)
@given(any_text, st.data())
def test_handwork_travels(text: str, data: st.DataObject) -> None:
    """After any joins and splits the text is whole, and its own joins and splits make the same passage."""
    passage = Passage(text)
    for _ in range(3):
        try:
            if data.draw(st.booleans()):
                passage = passage.split_at(data.draw(st.integers(0, len(text))))
            else:
                first = data.draw(st.integers(0, 5))
                passage = passage.joined(first, first + data.draw(st.integers(1, 3)))
        except InputError:
            continue
    assert "".join(s.text for s in passage.segments) == text
    again = Passage(text, joins=passage.joins, splits=passage.splits)
    assert again == passage
    assert again.words == passage.words


@pytest.mark.parametrize("piece", ["a. ", "咖啡店，", " 😀.", "a+", '."', "x\r\n\r\n", "ก", "🇨"])
def test_long_texts(piece: str) -> None:
    """Whole and in order at the greatest length; what is not linear would not come back."""
    text = ("go " + piece * MAX_CHARACTERS)[:MAX_CHARACTERS]
    passage = Passage(text)
    assert "".join(s.text for s in passage.segments) == text
    assert len(passage.sentences) <= len(passage.words)
    assert not Passage("x" + passage.without([w.span for w in passage.words])).words[1:]


def test_much_handwork_on_a_long_text() -> None:
    """What is not linear would not come back."""
    text = "a" * 50_000
    assert len(Passage(text, splits=range(1, 50_000)).words) == 50_000
    joins = [(4 * i, 4 * i + 3) for i in range(12_000)]
    assert len(Passage("a " * 25_000, joins=joins, splits=()).words) == 25_000 - 12_000


@pytest.mark.parametrize(
    "wanted", ["b" * 100_000, "a" + " " * 60_000 + "b", "x#" * 30_000, "a#" + "9" * 5_000, "b b," * 30_000]
)
def test_long_lists_of_what_is_not_there(wanted: str) -> None:
    """What is not linear would not come back."""
    with pytest.raises(InputError):
        Passage("a " * 50_000).find(wanted)
