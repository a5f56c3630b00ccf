"""A visitor without a browser: one websocket, one page, and what somebody does with it."""

from __future__ import annotations

import asyncio
import time
import urllib.parse
import urllib.request
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.load.page import Page

Seen = Callable[[], bool]


class Gone(Exception):
    """The server ended the line; with the code that it gave."""


class Visitor:
    """One tab of one browser. Nothing of it is shared; used by one loop.

    Args:
        url: of the server, with a slash at its end.
        heard: called with the bytes of everything that comes.
    """

    def __init__(
        self, url: str, heard: Callable[[bytes], None] = lambda data: None, locale: str = "en-GB"
    ) -> None:
        self.url, self._heard = url, heard
        self.page = Page("", url, locale)
        self._locale = locale
        self._cookie = ""
        self._socket: ClientConnection | None = None
        self._changed = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []
        self.closed = ""

    async def open(self, query: str = "", page: str = "") -> Visitor:
        """Load the page at this address, as somebody who follows a link or reloads."""
        await self.leave()
        if not self._cookie:
            self._cookie = await asyncio.to_thread(_cookie_of, self.url)
        self.closed = ""
        self.page = Page(query, self.url + page, self._locale)
        self._socket = await connect(
            self.url.replace("http", "ws", 1) + "_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers={"Cookie": self._cookie},
            max_size=None,
            ping_interval=None,
            open_timeout=60,
        )
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._again())]
        await self._socket.send(self.page.rerun(page=page))
        return self

    async def leave(self) -> None:
        """Close the tab, whatever is under way."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    async def send(self, data: bytes) -> None:
        assert self._socket is not None
        try:
            await self._socket.send(data)
        except ConnectionClosed as fault:
            raise Gone(str(fault)) from fault

    async def until(self, seen: Seen, seconds: float) -> float:
        """Wait until the page shows something; how long that took.

        Raises:
            Gone: the server closed the line.
            TimeoutError: it did not come.
        """
        begun = time.perf_counter()

        def over() -> bool:
            return bool(self.closed) or seen()

        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(over), seconds)
            except TimeoutError:
                raise TimeoutError(
                    f"not within {seconds} s on {self.page.url}?{self.page.query}: {self.page.texts()}"
                ) from None
        if self.closed:
            raise Gone(self.closed)
        return time.perf_counter() - begun

    async def _listen(self) -> None:
        assert self._socket is not None
        try:
            async for data in self._socket:
                assert isinstance(data, bytes)
                self._heard(data)
                self.page.heard(data)
                async with self._changed:
                    self._changed.notify_all()
            self.closed = f"closed: {self._socket.close_code}"
        except ConnectionClosed as fault:
            self.closed = str(fault)
        async with self._changed:
            self._changed.notify_all()

    async def _again(self) -> None:
        """Fragments that run by themselves."""
        due: dict[str, float] = {}
        while True:
            await asyncio.sleep(0.1)
            now = time.monotonic()
            due = {name: due.get(name, now + every) for name, every in self.page.every.items()}
            for name, at in due.items():
                if now >= at:
                    due[name] = now + self.page.every[name]
                    await self.send(self.page.rerun(fragment=name, auto=True))


def _cookie_of(url: str) -> str:
    """What the server gives a browser that comes for the first time."""
    with urllib.request.urlopen(f"{url}_stcore/health", timeout=60) as answer:
        return "; ".join(one.split(";")[0] for one in answer.headers.get_all("Set-Cookie") or [])
