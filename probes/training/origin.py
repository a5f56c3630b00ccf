"""What made a model: hashes of the code and data, of the weights, and the numbers of the run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from probes.training.overlap import PRESETS
from probes.training.plan import Plan

PROBES = Path(__file__).parent.parent
WEIGHTS = "model.safetensors"
MAKERS = (
    *("__main__", "crew", "details", "examples", "loop", "model", "overlap", "pieces", "plan", "stream"),
    *("said", "told", "tokenizer", "trunk"),
)
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
        *own.glob("details_*.toml"),
        *own.glob("told_*.toml"),
        *PRESETS.glob("*.toml"),
    ]


def begun(plan: Plan, products: str, device: str) -> dict[str, str]:
    """What a run is made from, as it begins: hashes of code and data, and of the weights it goes on from;
    what it multiplies in, and where.
    """
    rows = {"SHA-256 of the code and data": f"`{digest(makers())}`", "products in": f"{products}, {device}"}
    if plan.start_from:
        rows["SHA-256 of the weights it went on from"] = f"`{sha256(Path(plan.start_from) / WEIGHTS)}`"
    return rows


def sha256(path: Path) -> str:
    """Of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def origin(plan: Plan, start: dict[str, str], steps: int, weights: Path) -> dict[str, str]:
    """The rows that the card shows; `start` are those of :func:`begun`."""
    return {
        "made by": f"`python -m probes.training`, {steps} steps, "
        + ", ".join(f"{k} {v}" for k, v in asdict(plan).items() if v != ""),
        **start,
        "SHA-256 of the weights": f"`{sha256(weights)}`",
    }
