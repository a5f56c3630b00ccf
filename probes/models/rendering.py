"""Run a chat template where it can be stopped: in a process of its own, held to time and memory.

A template comes with the model, from whoever made it, and is a program: loops in loops run for hours, one
multiplication makes a string of gigabytes. No reading of its source tells which; so it is run, and ended
when it takes more than any real template does. The process is kept for the next question: it starts in
a tenth of a second and then answers in a millisecond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from threading import Lock
from typing import Any

from probes.errors import LimitError
from probes.models import template_process
from probes.models.held import Held

CHARACTERS = 100_000
"""Of a template; the longest in use have about 30,000."""
SECONDS = 1.0
"""Of the processor, for the talks that are rendered together; a real template takes some milliseconds."""
MEMORY = 400 * 2**20
"""Bytes the process may hold, asked about 50 times a second; where the system can, it keeps it to less."""
ADDRESSES = 512 * 2**20
_TURN = Lock()


@dataclass(frozen=True)
class Fault:
    """A talk that the template did not render, and why in its own words."""

    reason: str


def render(template: str, talks: Sequence[Mapping[str, Any]]) -> list[str | Fault]:
    """What the template makes of each talk, as `apply_chat_template` does; the clock stands at midnight.

    Args:
        talks: the variables of each rendering: messages, add_generation_prompt, special tokens.

    Raises:
        LimitError: the template is too long, or takes too much time or memory.
    """
    if len(template) > CHARACTERS:
        raise LimitError("template_long", characters=len(template), most=CHARACTERS)
    request = {"template": template, "day": date.today().isoformat(), "talks": list(talks)}
    with _TURN:
        answers = _process().ask(request, SECONDS, MEMORY)
        if not answers or "heavy" in answers[-1]:
            _process().end()  # what it holds by now is not the next question's
            raise LimitError("template_heavy", seconds=SECONDS, megabytes=MEMORY // 2**20)
    return [answer["text"] if "text" in answer else Fault(answer["fault"]) for answer in answers]


@cache
def _process() -> Held:
    return Held(template_process.__file__, ("jinja2", "markupsafe"), ADDRESSES)
