"""One way in a process of its own, by the Python of its own environment, and what became of it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.case import Case
from tests.benchmarks.environments import CannotInstall, interpreter

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
LARGE = 20_000_000
"""From so many weights on, slow ways are sampled unless asked for in full."""
TIMEOUT = 1800  # seconds


@dataclass(frozen=True)
class Way:
    """A row of `ways.toml`; its comment explains the fields."""

    study: str
    key: str
    name: dict[str, str]
    script: str
    gives: str
    unit: str
    differs: dict[str, str]
    env: str = ""
    sample: int | None = None
    options: list[str] = field(default_factory=list)


def ways() -> list[Way]:
    """All of them, in the table's order."""
    return [Way(**row) for row in tomllib.loads((HERE / "ways.toml").read_text(encoding="utf-8"))["way"]]


@dataclass(frozen=True)
class Settings:
    """How everything is measured."""

    rounds: int
    budget: float
    threads: int
    full: bool = False
    sample: int | None = None

    def of(self, way: Way, case: Case) -> int | None:
        """How many units the way runs; None for all."""
        if self.full or case.parameters < LARGE or way.script in ("crux", "command"):
            return None
        return self.sample if self.sample and way.unit in ("words", "heads") else way.sample


def measured(way: Way, case: Case, settings: Settings) -> dict[str, Any]:
    """What the runner printed, and "status": "ok"; or why there is nothing."""
    try:
        python = interpreter(way.env)
    except CannotInstall as fault:
        return {"status": "not installed", "reason": str(fault)}
    with tempfile.TemporaryDirectory() as folder:
        task = case.task(
            Path(folder) / "task.json",
            study=way.study,
            rounds=settings.rounds,
            budget=settings.budget,
            threads=settings.threads,
            sample_unit=way.unit,
            sample=settings.of(way, case),
            options=way.options,
        )
        return run(python, way.script, task, settings.threads)


def run(python: Path, script: str, task: Path, threads: int) -> dict[str, Any]:
    """A runner's last line, parsed."""
    command = [str(python), str(HERE / "runners" / f"{script}.py"), str(task)]
    try:
        done = subprocess.run(
            command,
            env=environment(threads),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"status": "failed", "reason": f"not done after {TIMEOUT} s"}
    if done.returncode:
        return {"status": "failed", "reason": (done.stderr.strip().splitlines() or ["no word"])[-1][:400]}
    return {"status": "ok", **json.loads(done.stdout.splitlines()[-1])}


def environment(threads: int) -> dict[str, str]:
    """The same for all: torch reads the OMP_* variables as it is imported; nothing asks a hub."""
    return {
        **{name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")},
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
