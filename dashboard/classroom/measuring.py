"""The model's effects for a room, measured once by a thread of their own while pupils predict."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

from dashboard.classroom.room import Lead
from dashboard.classroom.rooms import Rooms
from dashboard.gate import Waiting
from dashboard.shelf import Choice
from probes.asking.question import Question
from probes.errors import CruxError, ModelError
from probes.record.results import ProbeResult

log = logging.getLogger(__name__)


class Runs(Protocol):
    """What is wanted of a `Service`."""

    def run(
        self,
        study: str,
        choice: Choice,
        question: Question,
        options: Any,
        *,
        waiting: Waiting,
        on_progress: Callable[[int, int], None],
    ) -> ProbeResult: ...


class _NobodyWaits(Exception):
    """The room is closed, or asks about another passage."""


def measure(shop: Runs, rooms: Rooms, lead: Lead) -> threading.Thread:
    """Begin to measure what the room asks, and hand it in; stops where nobody waits for it any more."""
    thread = threading.Thread(target=_measure, args=(shop, rooms, lead), name="class", daemon=True)
    thread.start()
    return thread


def _measure(shop: Runs, rooms: Rooms, lead: Lead) -> None:
    asked = lead.asked

    def goes_on(done: int, total: int) -> None:
        if not rooms.hear(lead.code, lead.number, done, total):
            raise _NobodyWaits

    found: ProbeResult | CruxError = ModelError("page_room_unmeasured")
    try:
        found = shop.run(
            "words",
            asked.choice,
            asked.question,
            asked.options,
            waiting=lambda ahead: goes_on(0, 0),
            on_progress=goes_on,
        )
    except _NobodyWaits:
        return
    except CruxError as fault:
        found = fault
    except Exception as error:  # noqa: BLE001 - a thread's own message may hold what a teacher wrote
        log.error("%s while a class was measured for", type(error).__name__)
    rooms.measured(lead.code, lead.number, found)
