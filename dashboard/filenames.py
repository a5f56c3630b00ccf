"""What a file that a visitor takes along is called."""

from __future__ import annotations

import re

from dashboard.state import State
from dashboard.widgets.model_picker import short_name

OWN = "own"
LONGEST = 40
"""Characters of a model's name."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+|\.{2,}")


def file_name(what: str, state: State, ending: str) -> str:
    """`crux-words-coffee-en-builtin.csv`: what it holds, of which passage, by which model.

    A visitor's passage is called "own", and of a model's name, which anybody may write into a link, letters,
    digits and `._-` are left: no name leads to another folder or hides its ending.
    """
    model = state.model if state.model == "builtin" else short_name(state.model)
    safe = _UNSAFE.sub("-", model)[-LONGEST:].strip(".-_") or "model"
    return f"crux-{what}-{OWN if state.text else state.preset}-{safe}.{ending}"
