"""What the lecture's claims say of models that know nothing: of the built-in shape, weights drawn at random.

    python scripts/random_models.py FOLDER [--models 20] [--first 0] [--passages en] [--claims L1,L2]

The weights are multiplied by four, so that the answers differ from prompt to prompt. A record a model is kept
in FOLDER, and one that is there is not made again. Prints the verdicts by claim; exits with 1 where more than
5 % of those that depend on the model are "holds".
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TIMES = 4.0
MOST = 0.05
NOT_OF_THE_MODEL = ("L12", "L13")
"""The rule written by hand, and what is said of closed models alone."""
VERDICTS = ("holds", "fails", "unsure", "none")


def draw(folder: Path, seed: int) -> None:
    """Write a model of the built-in one's shape and tokenizer into `folder`, weights drawn with `seed`."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from probes.models.source import BUILTIN

    for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(BUILTIN / name, folder / name)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(str(folder)), dtype=torch.float32)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.mul_(TIMES)
    model.save_pretrained(folder)


def judged(seed: int, passages: str, claims: str | None) -> Mapping[str, Any]:
    """The lecture's record of one such model."""
    from probes import load_model
    from probes.running.lecture import lecture

    with TemporaryDirectory() as name:
        draw(Path(name), seed)
        return lecture(load_model(name), language=passages, claims=claims, seed=0).data


def told(records: Sequence[Mapping[str, Any]]) -> bool:
    """Print verdicts by claim; whether few enough of them are "holds"."""
    by_claim: dict[str, Counter[str]] = {}
    for record in records:
        for row in record["rows"]:
            by_claim.setdefault(row["id"], Counter())[row["verdict"]] += 1
    print("claim " + " ".join(f"{name:>7}" for name in VERDICTS))
    for name, counts in by_claim.items():
        print(f"{name:5} " + " ".join(f"{counts[verdict]:7}" for verdict in VERDICTS))
    mine = [counts for name, counts in by_claim.items() if name not in NOT_OF_THE_MODEL]
    holds, applied = sum(one["holds"] for one in mine), sum(c.total() - c["none"] for c in mine)
    print(f"of claims that depend on the model: {holds} of {applied} verdicts hold, {len(records)} models")
    return holds <= MOST * applied


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    given.add_argument("folder", type=Path)
    given.add_argument("--models", type=int, default=20)
    given.add_argument("--first", type=int, default=0)
    given.add_argument("--passages", choices=("en", "zh"), default="en")
    given.add_argument("--claims")
    asked = given.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    records = []
    for seed in range(asked.first, asked.first + asked.models):
        path = asked.folder / f"{asked.passages}-{seed}.json"
        if not path.exists():
            found = judged(seed, asked.passages, asked.claims)
            path.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
            cost = found["provenance"]["cpu_seconds"]
            holding = [row["id"] for row in found["rows"] if row["verdict"] == "holds"]
            print(f"seed {seed}: {cost:.0f} CPU s, holds: {', '.join(holding) or '-'}", flush=True)
        records.append(json.loads(path.read_text(encoding="utf-8")))
    return 0 if told(records) else 1


if __name__ == "__main__":
    sys.exit(main())
