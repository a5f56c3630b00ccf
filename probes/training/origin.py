"""What made a model: hashes of the code and data, of the weights, and the numbers of the run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from probes.training.overlap import PRESETS
from probes.training.plan import Plan

PROBES = Path(__file__).parent.parent
MAKERS = ("__main__", "examples", "loop", "model", "overlap", "plan", "stream", "tokenizer")
"""Modules of this folder that a model hangs on; the others only measure it."""


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 over names and contents, in the order of the names."""
    whole = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.as_posix()):
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def makers() -> list[Path]:
    """Every file of code and data that the weights are computed from."""
    generator = PROBES / "generator"
    own = Path(__file__).parent
    return [
        *generator.glob("*.py"),
        *(generator / "data").glob("*.toml"),
        *(own / f"{name}.py" for name in MAKERS),
        own / "words.toml",
        *PRESETS.glob("*.toml"),
    ]


def origin(plan: Plan, steps: int, weights: Path) -> dict[str, str]:
    """The rows that the card shows."""
    return {
        "made by": f"`python -m probes.training`, {steps} steps, "
        + ", ".join(f"{k} {v}" for k, v in asdict(plan).items()),
        "SHA-256 of the code and data": f"`{digest(makers())}`",
        "SHA-256 of the weights": f"`{hashlib.sha256(weights.read_bytes()).hexdigest()}`",
    }
