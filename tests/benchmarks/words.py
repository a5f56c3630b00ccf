"""Leave-one-out over words: every word of the coffee-shop passage deleted in turn, four answers each.

What is compared is processor time (user and system, over all threads) for the same numbers on the same stock
model: a plain loop of forwards, a batched loop, and Crux. Each runs in a process of its own, so that peak
memory is its own; threads wait passively in all of them; no result is cached. The numbers of all three are
compared, and a difference above `TOLERANCE` is an error, not a footnote.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from probes.models.fetch import smollm2_folder

TOLERANCE = 1e-4  # nats, fp32
WAYS = ("plain loop", "batched loop", "Crux engine")
RESULTS = Path(__file__).parent / "results" / "words.json"


@click.command()
@click.option(
    "--smollm2", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of SmolLM2."
)
@click.option("--rounds", default=3, show_default=True, help="Timed runs of each way.")
@click.option("--threads", default=os.cpu_count() or 1, show_default=True, help="torch threads, for all.")
@click.option("--out", type=click.Path(path_type=Path), default=RESULTS, help="Where the JSON goes.")
def main(smollm2: Path | None, rounds: int, threads: int, out: Path) -> None:
    """Compare three ways to the same leave-one-out numbers, and print a table."""
    found: list[dict[str, Any]] = []
    for name, spec, template in models(smollm2):
        rows = [measured(way, spec, template, rounds, threads) for way in WAYS]
        found.append({"model": name, "template": template, **compared(rows), "ways": rows})
        click.echo(table(found[-1]))
    out.parent.mkdir(parents=True, exist_ok=True)
    measured_on = machine()
    record = {"benchmark": "words", "rounds": rounds, "machine": measured_on, "models": found}
    out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    click.echo("\n" + ", ".join(f"{key} {value}" for key, value in measured_on.items()))
    worst = max(entry["max_difference"] for entry in found)
    if worst > TOLERANCE:
        raise click.ClickException(f"The ways disagree by {worst:.1e} nats; allowed are {TOLERANCE:.0e}.")


def models(smollm2: Path | None) -> list[tuple[str, str, str]]:
    """Name, spec and template of each model that can be had here."""
    folder = smollm2 or smollm2_folder()
    if folder is None:
        click.echo("SmolLM2 is left out: crux models fetch smollm2, or --smollm2 FOLDER.", err=True)
    real = [("SmolLM2-135M-Instruct", str(folder), "plain")] if folder else []
    return [*real, ("built-in model", "builtin", "builtin")]


def measured(way: str, spec: str, template: str, rounds: int, threads: int) -> dict[str, Any]:
    """What `measure.py` says in a process of its own: torch reads the OMP_* variables as it is imported."""
    environment = {
        **os.environ,
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    command = [sys.executable, "-m", "tests.benchmarks.measure", way, spec, template, str(rounds)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def compared(rows: list[dict[str, Any]]) -> dict[str, float]:
    """How far any two ways are apart (nats), and how much less processor time the last takes."""
    columns = [[x for job in row.pop("log_probs") for x in job] for row in rows]
    apart = max(max(pair) - min(pair) for pair in zip(*columns, strict=True))
    best = [min(row["cpu_seconds"]) for row in rows]
    return {"max_difference": apart, "speed_up": best[0] / best[-1]}


def table(entry: dict[str, Any]) -> str:
    """A Markdown table of one model."""
    first = entry["ways"][0]
    size = f"{first['prompts']} prompts of about {first['prompt_tokens']} tokens × {first['answers']} answers"
    lines = [
        f"\n### {entry['model']}: {size}, template `{entry['template']}`, fp32, {first['threads']} threads\n",
        "| way | CPU s, best | median | against plain loop | set-up, once | peak memory | above the model |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in entry["ways"]:
        best, median = min(row["cpu_seconds"]), statistics.median(row["cpu_seconds"])
        peak, above = row["memory_bytes_peak"], row["memory_bytes_peak"] - row["memory_bytes_loaded"]
        lines.append(
            f"| {row['way']} | {best:.2f} | {median:.2f} | {min(first['cpu_seconds']) / best:.1f} × "
            f"| {row['setup_cpu_seconds']:.2f} s | {peak / 2**20:.0f} MiB | {above / 2**20:.0f} MiB |"
        )
    return "\n".join(lines) + f"\n\nLargest difference of two ways: {entry['max_difference']:.1e} nats."


def machine() -> dict[str, str | int]:
    """What the numbers were measured on."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{library: version(library) for library in ("torch", "transformers", "tokenizers")},
    }
