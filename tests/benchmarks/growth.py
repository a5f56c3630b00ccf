"""How cost grows with the passage's length, the answers, the heads and the model: `make bench-growth`."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.machine import machine
from tests.benchmarks.processes import run
from tests.benchmarks.study import RESULTS

OPERATIONS = 3e11
"""Of one timed run, about: a few processor seconds; never fewer units than the runner's `FEWEST`."""
LENGTHS = (50, 100, 200, 500, 1000, 2000)
ANSWERS = (1, 2, 4, 8, 16)
WORDS = 60
FOUR = 4
SMALL = {"num_hidden_layers": 30, "hidden_size": 576, "intermediate_size": 1536, "head_dim": 64,
         "num_attention_heads": 9, "num_key_value_heads": 3}  # fmt: skip
SIZES: dict[str, dict[str, int]] = {
    "0.13": SMALL,
    "0.36": {"num_hidden_layers": 32, "hidden_size": 960, "intermediate_size": 2560, "head_dim": 64,
             "num_attention_heads": 15, "num_key_value_heads": 5},
    "0.7": {"num_hidden_layers": 24, "hidden_size": 1536, "intermediate_size": 4096, "head_dim": 64,
            "num_attention_heads": 24, "num_key_value_heads": 8},
    "1.1": {"num_hidden_layers": 22, "hidden_size": 2048, "intermediate_size": 5632, "head_dim": 64,
            "num_attention_heads": 32, "num_key_value_heads": 4},
    "1.5": {"num_hidden_layers": 28, "hidden_size": 2048, "intermediate_size": 6144, "head_dim": 64,
            "num_attention_heads": 32, "num_key_value_heads": 8},
}  # fmt: skip
"""Shapes of Llama models, by billions of parameters."""
HEADS = {9: 64, 18: 32, 36: 16}
"""Heads a layer, and their width: the same weights cut otherwise."""


def points() -> Iterator[dict[str, Any]]:
    """Each varies one thing and leaves the others at SmolLM2's size, 60 words and four answers."""
    usual = {"config": SMALL, "words": WORDS, "answers": FOUR, "studies": ["words", "heads"]}
    for words in LENGTHS:
        yield {**usual, "axis": "words", "value": words, "words": words}
    for answers in ANSWERS:
        yield {**usual, "axis": "answers", "value": answers, "answers": answers}
    for heads, width in HEADS.items():
        cut = {"num_attention_heads": heads, "num_key_value_heads": heads // 3, "head_dim": width}
        config = SMALL | cut
        value = heads * SMALL["num_hidden_layers"]
        yield {**usual, "axis": "heads", "value": value, "config": config, "studies": ["heads"]}
    for size, config in SIZES.items():
        yield {**usual, "axis": "parameters", "value": size, "config": config}


def measure(threads: int, say: Callable[[str], None], only: str = "") -> dict[str, Any]:
    """Every point in a process of its own, the costliest last; each is saved as it comes.

    Args:
        only: one point, as "words=2000", measured into the record that is there; it names its own machine.
    """
    record: dict[str, Any] = {"benchmark": "growth", "machine": machine(), "threads": threads, "points": []}
    chosen = sorted(points(), key=costliness)
    if only:
        chosen = [point for point in chosen if only == _name(point)]
        old = json.loads((RESULTS / "growth.json").read_text(encoding="utf-8"))
        record = {**old, "points": [point for point in old["points"] if _name(point) != only]}
    for point in chosen:
        config = {**point["config"], "vocab_size": 49152, "tie_word_embeddings": True,
                  "max_position_embeddings": 8192}  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "point.json"
            given = {**point, "config": config, "threads": threads, "operations": OPERATIONS}
            path.write_text(json.dumps(given), encoding="utf-8")
            result = run(Path(sys.executable), "growth_point", path, threads)
        kept = {name: point[name] for name in ("axis", "value", "words", "answers")}
        where = {"machine": machine()} if only else {}
        record["points"].append({**kept, **where, **result})
        save(record)
        say(f"{_name(point)}: {brief(result)}")
    return record


def _name(point: dict[str, Any]) -> str:
    return f"{point['axis']}={point['value']}"


def costliness(point: dict[str, Any]) -> float:
    """Roughly how long a point takes."""
    config = point["config"]
    return float(point["words"] * config["num_hidden_layers"] * config["hidden_size"] ** 2)


def brief(result: dict[str, Any]) -> str:
    """A line for whoever waits."""
    if result["status"] != "ok":
        return f"{result['status']}: {result['reason']}"
    return ", ".join(
        f"{study} {row['cpu_seconds']:.1f} CPU s ({row['plain_cpu_seconds'] / row['cpu_seconds']:.1f} × less)"
        for study, row in result["studies"].items()
    )


def save(record: dict[str, Any]) -> Path:
    """Write the record."""
    path = RESULTS / "growth.json"
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path
