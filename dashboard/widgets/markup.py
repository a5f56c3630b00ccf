"""Somebody's text inside Markdown, shown as it is.

Streamlit looks twice: CommonMark first, in which a backslash before a sign keeps it from being markup; then,
in what that leaves as text, for addresses, `:shortcodes:`, `:material_icons:` and arrows, where backslashes
are gone already. The second look goes through one piece of text at a time, so a sign that such a pattern
cannot do without stands in a piece of its own: an empty `:color[…]`, which is nothing but a `<span>`.
"""

from __future__ import annotations

import re

from probes.text.characters import REPLACEMENT, visible

_SIGN = re.compile(
    r"""(?P<alone>
      [:@]                    # addresses, mail addresses, shortcodes, icons
    | (?<=www)\.              # addresses without a scheme
    | (?<=[-<>~])[-=>]        # -> <- <-> -- >= <= ~=
    ) | [!-/:-@\[-`{-~]       # any other ASCII punctuation (CommonMark 0.31, 2.4)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_REORDERING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
"""Signs that turn the text behind them round, the page's own too."""


class Markdown(str):
    """Markdown of ours, in which whatever is somebody else's has been made plain."""

    __slots__ = ()


def plain(text: str) -> Markdown:
    """`text` as Markdown that shows exactly its characters on one line: no markup, link, icon or formula.

    What is Markdown of ours already stays as it is.
    """
    if isinstance(text, Markdown):
        return text
    one_line = " ".join(_REORDERING.sub(REPLACEMENT, visible(text)).split())
    return Markdown(_SIGN.sub(_escaped, one_line))


def _escaped(sign: re.Match[str]) -> str:
    escaped = "\\" + sign[0]
    return f":color[{escaped}]" if sign["alone"] else escaped
