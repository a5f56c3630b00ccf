"""The models of all visitors: the built-in one, which is small and stays, and one other.

A load or a download holds up those who want the same model, nobody else. Who uses a model holds a lease of
it, apart from the turn to run it (`dashboard.line`): the other model is let go before the next is loaded, and
not while anybody has a lease. Once another model is waited for, no new long run is let to the one that is to
go; short ones are, as long as one that began before keeps it anyway.

Taken in one order: a lease, the model's own gate, the place for the other model, the end of all leases of the
model that is let go, the right to load. Who holds one of the later ones asks for none before it, and nobody
has leases of two models, so no two wait for each other.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dashboard.gate import Gate, Standing, Waiting, patiently
from dashboard.line import Line, Rush
from probes.studies.base import inside_of

if TYPE_CHECKING:
    from dashboard.limits import Pin
    from probes.models.base import AnswerModel
    from probes.models.source import Source


@dataclass(frozen=True)
class Choice:
    """A model as a visitor names it."""

    spec: str = "builtin"
    revision: str = ""
    device: str = "auto"
    dtype: str = "auto"
    hub: str = field(default="", compare=False)
    """Where it is asked for, if it is not on this machine: says nothing of what it is."""


STAYS = Choice()
"""The built-in model as every visitor finds it; in another number format it is one of the others."""


class Leases:
    """Who uses one model: many at once, or one who lets it go."""

    def __init__(self, *, poll: float = 0.25) -> None:
        self._count = self._wanted = 0
        """Leases that are out, and those who wait to let the model go."""
        self._closed = False
        self._changed = threading.Condition()
        self._poll = poll

    def take(self, waiting: Waiting, *, brief: bool) -> None:
        """One more lease; `brief` ones are let while others are out, whoever waits."""
        while True:
            with self._changed:
                if not self._closed and (not self._wanted or (brief and self._count)):
                    self._count += 1
                    return
                self._changed.wait(self._poll)
            waiting(Standing(max(1, self._wanted)))

    def again(self) -> None:
        """One more, for who has one."""
        with self._changed:
            self._count += 1

    def give_back(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    @contextmanager
    def none(self, waiting: Callable[[int], None]) -> Iterator[None]:
        """While no lease is out, nor can be taken; `waiting` is told how many are out."""
        with self._changed:
            self._wanted += 1
        try:
            while left := self._left():
                waiting(left)
            yield
        finally:
            with self._changed:
                self._wanted -= 1
                self._closed = False
                self._changed.notify_all()

    def _left(self) -> int:
        with self._changed:
            if self._count:
                self._changed.wait(self._poll)
            self._closed = not self._count
            return self._count


class Shelf:
    """See the module's docstring. Threads of all visitors call it.

    Args:
        paths: whether a name may be a folder or a file of this machine.
        pins: which files are meant by a name; what is not among them is loaded as it is found.
    """

    def __init__(self, *, paths: bool, pins: Mapping[str, Pin] | None = None) -> None:
        self._paths, self._pins = paths, pins or {}
        self._kept: dict[Choice, AnswerModel] = {}
        self._gates: dict[Choice, Gate] = {}
        self._leases: dict[Choice, Leases] = {}
        self._lines: dict[Choice, Line] = {}
        self._rush = Rush()
        self._adding = threading.Lock()
        self._place = Gate()
        self._loading = Gate()

    def at_hand(self, choice: Choice) -> AnswerModel | None:
        """The model, where it is loaded. Whoever keeps it beyond a moment keeps its memory, too."""
        return self._kept.get(choice)

    @property
    def models(self) -> list[AnswerModel]:
        """All that are loaded."""
        return list(self._kept.values())

    def source(self, choice: Choice) -> Source:
        """Where the files of a model are that is none from elsewhere.

        Raises:
            CruxError: the name is none of a model.
        """
        from probes.models.source import resolve

        return resolve(choice.spec, self._revision(choice), paths=self._paths, hub=choice.hub)

    def spare(self, choice: Choice) -> int:
        """Bytes of weights that are let go before `choice` is loaded, where it will be."""
        from probes.models.local import LocalModel
        from probes.models.placement import device_named

        others = [model for kept, model in list(self._kept.items()) if kept not in (STAYS, choice)]
        device = device_named(choice.device)
        return sum(
            model.loaded.size.parameters * (4 if model.loaded.dtype == "float32" else 2)
            for model in others
            if isinstance(model, LocalModel) and model.loaded.device == device
        )

    def _revision(self, choice: Choice) -> str | None:
        pin = self._pins.get(choice.spec)
        return choice.revision or (pin.revision if pin else None)

    def line(self, choice: Choice) -> Line:
        """Whose turn it is at a model that is at hand."""
        with self._adding:
            return self._lines[choice]

    def leases(self, choice: Choice) -> Leases:
        with self._adding:
            return self._leases.setdefault(choice, Leases())

    @contextmanager
    def lease(
        self, choice: Choice, waiting: Waiting = patiently, *, brief: bool = False
    ) -> Iterator[AnswerModel]:
        """The model, loaded where it is not at hand, and not let go meanwhile.

        Args:
            brief: whether it is for a moment.

        Raises:
            CruxError: it cannot be had or does not fit.
        """
        leases, waited = self.leases(choice), list[Standing]()

        def told(standing: Standing) -> None:
            waited[:] = [standing]
            waiting(standing)

        leases.take(told, brief=brief)
        try:
            model = self._kept.get(choice)
            if model is None:
                with self._gate(choice).turn(told):
                    model = self._kept.get(choice) or self._take_in(choice, told)
            if waited and waited[0].ahead:
                waiting(Standing(0))
            yield model
        finally:
            leases.give_back()

    def _gate(self, choice: Choice) -> Gate:
        with self._adding:
            return self._gates.setdefault(choice, Gate())

    def _take_in(self, choice: Choice, waiting: Waiting) -> AnswerModel:
        if choice == STAYS:
            return self._load(choice, waiting)
        with self._place.turn(waiting):
            for other in [kept for kept in self._kept if kept != STAYS]:
                line = self.line(other)
                with self.leases(other).none(lambda left: waiting(Standing(left, line.seconds()))):  # noqa: B023
                    del self._kept[other], self._lines[other]
            gc.collect()
            _empty_device_cache()
            return self._load(choice, waiting)

    def _load(self, choice: Choice, waiting: Waiting) -> AnswerModel:
        from probes.models import load_model

        pin = self._pins.get(choice.spec)
        with self._loading.turn(waiting):
            model: AnswerModel = load_model(
                choice.spec,
                revision=self._revision(choice),
                device=choice.device,
                dtype=choice.dtype,
                paths=self._paths,
                weights=pin.weights if pin else None,
                hub=choice.hub,
            )
        model.describe()  # the self-check, before anybody sees the model
        with self._adding:
            elsewhere = inside_of(model) is None
            self._lines[choice] = Line(alone=elsewhere, rush=None if elsewhere else self._rush)
        self._kept[choice] = model
        return model


def _empty_device_cache() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
