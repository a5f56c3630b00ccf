"""The tokenizer: lossless, with offsets, no unknown text, verbs of moving by their characters."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.training.tokenizer import MASK, WINDOW, build

TOKENIZER = build()


@settings(max_examples=150)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_any_text_comes_back(text: str) -> None:
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    if not any(token in text for token in TOKENIZER.all_special_tokens):
        assert TOKENIZER.decode(ids) == text
        assert TOKENIZER.pad_token_id not in ids


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("I walked into the bakery.", ["I", "▁walked", "▁into", "▁the", "▁bakery", "."]),
        ("我走进咖啡店，坐下。", ["我", "走", "进", "咖啡店", "，", "坐", "下", "。"]),
        (f"I {MASK} into", ["I", MASK, "▁into"]),
    ],
)
def test_words_are_pieces_and_verbs_of_moving_are_not(text: str, pieces: list[str]) -> None:
    encoded = TOKENIZER(text, add_special_tokens=False, return_offsets_mapping=True)
    assert TOKENIZER.convert_ids_to_tokens(encoded["input_ids"]) == pieces
    for piece, (start, end) in zip(pieces, encoded["offset_mapping"], strict=True):
        assert text[start:end].strip() == piece.strip("▁")


def test_the_window_is_said() -> None:
    assert TOKENIZER.model_max_length == WINDOW >= 512
