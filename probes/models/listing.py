"""What a hub says of a repository, before anything is downloaded; which of its files are asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch

from probes.errors import ModelError
from probes.models.hubs import Hub
from probes.models.memory import readable
from probes.models.side_files import MOST_INDEX

SMALL = ["*.json", "*.jinja", "*.txt", "*.model"]
WEIGHTS = ["model*.safetensors"]
"""Only files that are safe to read: safetensors, JSON, tokenizers."""
ELSEWHERE = ["*/*"]
"""Sub-folders hold other formats of the same weights."""
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,150}")


@dataclass(frozen=True)
class Listing:
    """A repository at one commit."""

    repo: str
    revision: str
    """What was asked for; the hub's own name of its main branch where nothing was."""
    commit: str
    """40 hexadecimal digits: the commit, or what stands for it where a hub names none."""
    files: Mapping[str, int]
    """Sizes in bytes, by path."""
    parameters: int | None
    hub: Hub
    hashes: Mapping[str, str] = field(default_factory=dict)
    """sha256 of files, by path, where the hub gives one."""

    def wanted(self, *, weights: bool) -> list[str]:
        """Names of the small files, or of those that hold weights; never of one in a sub-folder."""
        patterns = WEIGHTS if weights else SMALL
        return sorted(
            name
            for name in self.files
            if _PLAIN.fullmatch(name) and any(fnmatch(name, pattern) for pattern in patterns)
        )


def refuse_large(listing: Listing) -> None:
    """Refuse a repository whose small files are not small, before any of them is downloaded.

    Raises:
        ModelError: with the file, its size and the limit.
    """
    for file, size in listing.files.items():
        if "/" not in file and any(fnmatch(file, small) for small in SMALL) and size > MOST_INDEX:
            values = {"file": file, "size": readable(size), "most": readable(MOST_INDEX)}
            raise ModelError("side_file_large", name=listing.repo, **values)


def weight_bytes(listing: Listing) -> int:
    """Bytes of the weights that a download brings."""
    return sum(listing.files[file] for file in listing.wanted(weights=True))
