"""Recommended small models, from `catalog.toml`. A list for people: any model loads by its id."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MANY = "many"
"""Stands in a list of languages for a hundred or more that nobody lists."""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One recommended model; `catalog.toml` says what the fields mean."""

    name: str
    repo: str
    parameters: int
    bytes: int
    licence: str
    languages: tuple[str, ...]
    window: int
    shape: dict[str, int]
    note: dict[str, str]
    gated: bool = False
    wheel: bool = False
    modelscope: str | None = None

    @property
    def chinese(self) -> bool:
        return "zh" in self.languages

    def spoken(self, most: int) -> str:
        """The first languages by their codes, at most so many; an ellipsis stands for the others."""
        named = [code for code in self.languages if code != MANY][:most]
        return ", ".join(named) + (" …" if len(named) < len(self.languages) else "")


@cache
def entries() -> tuple[CatalogEntry, ...]:
    """Every recommended model, Chinese-capable ones first."""
    text = Path(__file__).with_name("catalog.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["model"]
    return tuple(CatalogEntry(**{**row, "languages": tuple(row["languages"])}) for row in rows)


def find(name: str) -> CatalogEntry | None:
    """The entry called `name`, in any case."""
    return next((entry for entry in entries() if entry.name == name.casefold()), None)
