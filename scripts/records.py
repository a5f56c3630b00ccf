"""Records of every study on both coffee-shop passages, to hold a change against what was before it.

    python scripts/records.py make FOLDER [--model builtin --model smollm2]
    python scripts/records.py compare OLD NEW

`compare` prints, for each record, the greatest difference in any number of its rows, clean run and answers,
and exits with 1 where one is above 1e-6 or a part is missing. Both must have been made on one machine.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

TOLERANCE = 1e-6
PRESETS = ("coffee-zh", "coffee-en")
STUDIES: dict[str, dict[str, Any]] = {
    "ask": {"drop": {"coffee-zh": "走进", "coffee-en": "walked"}},
    "words": {},
    "heads": {},
    "links": {},
    "attention": {},
    "layers": {},
    "lens": {},
    "patch": {},
}
SKIPPED = {"provenance", "headline", "noise_floor", "engine"}
"""How a record was made, not what it says."""


def make(folder: Path, models: list[str]) -> None:
    from probes import load_model, preset, run

    folder.mkdir(parents=True, exist_ok=True)
    for name in models:
        model = load_model(name)
        for study, options in STUDIES.items():
            for passage in PRESETS:
                path = folder / f"{name}-{study}-{passage}.json"
                if path.exists():
                    continue
                chosen = {key: value[passage] for key, value in options.items()}
                result = run(study, model, preset(passage).question(), chosen)
                path.write_text(result.to_json(), encoding="utf-8")
                spent = result.data["provenance"]["cpu_seconds"]
                print(f"{path.name}: {spent:.1f} CPU s", flush=True)


def numbers(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a record, by where it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in SKIPPED:
                yield from numbers(inner, f"{at}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers(inner, f"{at}[{index}]")
    else:
        yield at, value


def compare(old: Path, new: Path) -> bool:
    fine = True
    for path in sorted(old.glob("*.json")):
        before = dict(numbers(json.loads(path.read_text(encoding="utf-8"))))
        if not (new / path.name).exists():
            print(f"{path.name}: missing")
            fine = False
            continue
        after = dict(numbers(json.loads((new / path.name).read_text(encoding="utf-8"))))
        furthest, where, odd = 0.0, "", []
        for at, value in before.items():
            other = after.get(at)
            if at not in after or isinstance(value, (int, float)) != isinstance(other, (int, float)):
                odd.append(at)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                gap = abs(value - other)
                if math.isnan(gap) or gap > furthest:
                    furthest, where = gap, at
            elif value != other:
                odd.append(at)
        fine = fine and not odd and furthest <= TOLERANCE
        print(f"{path.name}: {furthest:.1e} {where if furthest else ''} {'; '.join(odd[:3])}")
    return fine


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["make"] and len(arguments) > 1:
        models = [word for flag, word in pairwise(arguments) if flag == "--model"]
        make(Path(arguments[1]), models or ["builtin", "smollm2"])
        return 0
    if arguments[:1] == ["compare"] and len(arguments) == 3:
        return 0 if compare(Path(arguments[1]), Path(arguments[2])) else 1
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
