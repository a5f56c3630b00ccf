"""The probes, by name: one file each. Adding one means adding its file, its words and a line here."""

from __future__ import annotations

from probes.errors import InputError
from probes.studies import ask, attention, heads, layers, lens, links, patch, words
from probes.studies.base import Option, Study

STUDIES: dict[str, Study] = {
    module.STUDY.name: module.STUDY for module in (ask, words, heads, links, attention, layers, lens, patch)
}

__all__ = ["STUDIES", "Option", "Study", "study_named"]


def study_named(name: str) -> Study:
    """The study called `name`.

    Raises:
        InputError: there is none, with the names there are.
    """
    if name not in STUDIES:
        raise InputError("study_unknown", study=name, studies=", ".join(STUDIES))
    return STUDIES[name]
