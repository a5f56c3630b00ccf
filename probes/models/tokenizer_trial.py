"""Try a tokenizer out where it can be stopped, before it is opened here.

A tokenizer comes with the model, from whoever made it, and its rules are programs too: an expression with
repeats in repeats runs for hours over a line of equal letters, thirty replacements of a letter by two make a
gigabyte of one word.
"""

from __future__ import annotations

from pathlib import Path

from probes.errors import ModelError
from probes.models import tokenizer_process
from probes.models.held import Held

SECONDS = 1.0, 0.3
"""Of the processor: for the texts, and for each megabyte of the file on top. Opening takes 0.05 s a megabyte,
the texts a tenth of a second together."""
MEMORY = 256 * 2**20, 12
"""Bytes the process may hold: for itself, and for each byte of the file, which takes ten times its size when
opened."""


def try_out(folder: Path, name: str) -> None:
    """Open the tokenizer.json of the model `name` and cut texts with it that bad rules are slow over.

    Where there is none, `transformers` makes a tokenizer of a vocabulary, with rules of its own.

    Raises:
        ModelError: it takes more time or memory than any in use, or fails.
    """
    file = folder / "tokenizer.json"
    if not file.exists():
        return
    size = file.stat().st_size
    seconds = SECONDS[0] + SECONDS[1] * size / 1e6
    memory = MEMORY[0] + MEMORY[1] * size
    process = Held(tokenizer_process.__file__, ("tokenizers",), memory)
    try:
        found = process.ask({"file": str(file.resolve())}, seconds, memory)
    finally:
        process.end()
    if found is None:
        raise ModelError("tokenizer_heavy", name=name, seconds=seconds, megabytes=memory // 2**20)
    if "fault" in found:
        raise ModelError("tokenizer_broken", name=name, reason=found["fault"].partition(":")[0])
