"""Which model exactly: a hash of its configuration, tokenizer and weights, for cache keys and provenance."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from probes.models.folder import weight_files
from probes.models.hashing import file_hash


def fingerprint(folder: Path, name: str) -> str:
    """sha256, in hexadecimal, over the names and full content hashes of all files that decide the numbers.

    Gigabytes are read once: the hub's own download cache already names its files by their sha256, and for
    other files the hash is remembered together with size and time of change (`file_hash`).

    Args:
        folder: a folder that has passed the checks of `probes.models.folder`.
        name: the model's name, for error messages.
    """
    weights = weight_files(folder, name)
    others = [path for path in folder.iterdir() if path.is_file() and _decides(path.name)]
    hashes = {path.name: file_hash(path) for path in sorted([*weights, *others])}
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def _decides(file: str) -> bool:
    """Whether the numbers hang on this file: configuration, vocabulary, chat template."""
    if file in ("config.json", "generation_config.json", "vocab.json", "merges.txt", "vocab.txt"):
        return True
    of_tokenizer = file.startswith(("tokenizer", "special_tokens", "added_tokens", "chat_template"))
    return file.endswith((".jinja", ".model")) or (of_tokenizer and file.endswith(".json"))
