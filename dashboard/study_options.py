"""From what a visitor chose to the options of the studies that look inside the model."""

from __future__ import annotations

from typing import Any

from dashboard.state import State
from dashboard.values import Head, write_heads

PAIRS_OF_A_PASSAGE = 100
"""Pairs of words whose links are cut in each passage of a set, the strongest words' first."""


def heads(state: State, *, estimate: bool = False) -> dict[str, Any]:
    """Every head taken away alone; an estimate of it comes first."""
    chosen = {"ablate_mode": state.how, "positions": state.place, "target": state.target}
    return {**chosen, "estimate": estimate, "cumulative": False, "control": 0}


def together(state: State) -> dict[str, Any]:
    """The strongest heads taken away one after the other, and kept alone."""
    return {**heads(state), "cumulative": True, "control": 20}


def ask(state: State, ablated: tuple[Head, ...]) -> dict[str, Any]:
    """The answers, some heads taken away."""
    if not ablated:
        return {"mode": state.mode, "target": state.target, "at": None, "control": 0}
    chosen = {"ablate_heads": write_heads(ablated), "ablate_mode": state.how, "positions": state.place}
    return {"target": state.target, "control": 0, **chosen}


def attention(state: State) -> dict[str, Any]:
    """What every head reads from the word chosen, or from the answer's place."""
    reader = "answer" if state.reader is None or state.reader < 0 else str(state.reader)
    return {"reader": reader, "target": state.target, "mode": state.mode}


def links(state: State, budget: int) -> dict[str, Any]:
    """The attention between words cut, pair by pair."""
    window = None if state.window is None else "-".join(map(str, state.window))
    return {"layers": window, "budget": budget, "target": state.target}


def links_over(state: State) -> dict[str, Any]:
    """The same in every passage of a set; each has its own words, so fewer pairs of each."""
    return links(state, PAIRS_OF_A_PASSAGE)


def layers(state: State) -> dict[str, Any]:
    """Attention and feed-forward of every layer taken away."""
    return {"ablate_mode": state.part_how, "target": state.target}


def lens(state: State) -> dict[str, Any]:
    """The answer read off early."""
    return {"target": state.target}


def patch_over(state: State) -> dict[str, Any]:
    """The same in every passage of a set, each changed in words of its own."""
    return {"direction": state.direction, "site": state.site, "target": state.target}


def patch(state: State, change: str, to: str) -> dict[str, Any]:
    """States of the one run put into the other."""
    return {"change": change, "to": to, **patch_over(state)}
