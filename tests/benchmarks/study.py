"""One study, words or heads, by every way on every model: the record that `results/<study>.json` is."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.case import Case
from tests.benchmarks.compare import TOLERANCE, compared
from tests.benchmarks.machine import machine
from tests.benchmarks.processes import Settings, Way, measured, run

RESULTS = Path(__file__).parent / "results"
Say = Callable[[str], None]


def benchmark(
    study: str, cases: Sequence[Case], ways: Sequence[Way], settings: Settings, say: Say
) -> dict[str, Any]:
    """Every case by every way of the study, one after the other, and the share of the machine's peak."""
    models = []
    for case in cases:
        rows: list[dict[str, Any]] = []
        reference = None
        for way in ways:
            raw = measured(way, case, settings)
            if way.key == "plain" and raw["status"] == "ok":
                reference = raw["found"]["log_probs"]
            rows.append(compared(way, raw, reference))
            say(f"{case.name:22} {study:6} {brief(rows[-1])}")
        used = {
            "threads": settings.threads,
            "rounds": settings.rounds,
            "budget_cpu_seconds": settings.budget,
        }
        entry = {**case.described(), **used, "ways": rows}
        if {"plain", "crux"} <= {row["key"] for row in rows}:
            entry["arithmetic"] = arithmetic(study, case, rows, settings)
            say(f"{case.name:22} {study:6} arithmetic {entry['arithmetic']}")
        models.append(entry)
    return {"benchmark": study, "machine": machine(), "models": models}


def brief(row: dict[str, Any]) -> str:
    """A line for whoever waits."""
    if row["status"] != "ok":
        return f"{row['key']:17} {row['status']}: {row['reason']}"
    scaled = (
        f" scaled from {row['scaled_from']['done']} {row['scaled_from']['unit']}"
        if row["scaled_from"]
        else ""
    )
    agrees = {name: row[name] for name in ("max_difference", "rank_correlation") if name in row}
    memory = row["memory_bytes_peak"] / 2**20
    return f"{row['key']:17} {row['cpu_seconds_total']:8.2f} CPU s, {memory:5.0f} MiB{scaled} {agrees}"


def arithmetic(study: str, case: Case, rows: Sequence[dict[str, Any]], settings: Settings) -> dict[str, Any]:
    """Operations the engine does, those of the plain loop, and the share of the peak that both reach."""
    options: dict[str, Any] = {"rounds": 1, "budget": 1, "threads": settings.threads, "sample": None}
    with tempfile.TemporaryDirectory() as folder:
        task = case.task(Path(folder) / "task.json", study=study, sample_unit=study, **options)
        found = run(Path(sys.executable), "work", task, settings.threads)
    if found.pop("status") != "ok":
        return found
    plain = plain_operations(study, case)
    shares = {}
    for row in rows:
        if row["key"] in ("plain", "crux") and row["status"] == "ok":
            operations = plain if row["key"] == "plain" else found["flops"]
            speed = operations / row["cpu_seconds_total"]
            shares[row["key"]] = speed / found["peak"]["per_cpu_second"]
    return {**found, "flops_plain": plain, "share_of_peak": shares}


def plain_operations(study: str, case: Case) -> int:
    """Of one forward per prompt and answer: two for each weight and position, and attention's."""
    lengths = [len(prompt["ids"]) for prompt in case.prompts]
    if study == "heads":
        lengths = [lengths[0]] * (len(case.heads) + 1)
    total = 0
    for length in lengths:
        for answer in case.answers:
            tokens = length + len(answer["ids"])
            total += 2 * case.parameters * tokens + case.attention * tokens**2
    return total


def save(record: dict[str, Any]) -> Path:
    """Write the record, keeping what an earlier run on the same machine found for other models and ways."""
    path = RESULTS / f"{record['benchmark']}.json"
    if path.is_file():
        record = merged(json.loads(path.read_text(encoding="utf-8")), record)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The new record, with the rows of the old one that it does not replace.

    Nothing of another machine, and nothing of a model that was run with other threads.
    """
    if old.get("machine") != new["machine"]:
        return new
    models = {entry["model"]: entry for entry in old["models"]}
    for entry in new["models"]:
        before = models.get(entry["model"], {"ways": []})
        if before.get("threads") != entry["threads"]:
            before = {"ways": []}
        rows = {row["key"]: row for row in before["ways"]} | {row["key"]: row for row in entry["ways"]}
        models[entry["model"]] = {**before, **entry, "ways": list(rows.values())}
    return {**new, "models": list(models.values())}


def disagreements(record: dict[str, Any]) -> list[str]:
    """Ways that should have found the plain loop's numbers and did not."""
    return [
        f"{entry['model']}, {record['benchmark']}, {row['key']}: {row['max_difference']:.1e} nats"
        for entry in record["models"]
        for row in entry["ways"]
        if row.get("max_difference", 0.0) > TOLERANCE
    ]
