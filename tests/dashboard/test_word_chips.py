"""The chips' Python half (the script is tested in a browser), and somebody's text in Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.widgets.markup import plain
from dashboard.widgets.word_chips import bound, pieces, positions
from probes.text.passage import Passage

NASTY = "I walked in </script><b>x</b>.\r\n\n  👩‍👩‍👧 שלום, 我走进咖啡店！\t$x$ :material/home: e\u0301\u200b"


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ([2, 0, 2], {0, 2}),
        ([99, -1, 1], {1}),
        ([True, 1.0, "1", None, [1]], set()),
        ("012", set()),
        (None, set()),
        ({"0": 1}, set()),
        ([0] * 10_000 + [1], {0}),
    ],
)
def test_only_positions_that_exist_are_taken(sent: object, taken: set[int]) -> None:
    assert positions(sent, 3) == taken


@pytest.mark.parametrize("unit", ["word", "sentence", "paragraph"])
def test_the_pieces_are_the_passage(unit: str) -> None:
    passage = Passage(NASTY)
    units = passage.units(unit)
    cut = pieces(NASTY, [u.span for u in units])
    assert "".join(text for text, _ in cut) == NASTY
    assert [(text, n) for text, n in cut if n >= 0] == [(u.text, u.index) for u in units]


@given(st.text(max_size=60), st.lists(st.integers(0, 60), max_size=12))
def test_any_disjoint_spans_lose_nothing(text: str, edges: list[int]) -> None:
    marks = sorted({min(edge, len(text)) for edge in edges})
    spans = list(zip(marks[::2], marks[1::2], strict=False))
    assert "".join(part for part, _ in pieces(text, spans)) == text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('I said, "hello (my) dear."', ["I", " ", "said,", " ", '"hello', " ", "(my)", " ", 'dear."']),
        ("我说：“你好！”（真的）。", ["我", "说：", "“你好！”", "（真的）。"]),
        ("(I", ["(I"]),
        ("I - go", ["I", " - ", "go"]),
    ],
)
def test_a_comma_begins_no_line_and_an_opening_bracket_ends_none(text: str, lines: list[str]) -> None:
    kept: list[str] = []
    for piece, _, tied in bound(pieces(text, [word.span for word in Passage(text).words])):
        if tied:
            kept[-1] += piece
        else:
            kept.append(piece)
    assert kept == lines


@given(st.text(alphabet="ab走 \n,.“”\"'([)]-，。（）！\u200b", max_size=40))
def test_what_keeps_lines_whole_loses_nothing_and_ties_no_space(text: str) -> None:
    text = f"{text}走"  # no passage is empty
    cut = pieces(text, [word.span for word in Passage(text).words])
    kept = bound(cut)
    assert "".join(piece for piece, _, _ in kept) == text
    assert [(piece, unit) for piece, unit, _ in kept if unit >= 0] == [c for c in cut if c[1] >= 0]
    assert not any(tied for _, _, tied in kept[:1])
    assert not any(piece.isspace() for piece, _, tied in kept if tied)


def test_text_in_markdown_is_no_markup() -> None:
    assert plain("one\n# two") == r"one \# two"
    assert plain("我走进“咖啡店”。") == "我走进“咖啡店”。"
