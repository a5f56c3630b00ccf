"""Weights that are known by their hash: a model is opened only where its files are those that were meant."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from probes.errors import ModelError
from probes.models.fetch import SMOLLM2_SHA256
from probes.models.folder import weight_files
from probes.models.hashing import file_hash
from probes.models.source import BUILTIN


@cache
def known_pins() -> dict[str, str]:
    """Hashes of the weights that come with Crux or are fetched by it, by name.

    Of the built-in model, as its training noted it beside the weights.
    """
    origin = json.loads((BUILTIN / "origin.json").read_text(encoding="utf-8"))
    return {"builtin": origin["SHA-256 of the weights"].strip("`"), "smollm2": SMOLLM2_SHA256}


def weights_hash(folder: Path, name: str) -> str:
    """sha256 of the weights, in hexadecimal: of the file; of several, over their hashes by order of name.

    Raises:
        ModelError: there are no weights that can be read.
    """
    hashes = [file_hash(path) for path in sorted(weight_files(folder, name))]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def require_weights(folder: Path, name: str, wanted: str) -> None:
    """Raises:
    ModelError: the weights in `folder` are others, with both hashes.
    """
    found = weights_hash(folder, name)
    if found != wanted:
        raise ModelError("weights_hash", model=name, found=found[:12], wanted=wanted[:12])
