"""Answers leave at once: every line that comes in through the server's socket."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dashboard.hosting.sockets import send_at_once

OPEN = Path("/dev/fd")
pytestmark = pytest.mark.skipif(not OPEN.is_dir(), reason="a system without /dev/fd")


def held_back(one: socket.socket) -> bool:
    return one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_lines_that_come_in_hold_nothing_back(family: socket.AddressFamily) -> None:
    address = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}[family]
    with socket.socket(family) as server:
        try:
            server.bind((address, 0))
        except OSError:
            pytest.skip(f"no {address} on this machine")
        server.listen()
        with socket.create_connection(server.getsockname()[:2]) as before:
            with server.accept()[0] as line:
                assert held_back(line)  # as the system has it
            open_before = len(list(OPEN.iterdir()))
            assert send_at_once() == 1
            assert len(list(OPEN.iterdir())) == open_before
            assert held_back(before)  # somebody's own connection is none of its business
        with socket.create_connection(server.getsockname()[:2]), server.accept()[0] as line:
            assert not held_back(line)


def test_where_nobody_is_waited_for_nothing_is_told() -> None:
    assert send_at_once() == 0
