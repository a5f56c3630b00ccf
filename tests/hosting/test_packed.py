"""Streamlit's files compressed: the same bytes once unpacked, fewer on the way, left alone where unwanted."""

from __future__ import annotations

import asyncio
import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import brotli
import pytest
import streamlit
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from dashboard.hosting import packed
from dashboard.hosting.packed import Packed

STATIC = Path(streamlit.__file__).parent / "static" / "static"
SCRIPT = max((path for path in (STATIC / "js").glob("index.*.js")), key=lambda path: path.stat().st_size)
FONT = next((STATIC / "media").glob("*.woff2"))


@pytest.fixture(scope="module")
def app() -> Packed:
    return Packed(Starlette(routes=[Mount("/static", StaticFiles(directory=STATIC))]))


def get(app: Any, path: Path, **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent: list[Any] = []
    told = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    where = f"/static/{path.parent.name}/{path.name}"
    scope = {"type": "http", "method": "GET", "path": where, "headers": told, "query_string": b""}
    scope |= {"root_path": "", "http_version": "1.1", "scheme": "http", "server": ("t", 80)}

    async def receive() -> Any:
        return await asyncio.Event().wait()  # the visitor stays to the end

    async def send(message: Any) -> None:
        sent.append(message)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, app(scope, receive, send)).result()
    found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(one.get("body", b"") for one in sent[1:])


@pytest.mark.parametrize(
    ("accepted", "coding"), [("gzip, br", "br"), ("gzip, br;q=0", "gzip"), ("*", "br"), ("gzip", "gzip")]
)
def test_a_script_arrives_whole_and_smaller(app: Packed, accepted: str, coding: str) -> None:
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress}[coding]
    for _ in range(2):  # compressed now, then from memory
        status, told, body = get(app, SCRIPT, accept_encoding=accepted)
        assert (status, told["content-encoding"], told["vary"]) == (200, coding, "Accept-Encoding")
        assert int(told["content-length"]) == len(body) < SCRIPT.stat().st_size / 2
        assert unpack(body) == SCRIPT.read_bytes()


def test_later_visitors_get_the_best_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "LATER", 0.0)
    app = Packed(Starlette(routes=[Mount("/static", StaticFiles(directory=STATIC))]))

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        await asyncio.gather(*app._behind)

    first, second = (get(asked, SCRIPT, accept_encoding="br")[2] for _ in range(2))
    assert len(second) < len(first)
    assert brotli.decompress(second) == brotli.decompress(first) == SCRIPT.read_bytes()


@pytest.mark.parametrize("told", [{}, {"accept_encoding": "zstd"}, {"accept_encoding": "gzip;q=0"}])
def test_who_does_not_ask_for_it_gets_the_file(app: Packed, told: dict[str, str]) -> None:
    status, headers, body = get(app, SCRIPT, **told)
    assert (status, "content-encoding" in headers) == (200, False)
    assert body == SCRIPT.read_bytes()


def test_a_part_and_a_font_are_left_alone(app: Packed) -> None:
    status, headers, body = get(app, SCRIPT, accept_encoding="gzip", range="bytes=0-9")
    assert (status, body) == (206, SCRIPT.read_bytes()[:10])
    assert "content-encoding" not in headers
    _, headers, body = get(app, FONT, accept_encoding="gzip")
    assert "content-encoding" not in headers
    assert body == FONT.read_bytes()


def test_what_is_not_there_is_said_as_before(app: Packed) -> None:
    assert get(app, STATIC / "js" / "none.js", accept_encoding="gzip")[0] == 404
