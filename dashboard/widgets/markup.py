"""Somebody's text inside Markdown, shown as it is."""

from __future__ import annotations

import re

_ASCII_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def plain(text: str) -> str:
    """`text` as Markdown that shows exactly its characters on one line: no markup, link, icon or formula.

    Every ASCII punctuation character may be escaped by a backslash (CommonMark 0.31, 2.4).
    """
    return _ASCII_PUNCTUATION.sub(r"\\\1", " ".join(text.split()))
