"""Phrases are found as a plain search finds them, and quickly where a plain one is not."""

from __future__ import annotations

import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.text.phrases import occurrences

short = st.text(st.sampled_from("aAb \n店"), max_size=12)


@settings(max_examples=500)
@given(short, short)
def test_as_a_pattern_finds_them(text: str, phrase: str) -> None:
    pattern = r"\s+".join(map(regex.escape, phrase.split()))
    expected = regex.finditer(pattern, text, regex.IGNORECASE, overlapped=True) if pattern else ()
    assert occurrences(text, phrase) == [match.span() for match in expected]


def test_case_that_changes_the_length_moves_no_offset() -> None:
    assert occurrences("İ Straße ẞ straße", "STRAßE") == [(2, 8), (11, 17)]


def test_long_phrases_in_long_texts() -> None:
    """What is not linear would not come back."""
    assert len(occurrences("a" * 200_000, "a" * 100_000)) == 100_001
    assert occurrences("x#" * 100_000, "x#" * 99_999 + "y") == []
    assert len(occurrences("a b " * 50_000, "A  B " * 20_000)) == 30_001
