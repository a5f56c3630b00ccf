"""Streamlit's own files, compressed: it sends them as they are, four times as many bytes.

Each file is compressed once, at its first visitor, and kept: only those that the page really loads are ever
asked for. A proxy in front that compresses by itself finds the work done.
"""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

KEPT = 12_000_000
"""Bytes of compressed files; all that any page here loads take a sixth of it."""
LEAST = 1_000
KINDS = (b"text/", b"application/javascript", b"application/json", b"image/svg")


class Packed:
    """ASGI middleware around Streamlit's `static` folder."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._kept: dict[tuple[str, bytes], bytes] = {}
        self._bytes = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or "/static/" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        told = dict(scope["headers"])
        if not _wants_gzip(told.get(b"accept-encoding", b"")) or b"range" in told:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Pack(self, scope["path"], send))

    async def pack(self, path: str, tag: bytes, body: bytes) -> bytes:
        """`body`, compressed; of a file that was asked for before, from memory."""
        if (found := self._kept.get((path, tag))) is None:
            found = await asyncio.to_thread(gzip.compress, body, 6, mtime=0)
            if tag and self._bytes + len(found) <= KEPT:
                self._kept[path, tag] = found
                self._bytes += len(found)
        return found


class _Pack:
    """Gathers an answer and sends it compressed, where that makes it smaller."""

    def __init__(self, packed: Packed, path: str, send: Any) -> None:
        self._packed, self._path, self._send = packed, path, send
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
        packed = await self._packed.pack(self._path, told.get(b"etag", b""), body)
        if len(packed) < len(body):
            told |= {b"content-encoding": b"gzip", b"content-length": b"%d" % len(packed)}
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


def _wants_gzip(told: bytes) -> bool:
    """Whether `Accept-Encoding` names it, and not with weight nought."""
    for one in told.split(b","):
        name, _, weight = one.strip().partition(b";")
        if name.strip() in (b"gzip", b"*"):
            return weight.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False
