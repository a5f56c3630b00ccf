"""A run of the engine as every model's runs are seen: results, then a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from probes.engine.run import Run


class LocalScoring:
    """The engine's run, its report as a plain dictionary."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __iter__(self) -> Iterator[tuple[int, tuple[float, ...]]]:
        return iter(self._run)

    def report(self) -> dict[str, Any]:
        found = self._run.report
        checks = [
            {"job": c.job, "expected": sum(c.expected), "found": sum(c.found), "tolerance": c.tolerance}
            for c in found.checks
        ]
        numbers = ("how", "forwards", "tokens_run", "tokens_plain", "noise_floor", "seconds", "cpu_seconds")
        why = found.why.as_dict() if found.why else None
        return {**{name: getattr(found, name) for name in numbers}, "why": why, "checks": checks}
