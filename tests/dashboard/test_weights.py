"""Attention aggregated to words: nothing is lost, Chinese is never cut into bytes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.charts.weights import by_tokens, by_words, grouped, places_of, without_first
from probes.models.word_attention import telling_reader

PROMPT = "我走进咖啡店 now"
OFFSETS = [(0, 0), (0, 1), (1, 3), (3, 4), (3, 4), (4, 6), (6, 10)]
TOKENS = ["<s>", "a", "b", "c", "d", "e", "f"]


def causal(heads: int, n: int) -> np.ndarray:
    raw = np.tril(np.random.default_rng(0).random((heads, n, n)))
    return np.asarray(raw / raw.sum(-1, keepdims=True))


def test_tokens_are_named_by_their_text_and_halves_of_a_character_are_numbered() -> None:
    assert by_tokens(PROMPT, OFFSETS, TOKENS).labels == ("<s>", "我", "走进", "咖₁", "咖₂", "啡店", " now")


def test_words_take_their_tokens_together() -> None:
    places = by_words(PROMPT, OFFSETS, TOKENS, [(0, 1), (1, 3), (3, 6), (7, 10)])
    assert places.groups == ((0,), (1,), (2,), (3, 4, 5), (6,))
    assert places.labels == ("<s>", "我", "走进", "咖啡店", " now")


def test_words_that_share_a_token_stand_together_and_others_alone() -> None:
    places = by_words("ab cd", [(0, 1), (1, 4), (4, 5)], ["a", "b c", "d"], [(0, 2), (3, 5)])
    assert places.groups == ((0, 1, 2),)
    assert by_words("a, b", [(0, 1), (1, 2), (2, 4)], ["a", ",", " b"], [(0, 1)]).labels == ("a", ",", " b")


def test_sums_over_what_is_read_and_means_over_who_reads() -> None:
    weights = causal(2, 7)
    places = by_words(PROMPT, OFFSETS, TOKENS, [(0, 1), (1, 3), (3, 6), (7, 10)])
    words = grouped(weights, places)
    assert words.shape == (2, 5, 5)
    assert words.sum(-1) == pytest.approx(np.ones((2, 5)))
    assert words[0, 3, 3] == pytest.approx(weights[0, 3:6, 3:6].sum() / 3)
    assert words[1, 4, 3] == pytest.approx(weights[1, 6, 3:6].sum())
    assert grouped(weights, by_tokens(PROMPT, OFFSETS, TOKENS)) is weights


def test_the_first_position_is_left_out_in_two_ways() -> None:
    weights = causal(1, 4)
    blank, shared = without_first(weights, "blank"), without_first(weights, "share")
    assert without_first(weights, "keep") is weights
    assert blank[..., 0].max() == shared[..., 0].max() == 0
    assert blank[0, 3, 1:] == pytest.approx(weights[0, 3, 1:])
    assert shared[0, 1:].sum(-1) == pytest.approx(np.ones(3))
    assert shared[0, 0].sum() == 0  # it read nothing else


def test_the_places_of_the_passage_are_those_with_a_token_in_it() -> None:
    places = by_words(PROMPT, OFFSETS, TOKENS, [(0, 1), (1, 3), (3, 6), (7, 10)])
    assert places_of(places, frozenset({1, 4})) == [1, 3]
    assert places_of(places, frozenset()) == []


def told(row: list[float]) -> float:
    """Share times divergence from even, of what one reader gives to the words before it; word by word."""
    share = sum(row)
    if not share:
        return 0.0
    return share * sum(p / share * math.log(p / share * len(row)) for p in row if p)


@given(st.integers(0, 2**32 - 1), st.integers(1, 7))
def test_a_head_is_looked_at_from_where_its_reading_tells_most(seed: int, units: int) -> None:
    random = np.random.default_rng(seed)
    weights = random.random((units + 1, units)) ** 4 * random.random((units + 1, 1)) / units
    each = [told([float(w) for w in weights[n, : min(n, units)]]) for n in range(units + 1)]
    best = -1 if each[-1] >= max(each) / 2 else each.index(max(each))
    assert telling_reader(weights) == best


def test_neither_rest_nor_evenness_nor_a_single_choice_tells() -> None:
    """Word 1 can only read word 0; word 3 reads one of three; the answer rests on the first token."""
    weights = np.array([[0, 0, 0, 0], [0.9, 0, 0, 0], [0.4, 0.4, 0, 0], [0, 0.8, 0, 0.1], [0.01] * 4])
    assert telling_reader(weights) == 3
    assert telling_reader(np.vstack([weights[:4], [[0, 0.8, 0, 0]]])) == -1
    assert telling_reader(np.zeros((3, 2))) == -1
