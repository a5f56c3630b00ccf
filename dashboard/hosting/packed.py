"""Streamlit's own files, compressed: it sends them as they are, four times as many bytes.

Each file is compressed once in each coding, at its first visitor, and kept: only those that the page really
loads are ever asked for. Brotli's best takes a second for a large file: the first visitor gets the next best,
and the best is made meanwhile. A proxy in front that compresses by itself finds the work done.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping
from typing import Any

import brotli

LATER = 20.0
"""Seconds after which a file is compressed as far as it goes: whoever asked first has their page by then."""
KEPT = 12_000_000
"""Bytes of compressed files; all that any page here loads take a sixth of it."""
LEAST = 1_000
KINDS = (b"text/", b"application/javascript", b"application/json", b"image/svg")


def _best(body: bytes) -> bytes:
    found: bytes = brotli.compress(body, quality=11)
    return found


def _fast(body: bytes) -> bytes:
    found: bytes = brotli.compress(body, quality=5)
    return found


CODINGS: Mapping[bytes, Callable[[bytes], bytes]] = {
    b"br": _fast,
    b"gzip": lambda body: gzip.compress(body, 6, mtime=0),
}
"""By their names, the smaller one first."""
Key = tuple[str, bytes, bytes]
"""Path, the server's tag of the file as it is now, and the coding."""


class Packed:
    """ASGI middleware around Streamlit's `static` folder."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._kept: dict[Key, bytes] = {}
        self._one = asyncio.Lock()
        """One file at a time is compressed as far as it goes."""
        self._behind: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or "/static/" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"])
        coding = _wanted(told.get(b"accept-encoding", b""))
        if coding is None or b"range" in told:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Pack(self, scope["path"], coding, send))

    async def pack(self, key: Key, body: bytes) -> bytes:
        """`body`, compressed; of a file that was asked for before, from memory."""
        if (found := self._kept.get(key)) is None:
            found = await asyncio.to_thread(CODINGS[key[2]], body)
            if self._keep(key, found) and key[2] == b"br":
                task = asyncio.create_task(self._better(key, body))
                self._behind.add(task)
                task.add_done_callback(self._behind.discard)
        return found

    async def _better(self, key: Key, body: bytes) -> None:
        await asyncio.sleep(LATER)
        async with self._one:
            self._keep(key, await asyncio.to_thread(_best, body))

    def _keep(self, key: Key, packed: bytes) -> bool:
        others = sum(len(one) for name, one in self._kept.items() if name != key)
        if not key[1] or others + len(packed) > KEPT:
            return False
        self._kept[key] = packed
        return True


class _Pack:
    """Gathers an answer and sends it compressed, where that makes it smaller."""

    def __init__(self, packed: Packed, path: str, coding: bytes, send: Any) -> None:
        self._packed, self._path, self._coding, self._send = packed, path, coding, send
        self._start: Any = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start" and _packable(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._parts.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._whole()
        else:  # a server that sends files by itself was not asked to: its answer is left as it is
            await self._send(self._start)
            self._start = None
            await self._send(message)

    async def _whole(self) -> None:
        told = dict(self._start["headers"])
        body = b"".join(self._parts)
        packed = await self._packed.pack((self._path, told.get(b"etag", b""), self._coding), body)
        if len(packed) < len(body):
            told |= {b"content-encoding": self._coding, b"content-length": b"%d" % len(packed)}
            told |= {b"vary": b"Accept-Encoding"}
            told.pop(b"accept-ranges", None)
            body = packed
        await self._send({**self._start, "headers": list(told.items())})
        await self._send({"type": "http.response.body", "body": body})


def _packable(message: Any) -> bool:
    told = dict(message["headers"])
    large = int(told.get(b"content-length", b"0")) >= LEAST
    kind = told.get(b"content-type", b"").startswith(KINDS)
    return message["status"] == 200 and large and kind and b"content-encoding" not in told


def _wanted(told: bytes) -> bytes | None:
    """The best coding that `Accept-Encoding` names, and not with weight nought."""
    named: dict[bytes, bool] = {}
    for one in told.split(b","):
        name, _, weight = one.strip().partition(b";")
        named[name.strip()] = weight.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return next((coding for coding in CODINGS if named.get(coding, named.get(b"*", False))), None)
