"""Models from elsewhere, by the word before the colon: a module each, found by being here.

A module declares `open_model`: a function from what stands behind the colon to the model. One that cannot be
imported is in `BROKEN` with what is wrong, and the others are there all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules

from probes.errors import ModelError
from probes.models.base import AnswerModel

Opener = Callable[[str], AnswerModel]


def _found() -> tuple[dict[str, Opener], dict[str, str]]:
    kinds: dict[str, Opener] = {}
    broken: dict[str, str] = {}
    for module in iter_modules(__path__):
        try:
            kinds[module.name] = import_module(f"{__name__}.{module.name}").open_model
        except Exception as fault:  # noqa: BLE001 - whatever is wrong with one, the others are there
            broken[module.name] = f"{type(fault).__name__}: {fault}"
    return kinds, broken


KINDS, BROKEN = _found()


def kind_of(spec: str) -> str | None:
    """The kind that a model's name begins with; None for a model that runs on this machine."""
    kind, colon, _ = spec.strip().partition(":")
    return kind if colon and (kind in KINDS or kind in BROKEN) else None


def open_elsewhere(spec: str) -> AnswerModel:
    """The model called so, `kind:name`.

    Raises:
        ModelError: its kind is broken, with what is wrong; or what the kind itself says.
    """
    kind, _, name = spec.strip().partition(":")
    if kind in BROKEN:
        raise ModelError("kind_broken", kind=kind, reason=BROKEN[kind])
    return KINDS[kind](name)
