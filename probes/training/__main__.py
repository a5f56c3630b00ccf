"""`python -m probes.training`: train the built-in model, from where it stopped, and write it to a folder."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import fields
from pathlib import Path

import torch
from torch.multiprocessing.spawn import spawn

from probes.training.loop import train
from probes.training.plan import Plan

HOUSE = Path(__file__).parent.parent / "models" / "builtin"


def main() -> None:
    """Train by the plan; every number of it is an option."""
    parser = argparse.ArgumentParser(description=__doc__)
    for field in fields(Plan):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=type(field.default),
            default=None if field.name == "processes" else field.default,
        )
    parser.add_argument(
        "--work", type=Path, default=Path(".builtin-run"), help="folder of checkpoints and figures"
    )
    parser.add_argument("--out", type=Path, default=HOUSE, help="folder the finished model is written to")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = vars(parser.parse_args())
    work, out, threads, device = (options.pop(name) for name in ("work", "out", "threads", "device"))
    usual = Plan().processes if device == "cpu" else 1  # on one GPU they would stand in each other's way
    if options["processes"] is None:
        options["processes"] = usual
    if options["processes"] < 1 or (options["processes"] > 1 and device != "cpu"):
        parser.error(f"--processes {options['processes']} on {device}: at least one, and one alone on a GPU")
    plan = Plan(**options)
    with tempfile.TemporaryDirectory() as folder:
        work_of_one = (plan, work, out, threads, device, Path(folder) / "meeting")
        if plan.processes > 1:
            spawn(train, work_of_one, plan.processes)
        else:
            train(0, *work_of_one)


if __name__ == "__main__":
    main()
