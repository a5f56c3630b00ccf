"""The folder that a gallery is written to: known again by its marker, never left half written."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from probes.errors import InputError
from probes.text.characters import visible

MARKER = "crux-site.json"
"""Says that a folder is a gallery of ours, and which files in it are."""
_MADE_BY = "crux site"
_OURS = re.compile(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*/)*[a-z0-9]+(?:-[a-z0-9]+)*\.(?:html|js|json)")
"""Names that a gallery's files have: whatever a marker lists besides is not touched."""


class Folder:
    """A folder that may be written to: a new or an empty one, or an earlier gallery.

    Files that are not the gallery's (a host's own settings, a repository) stay as they are.
    Not for two at once.
    """

    def __init__(self, path: Path) -> None:
        """Look, and write nothing yet.

        Raises:
            InputError: it is no folder, cannot be read, or holds something that is no gallery.
        """
        self.path = path
        try:
            if path.exists() and not path.is_dir():
                raise InputError("site.no_folder", folder=visible(str(path)))
            held = path.is_dir() and any(path.iterdir())
        except (OSError, ValueError) as fault:  # a name with a zero in it is a ValueError
            raise self._unwritable(fault) from fault
        self._earlier = self._listed() if held else []

    def write(self, files: dict[str, bytes]) -> None:
        """Write these, each whole or not at all, and remove what an earlier gallery had besides.

        The marker comes first, with all names old and new: a run that is ended in the middle can be repeated.

        Raises:
            InputError: something cannot be written, with the system's reason.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._mark({*self._earlier, *files})
            for name, content in files.items():
                self._put(name, content)
            for name in {*self._earlier} - {*files}:
                self._place(name).unlink(missing_ok=True)
            self._mark(set(files))
        except (OSError, ValueError) as fault:
            raise self._unwritable(fault) from fault

    def _mark(self, names: set[str]) -> None:
        made = {"made_by": _MADE_BY, "files": sorted(names)}
        self._put(MARKER, (json.dumps(made, indent=1) + "\n").encode())

    def _listed(self) -> list[str]:
        """The files that the marker lists, as far as they can be ours.

        Raises:
            InputError: there is no marker, or none of ours.
        """
        found: Any = None
        with suppress(OSError, ValueError, RecursionError):
            found = json.loads((self.path / MARKER).read_bytes())
        if not isinstance(found, dict) or found.get("made_by") != _MADE_BY:
            raise InputError("site.foreign", folder=visible(str(self.path)), marker=MARKER)
        names = found.get("files")
        known = names if isinstance(names, list) else []
        return [name for name in known if isinstance(name, str) and _OURS.fullmatch(name)]

    def _put(self, name: str, content: bytes) -> None:
        place = self._place(name)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_file() and not place.is_symlink() and place.read_bytes() == content:
            return  # hosts and browsers go by a file's time
        part = place.with_name(f".{place.name}.{os.getpid()}.part")
        try:
            part.write_bytes(content)
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        """Where a file lies, links followed: inside this folder.

        Raises:
            ValueError: a link leads out of it.
        """
        place = self.path / name
        if not place.parent.resolve().is_relative_to(self.path.resolve()):
            raise ValueError(f"{name} lies outside the folder")
        return place

    def _unwritable(self, fault: Exception) -> InputError:
        reason = getattr(fault, "strerror", None) or str(fault)
        return InputError("site.unwritable", folder=visible(str(self.path)), reason=reason)
