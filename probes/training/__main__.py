"""`python -m probes.training`: train the built-in model, from where it stopped, and write it to a folder."""

from __future__ import annotations

import argparse
import json
import logging
import os
from dataclasses import fields
from pathlib import Path

import torch

from probes.training.loop import Run
from probes.training.origin import origin
from probes.training.plan import Plan

HOUSE = Path(__file__).parent.parent / "models" / "builtin"


def main() -> None:
    """Train by the plan; every number of it is an option."""
    parser = argparse.ArgumentParser(description=__doc__)
    for field in fields(Plan):
        parser.add_argument(
            f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default
        )
    parser.add_argument(
        "--work", type=Path, default=Path(".builtin-run"), help="folder of checkpoints and figures"
    )
    parser.add_argument("--out", type=Path, default=HOUSE, help="folder the finished model is written to")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = vars(parser.parse_args())
    work, out, threads, device = (options.pop(name) for name in ("work", "out", "threads", "device"))
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    run = Run(Plan(**options), work, device)
    run.train()
    run.export(out)
    made = origin(run.plan, run.origin, run.step, out / "model.safetensors")
    (out / "origin.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
