"""The address at which pupils join: that of the teacher's page, as phones in the same room can reach it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from probes.errors import InputError

JOIN = "join"
"""The last part of the pupils' address."""
Trouble = Literal["", "unknown", "closed", "alone"]


@dataclass(frozen=True)
class Address:
    """Where pupils join, and what keeps them from it.

    `trouble` is "unknown" where the browser does not say where the page is, "closed" where the server lets
    only this machine connect, "alone" where this machine has no address in a network.
    """

    join: str
    trouble: Trouble = ""

    def link(self, code: str) -> str:
        """What the QR code holds."""
        return f"{self.join}?room={code}"


def own_address() -> str | None:
    """This machine's address in its network, by the way out that its system would take; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        try:
            way.connect(("192.0.2.1", 9))  # an address of no machine (RFC 5737)
        except OSError:
            return None
        found = str(way.getsockname()[0])
    return None if _is_loopback(found) or found == "0.0.0.0" else found  # noqa: S104 - read, not bound


def join_address(
    page: str | None,
    *,
    setting: str = "",
    bound: str | None = None,
    here: Callable[[], str | None] = own_address,
) -> Address:
    """Where pupils join.

    Args:
        page: the address of the teacher's page, as the browser has it; behind a proxy or a path prefix it is
            the one outside.
        setting: the page's address as somebody who runs it names it; it wins.
        bound: the address that the server listens on; None: all of them.

    Raises:
        InputError: the setting is no http(s) address.
    """
    if setting:
        found = urlsplit(setting)
        if found.scheme not in ("http", "https") or not found.hostname or found.query or found.fragment:
            raise InputError("page_address", address=setting[:200])
        return Address(f"{setting.rstrip('/')}/{JOIN}")
    if not page:
        return Address("", "unknown")
    parts = urlsplit(page)
    trouble: Trouble = ""
    host = parts.netloc
    if _is_loopback(parts.hostname or ""):
        if bound and _is_loopback(bound):
            trouble = "closed"
        elif own := here():
            host = own if parts.port is None else f"{own}:{parts.port}"
        else:
            trouble = "alone"
    folder = parts.path.rpartition("/")[0]
    return Address(urlunsplit((parts.scheme, host, f"{folder}/{JOIN}", "", "")), trouble)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
