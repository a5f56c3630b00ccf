"""Models before they are loaded: what is told of them, and their files, brought once for all who ask.

A download is a request as any other (`dashboard.flights`), but for no model's turn: whoever runs something
meanwhile is not held up, and no other model is let go until the files are here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from dashboard.flights import Flight, Flights, Visitor, Wanted
from dashboard.gate import patiently
from dashboard.limits import Limits
from dashboard.line import Line
from dashboard.shelf import Choice, Leases, Shelf

if TYPE_CHECKING:
    from probes.models.looking import Preview
    from probes.models.offers import Offer


class Bringing:
    """See the module's docstring. Threads of all visitors call it."""

    def __init__(self, shelf: Shelf, limits: Limits, flights: Flights) -> None:
        self._shelf, self._limits, self._flights = shelf, limits, flights

    def check(self, choice: Choice) -> None:
        """Raises:
        ModelError: the model, or the way it is asked for, is not allowed here.
        """
        self._limits.check_model(choice.spec, choice.device, choice.dtype, choice.revision, choice.hub)

    def needs_consent(self, choice: Choice) -> Literal["", "download", "elsewhere"]:
        """What loading it does that a link alone must not do: fetch files from the hub, or send the passage
        elsewhere.

        Raises:
            CruxError: the name is none of a model, or the model is not allowed here.
        """
        from probes.models.kinds import kind_of
        from probes.models.looking import on_this_machine

        self.check(choice)
        if kind_of(choice.spec):
            return "elsewhere"
        found = self._shelf.source(choice)
        return "" if on_this_machine(found) else "download"

    def bring(
        self,
        choice: Choice,
        visitor: Visitor | None = None,
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        """Have the model's files here, ready to be loaded: brought once for all who ask for it.

        It goes on while the visitor is connected, whichever page they look at; see `let_go`.

        Args:
            on_progress: see `probes.models.stages.Progress`; what it raises leaves.

        Raises:
            CruxError: it cannot be had, does not fit, is not allowed here.
        """
        from probes.models import loading
        from probes.models.kinds import kind_of

        self.check(choice)
        if kind_of(choice.spec) or self._shelf.at_hand(choice):
            return
        source = self._shelf.source(choice)
        if source.path and source.kind != "gguf":
            return

        def compute(flight: Flight) -> None:
            loading.bring(
                source,
                device=choice.device,
                dtype=choice.dtype,
                on_progress=flight.tell,
                spare=self._shelf.spare(choice),
                package=not self._limits.hosted,
            )

        wanted = Wanted(_files(choice), Line(), Leases(), 0.0, compute, lasting=True)
        self._flights.follow(wanted, visitor or Visitor(), patiently, on_progress)

    def under_way(self, choice: Choice) -> bool:
        """Whether the model's files are being brought, for whomever."""
        return self._flights.under_way(_files(choice))

    def let_go(self, choice: Choice, visitor: Visitor) -> None:
        """`visitor` wants the files no longer: a download ends where nobody else does; what came stays."""
        self._flights.let_go(_files(choice), visitor.key)

    def preview(self, choice: Choice) -> Preview:
        """What loading the model would take: a question to a hub, at most.

        Raises:
            CruxError: it cannot be had, or is not allowed here; or it answers from elsewhere.
        """
        from probes.models.looking import preview

        self.check(choice)
        found = preview(self._shelf.source(choice), device=choice.device, dtype=choice.dtype)
        roomy = replace(found.size, bytes_free=found.size.bytes_free + self._shelf.spare(choice))
        return replace(found, size=roomy)

    def offer(self, choice: Choice) -> Offer:
        """What is told of a model of the list: nobody is asked.

        Raises:
            CruxError: it is not allowed here, or there is no such device.
        """
        from probes.models.offers import offer

        self.check(choice)
        return offer(self._shelf.source(choice), choice.device, choice.dtype, self._shelf.spare(choice))


def _files(choice: Choice) -> Hashable:
    """What names the request for a model's files: not from where, nor how it is to be loaded."""
    return "files", choice.spec, choice.revision
