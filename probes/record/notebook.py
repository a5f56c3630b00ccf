"""A record as a notebook shows it: the sentence and its first rows, under the names that Python has for them.

Plain HTML of escaped text: no script, no picture, nothing that asks a network.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from probes.text.characters import visible

MOST = 10
"""Rows shown."""
LONGEST = 80
"""Characters of a cell."""
_NAMES = ("name", "kind", "text", "layer", "part", "head", "site", "from", "to", "unit", "probability")
_MEASURES = (
    *("effect_log_prob", "effect_probability", "effect_lead", "kl", "interaction", "recovered", "top"),
    *("sink", "entropy", "expected", "flips"),
)


def as_html(headline: str, rows: Sequence[Mapping[str, Any]], units: Sequence[Any] = ()) -> str:
    """The record in HTML.

    Args:
        rows: strongest first are shown where they have effects, otherwise the first.
        units: what a row's `from`, `to` and `unit` count, where they are numbers.
    """
    names = [name for name in (*_NAMES, *_MEASURES) if any(_simple(row.get(name)) for row in rows)]
    shown = sorted(rows, key=_strength, reverse=True)[:MOST]
    head = "".join(f"<th>{_escaped(name)}</th>" for name in names)
    body = "".join(
        f"<tr>{''.join(f'<td>{_escaped(_cell(name, row.get(name), units))}</td>' for name in names)}</tr>"
        for row in shown
    )
    more = f"<p>… {len(rows) - MOST} more in <code>.rows</code></p>" if len(rows) > MOST else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if names else ""
    return f"<div><p><b>{_escaped(headline)}</b></p>{table}{more}</div>"


def _simple(value: Any) -> bool:
    return isinstance(value, (str, int, float))


def _strength(row: Mapping[str, Any]) -> float:
    """How far a row moves the answer, nats; an answer that vanished is the most, a row without effects 0."""
    moved = row.get("effect_log_prob", 0.0)
    if moved is None:
        return float("inf") if row.get("effect_probability") else 0.0
    return abs(moved) if isinstance(moved, (int, float)) else 0.0


def _cell(name: str, value: Any, units: Sequence[Any]) -> str:
    if name in ("from", "to", "unit") and type(value) is int and 0 <= value < len(units):
        value = units[value]["text"]
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", "−")
    text = "–" if value is None else " ".join(str(value).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _escaped(text: str) -> str:
    return html.escape(visible(text))
