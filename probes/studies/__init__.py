"""The studies, by name: a module and a file of texts each, found by being here.

What belongs to none of them (what they share) is named in `SHARED`. A study that cannot be imported, or that
declares no `STUDY`, is in `BROKEN` with what is wrong, and the others are there all the same.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from probes.errors import InputError
from probes.studies.base import Asking, Extent, Option, Study

SHARED = frozenset(
    ("base", "columns", "control", "doubt", "effects", "parts", "plain", "shared_tokens", "telling")
) | {
    *("over_means", "over_picture", "over_telling", "arrivals", "word_scores"),
    *("keeping", "subsets", "minimal_search", "chance", "finding", "stretches", "pair_search", "places"),
    *("concentration", "unit_rows"),
}
FIRST = (
    "ask",
    "words",
    "minimal",
    "pairs",
    "order",
    "definition",
    "counterfactual",
    "frequency",
    "questions",
    "focus",
    "baselines",
    "heads",
    "links",
    "attention",
    "layers",
    "lens",
    "patch",
)
"""The order they are told in; others follow by name."""


def _found() -> tuple[dict[str, Study], dict[str, str]]:
    studies: dict[str, Study] = {}
    broken: dict[str, str] = {}
    names = [module.name for module in iter_modules(__path__) if module.name not in SHARED]
    for name in sorted(names, key=lambda n: (FIRST.index(n) if n in FIRST else len(FIRST), n)):
        try:
            study = import_module(f"{__name__}.{name}").STUDY
            if not isinstance(study, Study):
                raise TypeError(f"STUDY is a {type(study).__name__}")
        except Exception as fault:  # noqa: BLE001 - whatever is wrong with one, the others are there
            broken[name] = f"{type(fault).__name__}: {fault}"
        else:
            studies[study.name] = study
    return studies, broken


STUDIES, BROKEN = _found()

__all__ = ["BROKEN", "STUDIES", "Asking", "Extent", "Option", "Study", "study_named"]


def study_named(name: str) -> Study:
    """The study called `name`.

    Raises:
        InputError: there is none, with the names there are; it is broken, with what is wrong.
    """
    if name in BROKEN:
        raise InputError("study_broken", study=name, reason=BROKEN[name])
    if name not in STUDIES:
        raise InputError("study_unknown", study=name, studies=", ".join(STUDIES))
    return STUDIES[name]
