"""The models of all visitors: the built-in one, which is small and stays, and one other.

Each model has a gate of its own: a run, a load or a download holds up those who want the same model, nobody
else. The other model is let go before the next is loaded, and not while somebody holds its turn.

Gates are taken in one order: a model's own, the place for the other model, the turn of the model that is let
go, the right to load. Who holds one of the later ones asks for none before it, so no two wait for each other.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.gate import Gate, Waiting, patiently

if TYPE_CHECKING:
    from probes.models.base import AnswerModel


@dataclass(frozen=True)
class Choice:
    """A model as a visitor names it."""

    spec: str = "builtin"
    revision: str = ""
    device: str = "auto"
    dtype: str = "auto"


STAYS = Choice()
"""The built-in model as every visitor finds it; in another number format it is one of the others."""


class Shelf:
    """See the module's docstring. Threads of all visitors call it.

    Args:
        paths: whether a name may be a folder or a file of this machine.
    """

    def __init__(self, *, paths: bool) -> None:
        self._paths = paths
        self._kept: dict[Choice, AnswerModel] = {}
        self._gates: dict[Choice, Gate] = {}
        self._adding = threading.Lock()
        self._place = Gate()
        self._loading = Gate()

    def at_hand(self, choice: Choice) -> AnswerModel | None:
        """The model, where it is loaded. Whoever keeps it beyond a moment keeps its memory, too."""
        return self._kept.get(choice)

    @contextmanager
    def turn(self, choice: Choice, waiting: Waiting = patiently) -> Iterator[AnswerModel]:
        """Hold the only turn of this model, loaded where it is not at hand.

        Raises:
            CruxError: it cannot be had or does not fit.
        """
        with self._gate(choice).turn(waiting):
            yield self._kept.get(choice) or self._take_in(choice, waiting)

    def _gate(self, choice: Choice) -> Gate:
        with self._adding:
            return self._gates.setdefault(choice, Gate())

    def _take_in(self, choice: Choice, waiting: Waiting) -> AnswerModel:
        if choice == STAYS:
            return self._load(choice, waiting)
        with self._place.turn(waiting):
            for other in [kept for kept in self._kept if kept != STAYS]:
                with self._gate(other).turn(waiting):  # a run that uses it finishes first
                    del self._kept[other]
            gc.collect()
            _empty_device_cache()
            return self._load(choice, waiting)

    def _load(self, choice: Choice, waiting: Waiting) -> AnswerModel:
        from probes.models import load_model

        with self._loading.turn(waiting):
            model: AnswerModel = load_model(
                choice.spec,
                revision=choice.revision or None,
                device=choice.device,
                dtype=choice.dtype,
                paths=self._paths,
            )
        model.describe()  # the self-check, before anybody sees the model
        self._kept[choice] = model
        return model


def _empty_device_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
