"""Every text a person reads, Chinese and English side by side.

A text is one table of a TOML file: `[top]` with the entries `en` and `zh` in `headline.toml` is the text
`headline.top`. Keeping both languages in one entry makes a missing one impossible to overlook.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


class _Filling(string.Formatter):
    """Fills placeholders; `{count:|word|words}` is the first where the value is one, else the second.

    Chinese has no plural, so a text in it need not ask for a number that only chooses a word in the other.

    Args:
        show: has the last word on what is filled in; a word that a number chose is the text's own.
    """

    def __init__(self, show: Callable[[str], str] = str) -> None:
        self._show = show

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec.startswith("|"):
            one, many = format_spec[1:].split("|", 1)
            return one if str(value) == "1" else many
        whole = isinstance(value, str) and not format_spec  # may be a string of a kind that `show` knows
        return self._show(value if whole else format(value, format_spec))


_PLAINLY = _Filling()


class Texts:
    """The texts of the TOML files in some folders, read at first use; no two files have one name."""

    def __init__(self, *folders: Path) -> None:
        self.folders = folders
        self._read = cache(self._read_file)

    def _read_file(self, stem: str) -> dict[str, dict[str, str]]:
        """The texts of one file; none where there is no such file."""
        place = next((p for folder in self.folders if (p := folder / f"{stem}.toml").exists()), None)
        return {} if place is None else tomllib.loads(place.read_text(encoding="utf-8"))

    def keys(self) -> list[str]:
        """Every key there is, as `file.table`."""
        files = sorted(path for folder in self.folders for path in folder.glob("*.toml"))
        return [f"{path.stem}.{name}" for path in files for name in self._read(path.stem)]

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        stem, _, name = key.partition(".")
        return name in self._read(stem)

    def raw(self, key: str, lang: str) -> str:
        """The text as written, its placeholders unfilled."""
        stem, _, name = key.partition(".")
        return self._read(stem)[name][lang]

    def say(self, key: str, lang: str, **values: object) -> str:
        """The text `key` in language `lang`, its placeholders filled.

        Raises:
            KeyError: there is no such text, or a placeholder was given no value.
        """
        text = self.raw(key, lang)
        return _PLAINLY.vformat(text, (), values) if values or "{" in text else text

    def shown(self, key: str, lang: str, show: Callable[[str], str], values: Mapping[str, object]) -> str:
        """The same; `show` makes what is filled in, and nothing else, fit for where the text is read."""
        return _Filling(show).vformat(self.raw(key, lang), (), values)


TEXTS = Texts(Path(__file__).parent, Path(__file__).parents[1] / "studies")
"""The package's own, and those that each study brings with it."""
say = TEXTS.say


def note_text(note: Mapping[str, Any], lang: str) -> str:
    """A record's note in words: the text `notes.<key>` with the note's values."""
    return say(f"notes.{note['key']}", lang, **{k: v for k, v in note.items() if k != "key"})
