"""What stopped downloads left: taken up again when their model is asked for, or thrown away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from probes.models import huggingface, modelscope
from probes.models.download import PART, is_written, throw_away


@dataclass(frozen=True)
class Unfinished:
    """The parts of one model's files."""

    repo: str
    """As its hub calls it: owner/name."""
    parts: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(part.stat().st_size for part in self.parts if part.exists())


def unfinished() -> list[Unfinished]:
    """Of every model, in the order of their names; what is being downloaded at the moment is none."""
    found: dict[str, list[Path]] = {}
    for repo, part in _parts():
        if not is_written(part):
            found.setdefault(repo, []).append(part)
    return [Unfinished(repo, tuple(parts)) for repo, parts in sorted(found.items())]


def discard(left: Unfinished) -> int:
    """Throw its parts away; the bytes that are free by it. A part that is being written again stays."""
    return sum(throw_away(part) for part in left.parts)


def _parts() -> Iterator[tuple[str, Path]]:
    places = (
        (huggingface.cache(), "models--", f"blobs/*{PART}"),
        (modelscope.cache(), "modelscope--", f"snapshots/*/*{PART}"),
    )
    for root, mark, inside in places:
        for folder in sorted(root.glob(f"{mark}*--*")):
            repo = folder.name.removeprefix(mark).replace("--", "/", 1)
            yield from ((repo, part) for part in sorted(folder.glob(inside)))
