"""A map whose cells stay large enough for a finger: on a narrow page it is scrolled, not shrunk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

FINGER, GLANCE = 24, 14
"""Pixels of a column that is pressed (WCAG 2.2, target size), and of one that is looked at."""
AROUND = 110
"""Pixels of labels and margins."""


@contextmanager
def wide(key: str, columns: int, pixels: int) -> Iterator[None]:
    """Charts drawn inside have at least so many pixels a column, on a phone or under a finger.

    Args:
        key: of the container, letters and `_`.
    """
    least = columns * pixels + AROUND
    st.html(
        "<style>@media (max-width: 640px), (pointer: coarse) {"
        f".st-key-{key} {{ overflow-x: auto; }}"
        f".st-key-{key} [data-testid=stElementContainer]:has([data-testid=stVegaLiteChart])"
        f" {{ min-width: {least}px; }} }}</style>"
    )
    with st.container(key=key):
        yield
