"""Tokens against text: what a cut did to them, and tokens as units of the passage."""

from __future__ import annotations

from collections.abc import Sequence

from probes.asking.answers import Ids
from probes.asking.trials import Mode, Trial
from probes.text.passage import Span, Unit, number


def retokenised(clean: Ids, ids: Ids, spans: Sequence[Span], trial: Trial) -> bool:
    """Whether tokens beside the gap changed: the ablated prompt is not the clean one cut or patched there."""
    if trial.is_clean or trial.mode is Mode.HIDE or not spans:
        return ids != clean
    edges = [0, *(edge for span in spans for edge in span), len(clean)]
    kept = [clean[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
    if trial.mode is Mode.DELETE:
        return ids != tuple(token for part in kept for token in part)
    return not _in_order(kept, ids)


def _in_order(parts: Sequence[Ids], ids: Ids) -> bool:
    """Whether `ids` begins with the first part, ends with the last, and has the others between, in order."""
    first, *between, last = parts
    at, end = len(first), len(ids) - len(last)
    if at > end or ids[:at] != first or ids[end:] != last:
        return False
    for part in between:
        at = next((i + len(part) for i in range(at, end + 1) if ids[i : i + len(part)] == part), end + 1)
    return at <= end


def token_units(text: str, offsets: Sequence[Span], shift: int) -> tuple[Unit, ...]:
    """The model's tokens as units of the passage; tokens that share a character are one unit.

    Tokens of spaces alone are no units. A token's leading space belongs to it, as the tokenizer says.
    """
    pieces: list[list[int]] = []
    for a, b in ((max(a - shift, 0), min(b - shift, len(text))) for a, b in offsets):
        if a >= b:
            continue
        if pieces and a < pieces[-1][1]:
            pieces[-1][1] = max(b, pieces[-1][1])
        else:
            pieces.append([a, b])
    return number(text, ((a, b) for a, b in pieces if text[a:b].strip()), "token")
