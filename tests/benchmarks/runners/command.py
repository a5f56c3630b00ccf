"""This project's command from start to end, in a process of its own: `command.py TASK.json`.

Python's start, loading, the engine's set-up and the record are all counted: nothing is remembered from a run
before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from meter import CLEAN, Found, Task, measure


def way(task: Task) -> Callable[[], Found]:
    """`crux words` or `crux heads` with one string an answer and no cache."""
    task.warm_up = False  # a command begins anew each time
    answers = ";".join(f"{k}={answer['text'].strip()}" for k, answer in enumerate(task.answers))
    program = str(Path(sys.executable).with_name("crux"))
    command = [
        program,
        task.study,
        "--preset",
        "coffee-en",
        "--model",
        task.spec,
        "--template",
        task.template,
    ]
    command += ["--answers", answers, "--no-cache", *task.options]

    def run() -> Found:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "record.json"
            nothing_known = {**os.environ, "CRUX_CACHE": folder}
            whole = [*command, "--json", str(out)]
            done = subprocess.run(whole, capture_output=True, text=True, check=False, env=nothing_known)
            if done.returncode:
                raise RuntimeError(f"{' '.join(command[1:])}: {done.stderr.strip()[-300:]}")
            record = json.loads(out.read_text(encoding="utf-8"))
        rows = {name_of(task, row): log_probs(row) for row in record["rows"]}
        return {"log_probs": {CLEAN: log_probs(record["clean"]), **rows}}

    return run


def name_of(task: Task, row: dict[str, Any]) -> str:
    """The unit of a row, as the other ways call it."""
    return str(row["index"]) if task.study == "words" else f"{row['layer']}.{row['head']}"


def log_probs(row: dict[str, Any]) -> list[float]:
    """Of each answer, in nats."""
    return [answer["log_prob"] for answer in row["answers"]]


if __name__ == "__main__":
    measure(way)
