"""What visitors send: counted before it is kept, refused in words, its name a name and no path."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from dashboard import uploads
from dashboard.limits import Limits
from dashboard.uploads import Uploads, clean_name

LIMITS = Limits(uploads=2, upload_bytes=1000, all_upload_bytes=1500)
Stored = dict[str, dict[str, UploadedFileRec]]


class Streamlit:
    """What is behind: keeps whatever it is given."""

    def __init__(self) -> None:
        self.stored: Stored = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        if scope["method"] == "PUT":
            session, file = scope["path"].split("/")[-2:]
            kept = self.stored.setdefault(session, {})
            kept[file] = UploadedFileRec(file, "passage.txt", "text/plain", body)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Streamlit:
    found = Streamlit()
    monkeypatch.setattr(uploads, "_stored", lambda: found.stored)
    return found


async def put(app: Uploads, session: str, file: str, size: int, language: str = "en") -> tuple[int, str]:
    sent: list[Any] = []
    parts = [{"body": b"x" * (size // 2), "more_body": True}, {"body": b"x" * (size - size // 2)}]

    async def receive() -> Any:
        await asyncio.sleep(0)
        return {"type": "http.request", "more_body": False, **parts.pop(0)}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-length", b"%d" % size), (b"accept-language", language.encode())]
    path = f"/_stcore/upload_file/{session}/{file}"
    await app({"type": "http", "method": "PUT", "path": path, "headers": headers}, receive, send)
    assert not parts, "the whole body is taken, so that the sender hears the answer"
    return sent[0]["status"], sent[1]["body"].decode()


def finished(task: Coroutine[Any, Any, Any]) -> Any:
    """Its result, from a thread of its own: tests of the browser leave a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, task).result()


def test_so_many_files_a_session(behind: Streamlit) -> None:
    app = Uploads(behind, LIMITS)
    assert [finished(put(app, "a", file, 10))[0] for file in "123"] == [204, 204, 413]
    assert finished(put(app, "a", "2", 20))[0] == 204, "one in the place of another is no more of them"
    del behind.stored["a"]["1"]
    assert finished(put(app, "a", "3", 10))[0] == 204


def test_so_many_bytes_a_session_and_of_all(behind: Streamlit) -> None:
    app = Uploads(behind, LIMITS)
    assert finished(put(app, "a", "1", 900))[0] == 204
    status, text = finished(put(app, "a", "2", 101))
    assert (status, "1,001" in text, "1,000" in text) == (413, True, True)
    status, text = finished(put(app, "b", "1", 700, "zh-CN"))
    assert (status, "1,600" in text, "1,500" in text, "所有访客" in text) == (413, True, True, True)


def test_files_that_come_at_once_are_counted_together(behind: Streamlit) -> None:
    async def all_at_once() -> list[tuple[int, str]]:
        app = Uploads(behind, LIMITS)
        return await asyncio.gather(*(put(app, "a", str(n), 400) for n in range(6)))

    statuses = [status for status, _ in finished(all_at_once())]
    assert sorted(statuses) == [204, 204, 413, 413, 413, 413]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/cron.d/x", "x"),
        ("C:\\windows\\boot.ini", "boot.ini"),
        ("a\0b\x1b[1m.txt", "ab[1m.txt"),
        ("\u202etxt.exe", "txt.exe"),
        ("", "?"),
        ("../", "?"),
        ("短文.txt", "短文.txt"),
        ("x" * 3000, "x" * 80),
    ],
)
def test_a_name_is_no_path(given: str, name: str) -> None:
    assert clean_name(given) == name
