"""Crux, the headless half: what does a language model's answer hang on?

The public names are imported on first use, because torch and transformers take seconds to import and
`crux --help` should not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from probes.asking.answers import Answer, AnswerSet
    from probes.asking.distribution import Distribution
    from probes.asking.question import Question, preset, presets
    from probes.asking.trials import Mode, Trial
    from probes.errors import CruxError
    from probes.models import load_model
    from probes.record.results import ProbeResult
    from probes.running.runner import run
    from probes.text.passage import Passage

__version__ = "0.1.0"

_HOMES = {
    "Answer": "asking.answers",
    "AnswerSet": "asking.answers",
    "CruxError": "errors",
    "Distribution": "asking.distribution",
    "Mode": "asking.trials",
    "Passage": "text.passage",
    "ProbeResult": "record.results",
    "Question": "asking.question",
    "Trial": "asking.trials",
    "load_model": "models",
    "preset": "asking.question",
    "presets": "asking.question",
    "run": "running.runner",
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
