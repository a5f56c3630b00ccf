"""The benchmarks: `python -m tests.benchmarks` measures, `--table` writes docs/benchmarks.md."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from probes.models.fetch import smollm2_folder
from tests.benchmarks import finding, growth, table
from tests.benchmarks.case import cases
from tests.benchmarks.processes import Settings, ways
from tests.benchmarks.study import benchmark, disagreements, save

STUDIES = ("words", "heads")


@click.command()
@click.option(
    "--study", "studies", type=click.Choice(STUDIES), multiple=True, help="These only; default all."
)
@click.option("--model", "models", multiple=True, help="Models whose name contains this only.")
@click.option(
    "--way", "keys", multiple=True, help="These ways only (keys of ways.toml), beside the plain loop."
)
@click.option(
    "--smollm2", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of SmolLM2."
)
@click.option("--rounds", default=3, show_default=True, help="Timed runs of each way, at most.")
@click.option(
    "--budget", default=150.0, show_default=True, help="CPU seconds after which a way is not repeated."
)
@click.option("--threads", default=os.cpu_count() or 1, show_default=True, help="Threads, for all.")
@click.option("--full", is_flag=True, help="Slow ways too run everything, instead of a sample scaled up.")
@click.option("--sample", type=int, help="Words or heads that a slow way runs; its own number by default.")
@click.option("--growth", "grow", is_flag=True, help="How cost grows, instead of the comparison.")
@click.option("--find", "find", is_flag=True, help="The strongest words of long passages, instead.")
@click.option("--only", default="", help="Of --growth one point, as words=2000, into the record there is.")
@click.option("--table", "tables", is_flag=True, help="Measure nothing: write docs/benchmarks.md.")
def main(
    studies: tuple[str, ...],
    models: tuple[str, ...],
    keys: tuple[str, ...],
    smollm2: Path | None,
    rounds: int,
    budget: float,
    threads: int,
    full: bool,
    sample: int | None,
    grow: bool,
    find: bool,
    only: str,
    tables: bool,
) -> None:
    """The same work by every way, each in a process and an environment of its own; JSON and tables of it."""
    if tables:
        for path in table.write():
            click.echo(path)
        return
    if grow:
        click.echo(growth.save(growth.measure(threads, click.echo, only)))
        return
    if find:
        finding.measure(smollm2 or smollm2_folder(), threads, click.echo, *models[:1])
        return
    had = cases(smollm2)
    chosen = [case for case in had if not models or any(name in case.name for name in models)]
    if not chosen:
        names = ", ".join(case.name for case in had)
        raise click.UsageError(f"No model's name contains {' or '.join(models)}. Had here: {names}.")
    if all(case.name == "built-in model" for case in chosen):
        click.echo("SmolLM2 is left out: crux models fetch smollm2, or --smollm2 FOLDER.", err=True)
    settings = Settings(rounds, budget, threads, full, sample)
    wrong: list[str] = []
    for study in studies or STUDIES:
        these = [way for way in ways() if way.study == study and (not keys or way.key in (*keys, "plain"))]
        record = benchmark(study, chosen, these, settings, click.echo)
        click.echo(save(record))
        wrong += disagreements(record)
    if wrong:
        raise click.ClickException("Numbers that should be the same differ:\n" + json.dumps(wrong, indent=1))


if __name__ == "__main__":
    main()
