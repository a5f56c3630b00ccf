"""The ten strongest words of a long passage beside every word one by one: whole commands, nothing kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.long_passage import KITCHEN, VISIT, Asked, long_passage
from tests.benchmarks.machine import machine
from tests.benchmarks.processes import ROOT, environment
from tests.benchmarks.study import RESULTS

FOUND = 10
BOTH = 300
"""Words up to which every word is taken away one by one too."""
LONG = 2000


def points(smollm2: Path | None) -> Iterator[dict[str, Any]]:
    """The built-in model up to its window; SmolLM2, where it is here, on a short and on a long passage."""
    yield {"model": "built-in model", "spec": "builtin", "words": BOTH, "asked": VISIT}
    if smollm2:
        name = "SmolLM2-135M-Instruct"
        for words in (BOTH, LONG):
            yield {"model": name, "spec": str(smollm2), "words": words, "asked": KITCHEN}


def measure(smollm2: Path | None, threads: int, say: Callable[[str], None], only: str = "") -> dict[str, Any]:
    """Every point, each saved as it comes, beside those of other points that are on record.

    Args:
        only: models whose name contains this.
    """
    path = RESULTS / "find.json"
    old = json.loads(path.read_text(encoding="utf-8"))["points"] if path.is_file() else []
    kept = {(point["model"], point["words"]): point for point in old}
    for point in points(smollm2):
        if only not in point["model"]:
            continue
        asked, size = point.pop("asked"), point["words"]
        spec = point.pop("spec")
        point |= {"key": asked.key, "machine": machine(), "threads": threads}
        point["find"], record = command(spec, size, asked, threads, ["--find", str(FOUND)])
        point["find"] |= {"runs": record["find"]["runs"], "found": [row["text"] for row in record["rows"]]}
        if size <= BOTH:
            point["all"], whole = command(spec, size, asked, threads, ["--no-groups"])
            best = sorted(whole["rows"], key=lambda row: -abs(row["effect_log_prob"]))[:FOUND]
            point["share"] = len(indices(best) & indices(record["rows"])) / FOUND
        kept[point["model"], size] = point
        say(f"{point['model']}, {size} words: {point['find']}")
        path.write_text(
            json.dumps({"benchmark": "find", "points": list(kept.values())}, indent=1) + "\n",
            encoding="utf-8",
        )
    return {"benchmark": "find", "points": list(kept.values())}


def indices(rows: list[dict[str, Any]]) -> set[int]:
    """Which words these rows are of."""
    return {row["index"] for row in rows}


def command(
    spec: str, size: int, asked: Asked, threads: int, options: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """One `crux words` in a process of its own: what it took, start and loading included, and its record.

    Raises:
        RuntimeError: with what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        text, out, log = (Path(folder) / name for name in ("passage.txt", "record.json", "log.txt"))
        text.write_text(long_passage(size, asked), encoding="utf-8")
        line = [sys.executable, "-m", "probes", "words", "--model", spec, "--passage", str(text)]
        line += ["--question", asked.question, "--answers", asked.answers, "--prefix", asked.prefix]
        line += ["--asked-in", "en", "--no-cache", "--json", str(out), *options]
        line += ["--template", "builtin" if spec == "builtin" else "plain"]
        with log.open("wb") as said:
            # what was found out about a model is not known from before
            given = environment(threads) | {"CRUX_CACHE": folder}
            process = subprocess.Popen(line, cwd=ROOT, env=given, stdout=said, stderr=said)
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)  # reaped here, not by Popen
        if status:
            raise RuntimeError(log.read_text(errors="replace")[-400:])
        spent = {"cpu_seconds": used.ru_utime + used.ru_stime, "memory_bytes_peak": used.ru_maxrss * 1024}
        return spent, json.loads(out.read_text(encoding="utf-8"))
