"""A server that is told to end does so soon, whoever is still connected."""

from __future__ import annotations

import signal

from uvicorn import Server

GOODBYE = 3
"""Seconds that answers under way have to be read."""


def leave_in_time() -> None:
    """Tell the server of this process how long to wait for lines to close once it is told to end.

    By itself it waits for ever, and a line stays open as long as what was written to it is not read: a phone
    that sleeps keeps the process up until its host kills it, Docker after ten seconds. A server that was
    started otherwise than by Streamlit's command, or has been given a time, is left as it is.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if isinstance(server, Server) and server.config.timeout_graceful_shutdown is None:
        server.config.timeout_graceful_shutdown = GOODBYE
