"""A passage whose words are toggle buttons: press one to take it out, press it again to put it back.

No JavaScript build: a Streamlit "components v2" definition whose script and stylesheet are the two plain
files beside this one. Text that is no unit (spaces, punctuation) stands between the chips as it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

_HERE = Path(__file__).parent
_chips = st.components.v2.component(  # once, at import: registering a name again warns
    "word_chips",
    html="""<div class="passage" role="toolbar" dir="auto"></div>
<div class="foot"><p class="detail" aria-hidden="true"></p>
<span class="scale" aria-hidden="true"><span></span><i></i><span></span></span></div>""",
    css=(_HERE / "word_chips.css").read_text(encoding="utf-8"),
    js=(_HERE / "word_chips.js").read_text(encoding="utf-8"),
)

_OPENING = r"(\[{“‘«「『《〈【（〔¿¡"
_CLOSES = re.compile(rf"[^\w\s{_OPENING}]{{1,8}}")
_OPENS = re.compile(rf"(?:(?:^|(?<=\s))[\"'])?[{_OPENING}]{{0,4}}\Z")
"""Signs that stand right behind a word, and those right before one."""
Look = Literal["strike", "veil", "pick"]
"""How a pressed chip looks: taken out, hidden where it stands, or merely chosen."""


@dataclass(frozen=True)
class Scores:
    """One number a chip, and what it means.

    `effects[i]` is None where nothing is known; `quiet[i]` says that it cannot be told from no change, so
    that it is printed without colour. `scale` is the effect of full colour, in `unit`; numbers have `digits`
    behind the point.
    """

    effects: Sequence[float | None]
    quiet: Sequence[bool]
    scale: float
    unit: str
    digits: int = 2
    kind: Literal["effect", "share"] = "effect"
    """A share is one of a class, 0 to 1, in another colour; one of 0 is printed as nothing."""


def word_chips(
    text: str,
    spans: Sequence[tuple[int, int]],
    removed: Collection[int],
    *,
    key: str,
    label: str,
    hint: str,
    revision: int,
    lang: str = "",
    scores: Scores | None = None,
    notes: Sequence[str] | None = None,
    glosses: Sequence[str] | None = None,
    look: Look = "strike",
    disabled: bool = False,
) -> None:
    """Show `text` with a chip at each of `spans` (sorted, disjoint character offsets).

    `notes[i]` is a sentence on chip i, shown under the passage while it is hovered or focused; `hint` stands
    there otherwise. A press reruns the script, and `pressed(key, revision, len(spans))` says what is pressed.
    `lang` is a BCP 47 tag: it picks the right glyphs for Chinese, Japanese, Korean.
    """
    _chips(
        key=key,
        data={
            "pieces": bound(pieces(text, spans)),
            "effects": scores and [None if e is None else round(float(e), 4) for e in scores.effects],
            "quiet": list(scores.quiet) if scores else [],
            "scale": (scores and scores.scale) or 1.0,
            "scaleUnit": scores.unit if scores else "",
            "digits": scores.digits if scores else 2,
            "kind": scores.kind if scores else "effect",
            "notes": notes and list(notes),
            "glosses": glosses and list(glosses),
            "removed": sorted(removed),
            "revision": revision,
            "label": label,
            "hint": hint,
            "lang": lang,
            "look": look,
            "disabled": disabled,
        },
        on_selection_change=lambda: None,
    )


def pieces(text: str, spans: Sequence[tuple[int, int]]) -> list[tuple[str, int]]:
    """The text cut at the spans: each piece with the number of its chip, or -1 between chips; lossless."""
    cut: list[tuple[str, int]] = []
    at = 0
    for unit, (start, end) in enumerate(spans):
        if start > at:
            cut.append((text[at:start], -1))
        cut.append((text[max(start, at) : end], unit))
        at = max(at, end)
    if at < len(text):
        cut.append((text[at:], -1))
    return cut


def bound(cut: Sequence[tuple[str, int]]) -> list[tuple[str, int, bool]]:
    """The pieces, and whether each may begin no line: a comma stays with the word before it, a bracket or a
    quotation mark that opens with the word behind it. Text between words is parted for that; lossless.
    """
    kept: list[tuple[str, int, bool]] = []
    opened = False
    for text, unit in cut:
        if unit >= 0:
            kept.append((text, unit, opened))
            opened = False
            continue
        closes = found.group() if kept and (found := _CLOSES.match(text)) else ""
        opens = found.group() if (found := _OPENS.search(text[len(closes) :])) else ""
        middle = text[len(closes) : len(text) - len(opens)]
        kept += [(closes, -1, True)] if closes else []
        kept += [(middle, -1, False)] if middle else []
        kept += [(opens, -1, False)] if opens else []
        opened = bool(opens)
    return kept


def pressed(key: str, revision: int, count: int) -> frozenset[int] | None:
    """What the browser sent last; None if it stems from before Python replaced the selection.

    The browser stamps what it sends with the revision it was given, so a click made while the selection was
    being replaced cannot bring the old one back.
    """
    sent: Any = (st.session_state.get(key) or {}).get("selection")
    if not isinstance(sent, dict) or sent.get("revision") != revision:
        return None
    return positions(sent.get("removed"), count)


def in_order(key: str, revision: int, before: Sequence[int], count: int) -> tuple[int, ...] | None:
    """The same in the order of the presses: those of `before` that are still pressed, then the new ones."""
    sent = pressed(key, revision, count)
    if sent is None:
        return None
    told = st.session_state[key]["selection"].get("order")
    new = [*(told if isinstance(told, list) else ())[:count], *sorted(sent)]
    kept = dict.fromkeys((*before, *(n for n in new if type(n) is int)))
    return tuple(n for n in kept if n in sent)


def positions(value: Any, count: int) -> frozenset[int]:
    """Those of `value` that are positions below `count`, whatever a client posted (it can post anything)."""
    if not isinstance(value, (list, tuple)):
        return frozenset()
    return frozenset(i for i in value[:count] if type(i) is int and 0 <= i < count)
