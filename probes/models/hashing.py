"""Content hashes of large files, each read once."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from probes.record.store import cache_folder

_SMALL = 16 << 20
"""Bytes up to which hashing anew is as quick as remembering."""


def sha256_of(path: Path) -> str:
    """The file's sha256 in hexadecimal, computed now."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_hash(path: Path) -> str:
    """The file's sha256 in hexadecimal; of a file that did not change since, from memory."""
    target = path.resolve()
    if target.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{64}", target.name):
        return target.name
    stat = target.stat()
    if stat.st_size < _SMALL:
        return sha256_of(target)
    note = cache_folder() / "hashes" / f"{hashlib.sha256(str(target).encode()).hexdigest()[:32]}.json"
    state = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["state"] == state:
            return str(known["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # never seen, or a broken note: hash it
    digest = sha256_of(target)
    with suppress(OSError):  # a cache that cannot be written costs time, nothing else
        write_whole(note, json.dumps({"state": state, "sha256": digest}))
    return digest


def write_whole(path: Path, text: str) -> None:
    """Whole or not at all: another process may read at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).replace(path)
