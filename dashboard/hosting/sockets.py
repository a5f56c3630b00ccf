"""Answers leave when they are written, not when the last one has been acknowledged."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path


def send_at_once() -> int:
    """Tell the sockets that this process waits for visitors at, and so each line that comes in through them,
    to hold no small pieces back (`TCP_NODELAY`); how many were told.

    asyncio does that by itself, but only for sockets made with their protocol's number, which the server's is
    not. A file goes out as a head and a body, and the body waited until the head had been acknowledged: 40 ms
    for each of the sixty files of a page.
    """
    told = 0
    try:
        numbers = [int(entry.name) for entry in Path("/dev/fd").iterdir()]
    except OSError:  # Windows: every line stays as it is
        return 0
    for number in numbers:
        try:
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with socket.socket(fileno=os.dup(number)) as one:
                if _waits(one):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    told += 1
        except OSError:  # closed by now
            continue
    return told


def _waits(one: socket.socket) -> bool:
    """Whether it is bound to an address and connected to nobody."""
    if one.family not in (socket.AF_INET, socket.AF_INET6) or one.type != socket.SOCK_STREAM:
        return False
    try:
        one.getpeername()
    except OSError:
        return bool(one.getsockname()[1])
    return False
