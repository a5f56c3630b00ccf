"""Measure every preset on the built-in model for `dashboard.ready`, and write its file anew.

python -m scripts.ready
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

from dashboard.ready import FILE, STUDIES, first_options
from probes import load_model, preset, run
from probes.asking.question import presets

LEFT_OUT = ("prompt", "prompt_ids", "token_spans", "removed", "hidden_positions")
"""Of a row: what is not drawn, and most of a record."""


def drawn(data: Mapping[str, Any]) -> dict[str, Any]:
    """A record without what no picture shows."""
    lists = {name: data[name] for name in ("rows", "groups") if name in data}
    return {**data, **{name: [_row(row) for row in rows] for name, rows in lists.items()}}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: _short(value) for name, value in row.items() if name not in LEFT_OUT}
    answers = [
        {name: _short(one[name]) for name in ("answer", "name", "probability", "log_prob", "share")}
        for one in row["answers"]
    ]
    return found | {"answers": answers}


def _short(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def main() -> None:
    model = load_model("builtin")
    found = {
        name: {
            study: drawn(run(study, model, preset(name).question(), first_options(study)).data)
            for study in STUDIES
        }
        for name in presets()
    }
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    FILE.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
