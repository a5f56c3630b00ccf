"""Keeps the presets out of training: nothing that shares a run of eight words or characters is used."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

RUN = 8
PRESETS = Path(__file__).parent.parent / "presets"
_UNITS = re.compile(r"[\u4e00-\u9fff]|[A-Za-z0-9']+")


def units(text: str) -> list[str]:
    """Words of Latin script and single Chinese characters, lower case, without punctuation."""
    return _UNITS.findall(text.lower().replace("’", "'"))


def runs(text: str, length: int = RUN) -> set[tuple[str, ...]]:
    """Every run of `length` neighbouring units."""
    found = units(text)
    return {tuple(found[i : i + length]) for i in range(len(found) - length + 1)}


class Forbidden:
    """The runs of a set of texts."""

    def __init__(self, texts: Iterable[str]):
        self.runs: set[tuple[str, ...]] = set().union(*(runs(text) for text in texts)) if texts else set()

    def hit(self, text: str) -> bool:
        """Whether `text` shares a run with any of them."""
        return not self.runs.isdisjoint(runs(text))


def preset_texts(folder: Path = PRESETS) -> list[str]:
    """The passages of all presets."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        with path.open("rb") as file:
            entry = tomllib.load(file)
        if isinstance(entry.get("text"), str):
            found.append(entry["text"])
    return found
