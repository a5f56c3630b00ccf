"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.locale import say


def signed(value: float, digits: int = 2) -> str:
    """With its sign and a true minus; no sign where rounding leaves nothing."""
    text = f"{value:+.{digits}f}"
    return text[1:] if not text.strip("+-0.") else text.replace("-", "−")


def signed_if_known(value: float | None, digits: int = 2) -> str:
    """`signed`; "n/a" where there is no such number."""
    return "n/a" if value is None else signed(value, digits)


def figure(value: float | None) -> str:
    """Two digits of a number that was measured; "n/a" where there is none."""
    return "n/a" if value is None else f"{value:.2g}"


def shared(share: float) -> str:
    """A share that may be under nothing or over the whole, in whole percent with a true minus."""
    return f"{round(100 * share)} %".replace("-", "−")


def nats(row: Mapping[str, Any], digits: int = 2) -> str:
    """A row's effect on the log-probability; where a probability fell to nothing or rose from
    nothing, −∞ or +∞; "n/a" where there was nothing to take away.
    """
    effect, moved = row["effect_log_prob"], row["effect_probability"]
    if effect is not None:
        return signed(effect, digits)
    if moved is None:
        return "n/a"
    return "−∞" if moved < 0 else "+∞" if moved > 0 else "?"


def strength(row: Mapping[str, Any]) -> float:
    """How strong a row's effect is, for ranking; an answer gone altogether is the strongest there is."""
    if row["effect_log_prob"] is not None:
        return abs(float(row["effect_log_prob"]))
    return float("inf") if row["effect_probability"] else 0.0


def shortened(text: str, most: int = 32) -> str:
    """On one line, and no longer than a table has room for."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def head_label(layer: int, head: int) -> str:
    """A head as people and the command line call it: 2.3 is head 3 of layer 2."""
    return f"{layer}.{head}"


def which(occurrence: int, occurrences: int) -> str:
    """Which of several equal words it is, small and raised; nothing for one that stands alone."""
    return str(occurrence).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) if occurrences > 1 else ""


def ranked_among(row: Mapping[str, Any]) -> str:
    """A row's rank, among how many, and of which lengths in tokens these are: 2/53 (1–3)."""
    return f"{row['rank']}/{row['rank_of']} ({lengths_of(row)})"


def lengths_of(row: Mapping[str, Any]) -> str:
    """The lengths in tokens among which a row is ranked: 1–3; records of earlier releases do not say them."""
    low, high = row.get("rank_tokens", ("?", "?"))
    return f"{low}" if low == high else f"{low}–{high}"


def percent(share: float) -> str:
    """Whole percent; never "0 %" or "100 %" for what is not quite that."""
    if 0 < share < 0.01:
        return "<1 %"
    if share == 1 or share <= 0.99:
        return f"{share * 100:.0f} %"
    return f"{share * 100:.1f} %" if share < 0.999 else ">99.9 %"


def found_among(row: Mapping[str, Any], agreement: Mapping[str, Any]) -> str:
    """How many of the words that change the answer are among those a head reads most; records of earlier
    releases do not say it.
    """
    return f"{row['found']:.2g} / {agreement['changing']}" if "found" in row else ""


def read_after(blocks: int, lang: str) -> str:
    """Where a lens reads the answer off: behind so many blocks, the last of which is named as everywhere."""
    return say("charts.after_layer", lang, layer=blocks - 1) if blocks else say("charts.embeddings", lang)
