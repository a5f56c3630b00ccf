"""What is known of a piece's insides as it stands in a passage."""

from __future__ import annotations

import random
import re

import pytest

from probes.generator.lexicon import Tables
from probes.training.details import details
from probes.training.pieces import Piece, piece, pieces
from probes.training.said import Filler

LANGUAGES = ("en", "zh")
NUMBERS = ("zero", "one", "two", "three")


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is swapped and nothing put in between."""
    for name in ("SWAPPED", "BETWEEN", "TOLD_ANEW"):
        monkeypatch.setattr(f"probes.training.said.{name}", 0.0)


def filler(language: str = "en") -> Filler:
    return Filler(language, Tables(language))


@pytest.mark.usefixtures("plain")
def test_a_place_that_begins_a_sentence_has_a_capital() -> None:
    one = Piece((1,), '{A} was shut. {A} again, then. "{A}?" I was in {A}¹ at last.')
    assert filler()(one, ["lake"], random.Random(1)).text == (
        'The lake was shut. The lake again, then. "The lake?" I was in the lake at last.'
    )


def test_some_words_are_swapped_for_others_of_their_table() -> None:
    one, fill = Piece((0,), "an old umbrella"), filler()
    told = {fill(one, ["lake"], random.Random(seed)).text for seed in range(40)}
    assert "an old umbrella" in told
    assert all(re.fullmatch("an [a-z]+ [a-z]+", text) for text in told)


def story(rng: random.Random) -> Piece:
    """Sentences in which every number is a word in brackets with its mark, and some name the place."""
    said, sum_ = [], 0
    for _ in range(rng.randint(1, 5)):
        words = []
        for _ in range(rng.randint(1, 2)):
            n = min(rng.choice((0, 0, 1, 2)), 5 - sum_)
            sum_ += n
            words.append(f"<{NUMBERS[n]}>" + ("", "¹", "²")[n])
        said.append(" ".join(words) + rng.choice((" to {A}.", " more!", ' "here?"')))
    return Piece((sum_,), "On {A}. " + " ".join(said))


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("seed", range(30))
def test_marks_and_sentences_say_what_the_text_says(seed: int) -> None:
    made = story(random.Random(seed))
    said = filler()(made, ["lake"], random.Random(seed))
    known = dict(said.known)
    assert len(known) == len(said.known)
    total = 0
    for at in re.finditer(r"[^.!?]*[.!?]\"?", said.text):  # sentence by sentence, as a reader would
        numbers = [(at.start() + w.end() - 1, NUMBERS.index(w[1])) for w in re.finditer(r"<(\w+)>", at[0])]
        for offset, n in numbers:
            assert known.pop(offset, 0) == n
        inside = sum(n for _, n in numbers)
        total += inside
        assert known.pop(at.end() - 1) == inside
        assert (at.end() - 1, "lake", total) in said.running
        if not inside:
            for name in re.finditer("lake", at[0]):
                assert known.pop(at.start() + name.end() - 1) == 0
    assert known == {}
    assert said.visits == {"lake": total}


@pytest.mark.usefixtures("plain")
def test_two_places_have_their_own_visits() -> None:
    made = piece("2 1 | In {A}¹, then twice by {B}, then in {B}₁ and back¹ again.")
    said = filler()(made, ["lake", "inn"], random.Random(1))
    ends = [said.text.index(word) + len(word) - 1 for word in ("the lake", "in the inn", "back")]
    assert said.known == tuple((end, 1) for end in ends)
    assert said.running == ((ends[0], "lake", 1), (ends[1], "inn", 1), (ends[2], "lake", 2))


@pytest.mark.usefixtures("plain")
def test_without_marks_only_the_whole_is_known() -> None:
    text = "I went to {A}, and then I came again."
    said = filler()(Piece((2,), text), ["lake"], random.Random(1))
    assert said.known == ((len(said.text) - 1, 2),)
    assert said.running == ((len(said.text) - 1, "lake", 2),)
    said = filler()(Piece((2,), text + " So there."), ["lake"], random.Random(1))
    assert (said.known, said.running) == ((), ((len(said.text) - 1, "lake", 2),))
    assert filler()(Piece((2, 1), "To {A} and {B}."), ["lake", "inn"], random.Random(1)).running == ()


def test_an_initial_or_a_title_ends_no_sentence() -> None:
    said = filler()(Piece((1,), "Mr. B. Lee saw me at 8 a.m. in {A}¹. He left."), ["lake"], random.Random(1))
    assert [said.text[: at + 1].count(".") for at, n in said.known] == [4, 5, 6]


@pytest.mark.parametrize("seed", range(40))
def test_a_cut_piece_ends_with_a_sentence_that_tells_of_a_visit(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("probes.training.said.CUT", 1.0)
    rng = random.Random(seed)
    whole = story(rng)
    cut = filler().cut(whole, rng)
    assert whole.marked.startswith(cut.marked)
    assert cut.told
    if cut != whole:
        sentences = re.findall(r'[^.!?]*[.!?]"?', cut.text)
        assert "<one>" in sentences[-1] or "<two>" in sentences[-1]
        assert cut.counts == (len(re.findall("<one>", cut.text)) + 2 * len(re.findall("<two>", cut.text)),)


def test_what_is_not_marked_or_tells_of_one_thing_is_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probes.training.said.CUT", 1.0)
    for line in (
        "2 | I went to {A}. I went again.",
        "1 | I sat down. I was in {A}¹.",
        "0 | Not I. Not to {A}.",
        "1! | I went¹. It was {A}. It was fine.",  # cut earlier, it would not name the place
    ):
        assert filler().cut(piece(line), random.Random(1)) == piece(line)


@pytest.mark.parametrize("language", LANGUAGES)
def test_details_stand_between_sentences_and_change_no_number(
    language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, share in (("SWAPPED", 0.0), ("BETWEEN", 1.0), ("TOLD_ANEW", 0.0)):
        monkeypatch.setattr(f"probes.training.said.{name}", share)
    known, put = details(language).sentences, 0
    for one in [p for p in pieces(language) if p.told and len(p.counts) == 1][:200]:
        said = filler(language)(one, ["X"], random.Random(1))
        assert said.visits == {"X": one.counts[0]}
        assert [n for _, _, n in said.running][-1] == one.counts[0]
        left = said.text
        for detail in known:
            if detail in left:
                left, put = left.replace(detail, ""), put + 1
        name = "the X" if language == "en" else "X"
        assert (
            re.sub(r"\s", "", left).casefold() == re.sub(r"\s", "", one.text.replace("{A}", name)).casefold()
        )
    assert put > 50


@pytest.mark.usefixtures("plain")
def test_a_visit_is_told_as_another_piece_tells_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probes.training.said.TOLD_ANEW", 1.0)
    fill, told = filler(), set()
    made = piece("3 | We went to {A}¹ and to {A}¹. I never went to {A}, but I went to {A}¹.")
    for seed in range(60):
        said = fill(made, ["X"], random.Random(seed))
        found = re.fullmatch(
            r"We (.+?) the X and to the X\. I never went to the X, but I (.+) the X\.", said.text
        )
        assert found, said.text
        told.add(found.groups())
        marked = [at for at, n in said.known if n == 1 and said.text[at] == "X"]
        assert [said.text[: at + 1].count("X") for at in marked] == [1, 2, 4]
    ours, mine = zip(*told, strict=True)
    assert all(f"e {way} {{A}}¹" in "".join(p.marked for p in pieces("en")) for way in ours)
    assert all(f"I {way} {{A}}¹" in "".join(p.marked for p in pieces("en")) for way in mine)
    assert len(told) > 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_most_stories_are_marked(language: str) -> None:
    stories = [one for one in pieces(language) if one.whole]
    assert sum(one.told for one in stories) > 0.9 * len(stories)
