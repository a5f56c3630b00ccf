"""Reading against chance: random sets are what they claim to be, ranks are ranks."""

from __future__ import annotations

import random
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from probes.numbers import ranked_among
from probes.studies.control import PEERS, band, random_sets, ranked


@settings(derandomize=True)
@given(
    st.lists(st.integers(0, 4), min_size=4, max_size=12),
    st.sets(st.integers(0, 3), min_size=1, max_size=3),
    st.integers(1, 8),
    st.integers(0, 99),
)
def test_random_sets_have_the_sets_length_and_none_of_its_units(
    lengths: list[int], chosen: set[int], count: int, seed: int
) -> None:
    wanted = sum(lengths[i] for i in chosen)
    others = [i for i in range(len(lengths)) if i not in chosen and lengths[i]]
    possible = {
        pick
        for size in range(1, len(others) + 1)
        for pick in combinations(others, size)
        if sum(lengths[i] for i in pick) == wanted
    }
    found = random_sets(lengths, chosen, wanted, count, random.Random(seed))
    assert len(found) == len(set(found)) <= count
    assert set(found) <= possible
    assert bool(found) == bool(possible) or wanted == 0
    assert found == random_sets(lengths, chosen, wanted, count, random.Random(seed)), "the seed decides"


def row(tokens: int, effect: float | None) -> dict[str, Any]:
    return {"tokens": tokens, "effect_log_prob": effect, "effect_probability": -0.1}


def test_a_unit_is_ranked_among_those_of_its_length() -> None:
    rows = [row(1, -e / 10) for e in range(PEERS + 2)] + [row(3, -9.0)]
    ranked(rows)
    assert [r["rank"] for r in rows[:-1]] == list(range(PEERS + 2, 0, -1))
    assert {r["rank_of"] for r in rows[:-1]} == {PEERS + 2}
    assert rows[-1]["rank"] == 1
    assert {tuple(r["rank_tokens"]) for r in rows[:-1]} == {(1, 1)}
    assert rows[-1]["rank_tokens"] == [1, 3]
    assert ranked_among(rows[-1]) == f"1/{PEERS + 3} (1–3)"
    assert rows[-1]["rank_of"] == PEERS + 3, "alone in its length, it is ranked among all of the next"


def test_an_answer_gone_altogether_is_the_strongest_effect() -> None:
    rows = [row(1, -1.0), row(1, None), row(1, 2.0)]
    ranked(rows)
    assert [r["rank"] for r in rows] == [3, 1, 2]


def test_the_band_is_the_middle_of_the_random_effects() -> None:
    effects = [
        {"effect_log_prob": x / 10, "effect_probability": x / 100, "flips": x > 15} for x in range(-20, 21)
    ]
    found = band(row(2, -1.95), effects, tokens=2)
    assert found is not None
    assert (found["low"], found["high"]) == (-1.8, 1.8)
    assert found["n"] == 41
    assert found["flips"] == 5
    assert found["rank"] == 1 + 2, "-2.0 and 2.0 went further"


def test_no_random_set_no_band() -> None:
    assert band(row(2, -1.0), [], tokens=2) is None
