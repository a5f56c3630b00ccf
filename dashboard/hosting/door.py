"""The outermost layer of the server: who asks, what may be asked, what every answer carries.

What goes wrong behind it is logged by kind and place, and answered by a plain page: neither a traceback nor
anybody's text reaches a log or a browser.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from typing import Any

from dashboard.hosting.buckets import Buckets
from dashboard.hosting.counters import COUNTERS
from dashboard.hosting.first import FIRST_PAGE
from dashboard.hosting.headers import headers, of_answer
from dashboard.hosting.plain_page import language_of, plain_page
from dashboard.hosting.rates import Rates
from dashboard.hosting.settings import Network, Rate, Settings
from dashboard.hosting.where import where

log = logging.getLogger("dashboard")
CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/script-health-check")
"""Streamlit's own addresses that say more of a host than visitors need."""
STREAM = "/_stcore/stream"


class Door:
    """ASGI middleware around everything else.

    Args:
        app: what is behind.
        settings: of this host.
    """

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._headers = headers(settings)
        self._rates = Rates(settings)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope["client"] = (visitor(scope, self._settings), 0)
        answer = _Answer(send, self._headers)
        if self._settings.hosted and any(part in scope["path"] for part in CLOSED):
            await _turn_away(scope, answer, 404)
            return
        if page := _is_page(scope):
            FIRST_PAGE.ask()
        if scope["path"].endswith(STREAM) and scope["type"] == "websocket":
            await self._visit(scope, receive, answer)
        elif page and self._full():
            await _turn_away(scope, answer, 503)
        else:
            await self._through(scope, receive, answer)

    def _full(self) -> bool:
        rate = self._settings.rate
        return rate is not None and COUNTERS.now("visitors_now") >= rate.sessions

    async def _visit(self, scope: Any, receive: Any, answer: _Answer) -> None:
        """A browser's line to the page, as long as it is open."""
        refused = "page_full" if self._full() else ""
        if not refused and not self._rates.visit(scope["client"][0]):
            refused = "page_visits"
        if refused:
            COUNTERS.add("refusals", refused)
            await answer({"type": "websocket.close", "code": 1013})
            return
        COUNTERS.add("visits")
        with COUNTERS.during("visitors_now"):
            await self._through(scope, slowed(receive, answer, self._settings.rate), answer)

    async def _through(self, scope: Any, receive: Any, answer: _Answer) -> None:
        try:
            await self._app(scope, receive, answer)
        except Exception as fault:  # noqa: BLE001 - the last one who can say something
            log.error("%s at %s", type(fault).__name__, where(fault))
            if not answer.begun:
                await _turn_away(scope, answer, 500)


class _Answer:
    """Sends on, with the host's headers added."""

    def __init__(self, send: Any, more: list[tuple[bytes, bytes]]) -> None:
        self._send, self._more = send, more
        self.begun = False

    async def __call__(self, message: Any) -> None:
        if message["type"] in ("http.response.start", "websocket.accept", "websocket.close"):
            self.begun = True
        if message["type"] == "http.response.start":
            given = [(name.lower(), value) for name, value in message.get("headers", ())]
            has = dict(given)
            added = of_answer(self._more, has.get(b"content-type", b""))
            added = [one for one in added if one[0] not in has]
            message = {**message, "headers": [*given, *added]}
        await self._send(message)


async def _turn_away(scope: Any, send: Any, status: int) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1011 if status == 500 else 1008})
        return
    await plain_page(status, language_of(scope))(scope, _nothing, send)


async def _nothing() -> Any:
    """What a page that is only sent reads of its visitor."""
    return {"type": "http.disconnect"}


def slowed(receive: Any, send: Any, rate: Rate | None) -> Any:
    """`receive` of one line, no faster and no larger than the rate has it."""
    if rate is None:
        return receive
    bucket = Buckets(rate.messages, rate.messages_a_minute)

    async def next_one() -> Any:
        while wait := bucket.take(""):
            await asyncio.sleep(wait)
        message = await receive()
        if len(message.get("bytes") or message.get("text") or b"") > rate.message_bytes:
            COUNTERS.add("refusals", "page_message")
            await send({"type": "websocket.close", "code": 1009})
            return {"type": "websocket.disconnect", "code": 1009}
        return message

    return next_one


def _is_page(scope: Any) -> bool:
    """Whether a person asks for it: no file, and nothing of Streamlit's or the operator's."""
    own = ("/static/", "/_stcore/", "/media/", "/component/", "/healthz", "/operator")
    return scope["type"] == "http" and not any(part in scope["path"] for part in own)


def visitor(scope: Any, settings: Settings) -> str:
    """The address of who asks: the other end of the line or, where that is a proxy that the settings name,
    whom it says it asks for; "" where it says nothing that is an address.

    Of several names in a row the last is the newest: those before it may be anybody's words, so the row is
    read from its end, as long as those named are proxies themselves.
    """
    host, port = scope.get("client") or ("", 1)
    if port == 0:  # the server itself believes whoever asks from this machine, and has put this in its place
        host = "127.0.0.1"
    told = [value.decode("latin-1") for name, value in scope["headers"] if name.decode() == settings.header]
    row = [one.strip() for one in ",".join(told).split(",")] if told else []
    while _among(host, settings.proxies) and row:
        host = row.pop()
        if _address(host) is None:
            return ""
    return host


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _among(text: str, networks: tuple[Network, ...]) -> bool:
    found = _address(text)
    return found is not None and any(found in network for network in networks)
