"""The first page before there is a model: what the presets do on the built-in one, measured beforehand.

`python -m scripts.ready` makes the file anew; a test holds it to what the model says today. Only what is
drawn is kept: the records that can be taken along come from the model itself, a moment later.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dashboard.asking import options
from dashboard.shelf import STAYS, Choice
from dashboard.state import State
from probes.asking.question import Question, preset, presets
from probes.record.results import ProbeResult

FILE = Path(__file__).with_name("ready.json.gz")
STUDIES = ("ask", "words")


def first_options(study: str) -> dict[str, Any]:
    """A study's options as the page asks it first."""
    return options(State(), study, (), ())


def ready(choice: Choice, question: Question, state: State) -> Mapping[str, ProbeResult] | None:
    """The records of `STUDIES`; None where anything but the preset was chosen."""
    usual = all(
        options(state, study, (), ()) == first_options(study) for study in STUDIES
    ) and not (state.out or state.pin)  # fmt: skip
    if choice != STAYS or not usual or question.preset not in presets():
        return None
    if question != preset(question.preset).question():
        return None
    found = _kept().get(question.preset)
    return None if found is None else {study: ProbeResult(study, data) for study, data in found.items()}


@cache
def _kept() -> Mapping[str, Mapping[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(gzip.decompress(FILE.read_bytes()))
    return found
