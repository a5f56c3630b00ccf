"""Sentences as cards that are put in another order: dragged, or moved with the arrow keys and buttons.

The script and the stylesheet are the two plain files beside this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from probes.text.characters import all_visible

_HERE = Path(__file__).parent
_cards = st.components.v2.component(  # once, at import: registering a name again warns
    "sentence_cards",
    html="""<ol class="cards"></ol><p class="detail" aria-live="polite"></p>""",
    css=(_HERE / "sentence_cards.css").read_text(encoding="utf-8"),
    js=(_HERE / "sentence_cards.js").read_text(encoding="utf-8"),
)


def sentence_cards(
    texts: Sequence[str],
    order: Sequence[int],
    *,
    key: str,
    label: str,
    hint: str,
    lang: str,
    revision: str,
) -> None:
    """Draw the cards.

    Args:
        texts: of all cards, by number; `order`: which stands where.
        revision: changes whenever the order was changed by anything but a move on the cards.
    """
    _cards(
        key=key,
        data={
            "texts": [all_visible(text) for text in texts],
            "order": list(order),
            "revision": revision,
            "label": label,
            "hint": hint,
            "lang": lang,
        },
        on_moved_change=_nothing,
    )


def _nothing() -> None:
    """A move is read when the script runs again, which this makes it do."""


def moved(key: str, count: int, revision: str) -> tuple[int, ...] | None:
    """The order that was sent last, of `count` cards; None where none was since Python changed it."""
    sent: Any = (st.session_state.get(key) or {}).get("moved")
    if not isinstance(sent, dict) or sent.get("revision") != revision:
        return None
    order = sent.get("order")
    if not isinstance(order, (list, tuple)) or len(order) != count:
        return None
    known = [n for n in order if type(n) is int]
    return tuple(known) if sorted(known) == list(range(count)) else None
