"""The process that a stranger's tokenizer is tried out in: its file in, what came of it out.

Started by `probes.models.tokenizer_trial` as a script, with nothing but the library `tokenizers`.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

USUAL = "aA0 \n\t.,!-'é中あ한ก😀\u0301"
"""A letter of each kind that rules for cutting texts tell apart."""
LENGTH = 4000
LETTERS = 60
RUNS = 10
REASON = 300


def texts(parts: list[Any]) -> Iterator[str]:
    """Long runs of one letter, and of what a pattern spells out, each ended by something else.

    That is where a pattern with repeats in repeats tries every way there is, and where each replacement of a
    letter by two of it doubles the text once more.
    """
    spelled = [pattern for part in parts for pattern in patterns(part)]
    letters = "".join(dict.fromkeys(USUAL + "".join(spelled)))
    runs = [run for pattern in spelled for run in re.findall(r"\w{2,8}", pattern)]
    for run in [*letters[:LETTERS], *list(dict.fromkeys(runs))[:RUNS]]:
        yield run * (LENGTH // len(run)) + ("!" if run != "!" else "?")


def patterns(part: Any) -> Iterator[str]:
    """The texts and expressions that a part of a tokenizer looks for."""
    if isinstance(part, dict):
        for name, value in part.items():
            if name in ("String", "Regex") and isinstance(value, str):
                yield value
            else:
                yield from patterns(value)
    elif isinstance(part, list):
        for one in part:
            yield from patterns(one)


def tried(file: str) -> dict[str, str]:
    """{} where it holds, or cannot even be opened; {"fault": ...} where cutting a text fails."""
    from tokenizers import Tokenizer

    try:
        core = Tokenizer.from_file(file)
    except Exception:  # noqa: BLE001 - opened in earnest, it fails again, and is told of there
        return {}
    try:
        cutting = (core.normalizer, core.pre_tokenizer, core.decoder)
        parts = [json.loads(bytes(part.__getstate__())) for part in cutting if part is not None]
        for text in texts(parts):
            core.decode(core.encode(text).ids)
    except BaseException as fault:  # noqa: BLE001 - a panic of the library is no Exception
        return {"fault": f"{type(fault).__name__}: {fault}"[:REASON]}
    return {}


def serve() -> None:
    """Answer requests until there are no more."""
    import tokenizers  # noqa: F401 - before anybody counts seconds

    out = sys.stdout.buffer
    out.write(b"%d\n" % os.getpid())
    out.flush()
    for line in sys.stdin.buffer:
        out.write(json.dumps(tried(json.loads(line)["file"])).encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    sys.path += sys.argv[1:]
    serve()
