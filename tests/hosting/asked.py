"""Asks an ASGI application one thing, as a server would."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any


@dataclass
class Heard:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: str


def ask(
    app: Any,
    path: str = "/",
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    client: tuple[str, int] = ("203.0.113.7", 40000),
    kind: str = "http",
) -> Heard:
    """One request; a socket that is refused has its close code for a status."""
    sent: list[Any] = []
    told = [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()]
    scope: dict[str, Any] = {"type": kind, "method": method, "path": path, "raw_path": path.encode()}
    scope |= {"query_string": b"", "headers": told, "client": client, "server": ("testserver", 80)}
    scope |= {"scheme": "http", "http_version": "1.1", "root_path": "", "subprotocols": []}
    waiting = [
        {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request", "body": body}
    ]

    async def receive() -> Any:
        await asyncio.sleep(0)
        return waiting.pop(0) if waiting else {"type": f"{kind}.disconnect", "code": 1000}

    async def send(message: Any) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as pool:  # tests of the browser leave a loop running in this thread
        pool.submit(asyncio.run, app(scope, receive, send)).result()
    if kind == "websocket":
        return Heard(sent[-1].get("code", 0), {}, "")
    found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return Heard(sent[0]["status"], found, b"".join(m.get("body", b"") for m in sent[1:]).decode())
