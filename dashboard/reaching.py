"""Which model hubs can be reached: tried in the background, for all visitors, once a minute at most."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence

from probes.models.hubs import Hub, hubs, reach, try_reach

_guard = threading.Lock()
_trying: dict[str, threading.Thread] = {}
"""By address; `_guard` is held while it is read or written, not while a hub is asked."""


def look_around() -> Sequence[tuple[Hub, bool | None]]:
    """Every hub, and whether it can be reached; None for those that are being tried, which begins now."""
    found = [(hub, reach(hub)) for hub in hubs()]
    for hub, known in found:
        if known is None:
            _begin(hub)
    return found


def wait(asked: Iterable[Hub], seconds: float) -> bool:
    """Wait for hubs that are being tried; whether something is known of one of them now."""
    until, hubs_asked = time.monotonic() + seconds, list(asked)
    with _guard:
        under_way = [_trying[hub.address] for hub in hubs_asked if hub.address in _trying]
    for thread in under_way:
        thread.join(max(0.0, until - time.monotonic()))
    return any(reach(hub) is not None for hub in hubs_asked)


def _begin(hub: Hub) -> None:
    with _guard:
        if hub.address not in _trying:
            thread = threading.Thread(target=_try, args=(hub,), name="reach", daemon=True)
            _trying[hub.address] = thread
            thread.start()


def _try(hub: Hub) -> None:
    try:
        try_reach(hub)
    finally:
        with _guard:
            del _trying[hub.address]
