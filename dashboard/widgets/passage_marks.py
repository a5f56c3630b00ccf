"""A passage to look at: words shaded by how much they are read, arcs for the links that carry the answer.

Words can be pressed to ask what is read from there, and arcs where one of them is to be chosen. After the
last word stands the place of the answer, which reads and is never read. The script and the stylesheet are the
two plain files beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.widgets.word_chips import bound, pieces

_HERE = Path(__file__).parent
_marks = st.components.v2.component(  # once, at import: registering a name again warns
    "passage_marks",
    html="""<div class="passage" role="toolbar" dir="auto"></div><p class="detail" aria-hidden="true"></p>""",
    css=(_HERE / "passage_marks.css").read_text(encoding="utf-8"),
    js=(_HERE / "passage_marks.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Arc:
    """From the word that is read to the one that reads it; numbers of words, the answer's place the last."""

    reader: int
    read: int
    strength: float
    """0 to 1: how thick."""
    up: bool
    """Whether the answer gains by cutting it: orange and dashed, not blue."""
    label: str


def passage_marks(
    text: str,
    spans: Sequence[tuple[int, int]],
    *,
    key: str,
    label: str,
    hint: str,
    lang: str,
    place: str = "",
    shades: Sequence[float] | None = None,
    numbers: Sequence[str] | None = None,
    notes: Sequence[str] | None = None,
    arcs: Sequence[Arc] = (),
    pressable: bool = False,
    pressed: int | None = None,
    removed: Collection[int] = (),
    revision: int = 0,
    choose: Callable[[int], None] | None = None,
    chosen: int | None = None,
    arcs_label: str = "",
) -> None:
    """Draw the passage.

    Args:
        place: what the answer's place is called; empty leaves it out.
        shades: of each word (and the answer's place), 0 to 1.
        numbers: small print behind each word; notes: a sentence on each, shown when it is pointed at.
        pressable: whether a press on a word is posted; `pressed_word` reads it.
        pressed: the word that is chosen now.
        choose: called with the number of an arc that is pressed, before the script runs again; without it
            arcs are only looked at.
        chosen: the arc that is chosen now; `arcs_label`: what all of them are called.
    """
    _marks(
        key=key,
        data={
            "pieces": [list(piece) for piece in bound(pieces(text, spans))],
            "place": place,
            "shades": None if shades is None else list(shades),
            "numbers": None if numbers is None else list(numbers),
            "notes": None if notes is None else list(notes),
            "arcs": [asdict(arc) for arc in arcs],
            "pressable": pressable,
            "pressed": pressed,
            "removed": sorted(removed),
            "revision": revision,
            "label": label,
            "hint": hint,
            "lang": lang,
            "choosable": choose is not None,
            "chosen": chosen,
            "arcsLabel": arcs_label,
        },
        on_pressed_change=_nothing if choose is None else partial(_chosen, key, len(arcs), choose),
    )


def _chosen(key: str, count: int, choose: Callable[[int], None]) -> None:
    """Hand on the arc that was pressed; what a client makes up is none."""
    sent: Any = (st.session_state.get(key) or {}).get("pressed")
    arc = sent.get("arc") if isinstance(sent, dict) else None
    if type(arc) is int and 0 <= arc < count:
        choose(arc)


def _nothing() -> None:
    """A press is read when the script runs again, which this makes it do."""


def pressed_word(key: str, revision: int, count: int) -> int | None:
    """The word pressed last, below `count`; None where none was since Python changed what is chosen."""
    sent: Any = (st.session_state.get(key) or {}).get("pressed")
    if not isinstance(sent, dict) or sent.get("revision") != revision:
        return None
    word = sent.get("word")
    return word if type(word) is int and 0 <= word < count else None
