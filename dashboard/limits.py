"""What a hosted page allows; a page of one's own allows everything.

Checked where a model is loaded and a run begins, not in the widgets: what a widget sends is whatever a
client sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from probes.errors import LimitError, ModelError


@dataclass(frozen=True)
class Limits:
    """Bounds of a hosted page (`CRUX_HOSTED=1`); `models` empty and None mean no bound."""

    hosted: bool = False
    models: tuple[str, ...] = ()
    characters: int | None = None
    runs: int | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Limits:
        """`CRUX_HOSTED=1` turns bounds on; `CRUX_HOSTED_MODELS` names the models allowed, with commas."""
        if environment.get("CRUX_HOSTED", "") in ("", "0"):
            return cls()
        named = environment.get("CRUX_HOSTED_MODELS", "builtin,smollm2").split(",")
        return cls(True, tuple(name.strip() for name in named if name.strip()), characters=2000, runs=400)

    def check_model(self, spec: str, device: str) -> None:
        """Raises:
        ModelError: the model is not one of those allowed, or a device is chosen for it.
        """
        if self.models and spec not in self.models:
            raise ModelError("page_model", model=spec[:80], allowed=", ".join(self.models))
        if self.hosted and device not in ("auto", "cpu"):
            raise ModelError("page_device", device=device)

    def check_passage(self, text: str) -> None:
        """Raises:
        LimitError: the passage is longer than allowed here.
        """
        if self.characters is not None and len(text) > self.characters:
            raise LimitError("page_characters", characters=len(text), most=self.characters)

    def check_runs(self, units: int) -> None:
        """Raises:
        LimitError: there are more units to take away than allowed here.
        """
        if self.runs is not None and units > self.runs:
            raise LimitError("page_runs", runs=units, most=self.runs)
