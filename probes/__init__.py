"""Crux, the headless half: what does a language model's answer hang on?

The public names are imported on first use, because torch and transformers take seconds to import and
`crux --help` should not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from probes.answers import Answer, AnswerSet
    from probes.distribution import Distribution
    from probes.errors import CruxError
    from probes.models import load_model
    from probes.passage import Passage
    from probes.question import Question, preset, presets
    from probes.results import ProbeResult
    from probes.runner import run
    from probes.trials import Mode, Trial

__version__ = "0.1.0"

_HOMES = {
    "Answer": "answers",
    "AnswerSet": "answers",
    "CruxError": "errors",
    "Distribution": "distribution",
    "Mode": "trials",
    "Passage": "passage",
    "ProbeResult": "results",
    "Question": "question",
    "Trial": "trials",
    "load_model": "models",
    "preset": "question",
    "presets": "question",
    "run": "runner",
}

__all__ = [
    "Answer",
    "AnswerSet",
    "CruxError",
    "Distribution",
    "Mode",
    "Passage",
    "ProbeResult",
    "Question",
    "Trial",
    "__version__",
    "load_model",
    "preset",
    "presets",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'probes' has no attribute {name!r}")
    return getattr(importlib.import_module(f"probes.{_HOMES[name]}"), name)
