"""`python -m tests.load`: many visitors at one hosted page for some minutes, then visits without end.

Prints what came of it, and writes it as JSON. Ends with 1 where an answer was wrong or a text leaked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from probes.models.fetch import smollm2_folder
from tests.load.host import hosted
from tests.load.plan import Plan, loaded


def plan_of(arguments: list[str]) -> tuple[Plan, Path | None]:
    """What the command line says."""
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--visitors", type=int, default=plan.visitors)
    parser.add_argument("--minutes", type=float, default=plan.minutes)
    parser.add_argument(
        "--measuring", type=int, default=plan.measuring, help="of them, at SmolLM2 all the while"
    )
    parser.add_argument("--browsers", type=int, default=plan.browsers, help="pages in Chromium besides")
    parser.add_argument("--visits", type=int, default=plan.visits, help="after that: open, wait, leave")
    parser.add_argument("--out", type=Path, help="file for the figures")
    given = parser.parse_args(arguments)
    chosen = Plan(given.visitors, given.minutes, given.measuring, given.browsers, given.visits)
    return chosen, given.out


def main(arguments: list[str]) -> int:
    plan, out = plan_of(arguments)
    there = smollm2_folder() if plan.measuring else None
    with tempfile.TemporaryDirectory(prefix="crux-load-") as folder, hosted(Path(folder), there) as host:
        figures: dict[str, Any] = asyncio.run(loaded(host, plan, there))
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    print(text)
    if out:
        out.write_text(text + "\n", encoding="utf-8")
    return 1 if figures["wrong"] or figures["leaks"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
