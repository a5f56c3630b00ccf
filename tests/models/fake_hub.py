"""A model hub on this machine, of Hugging Face's protocol and of ModelScope's: as much of both as looking a
model up and downloading it needs, from any byte on.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Semaphore, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Turnstile:
    """Open to all, or to so many."""

    def __init__(self) -> None:
        self._open, self._some = Event(), Semaphore(0)
        self._open.set()

    def wait(self, seconds: float) -> None:
        """Until it is one's turn; at most so long."""
        until = time.monotonic() + seconds
        while not self._open.is_set() and time.monotonic() < until:
            if self._some.acquire(timeout=0.02):
                return

    def let(self, number: int) -> None:
        self._some.release(number)

    def set(self) -> None:
        self._open.set()

    def clear(self) -> None:
        self._open.clear()


class FakeHub:
    """Serves `folders` by repository id; `broken` answers an id with (status, X-Error-Code).

    Weights are sent by `step` bytes; before each step it waits for `going`. `cut` breaks the line once, after
    so many bytes of a file; `spoilt` files are sent with another last byte than they are listed with.
    """

    def __init__(self) -> None:
        self.folders: dict[str, Path] = {}
        self.step, self.going = 1 << 20, Turnstile()
        self.sent = 0
        """Steps of weights so far."""
        self.cut: dict[str, int] = {}
        self.spoilt: set[str] = set()
        self.ranges: list[tuple[str, int]] = []
        """Files that were asked for in part, and from which byte on."""
        self.broken: dict[str, tuple[int, str]] = {}
        self.asked: list[str] = []
        self.tokens: list[str | None] = []
        self.url = ""

    def downloads(self) -> list[str]:
        """The files whose content was sent."""
        return [
            path.rsplit("/", 1)[1] for path in self.asked if path.startswith("GET") and "/resolve/" in path
        ]

    @contextmanager
    def running(self) -> Iterator[FakeHub]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            self.going.set()
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        """Status, headers, body of a request for `path`."""
        for repo, (status, code) in self.broken.items():
            if f"/{repo}" in path:
                return status, {"X-Error-Code": code, "X-Error-Message": "secret detail"}, b"{}"
        for repo, folder in self.folders.items():
            files = {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
            if path.startswith(f"/api/models/{repo}/tree/"):
                rows = [self._entry(name, content) for name, content in files.items()]
                return 200, {}, json.dumps(rows).encode()
            if path in (
                f"/api/models/{repo}",
                f"/api/models/{repo}/revision/{COMMIT}",
                f"/api/models/{repo}/revision/v1",
            ):
                siblings = [
                    {**self._entry(name, content), "rfilename": name} for name, content in files.items()
                ]
                about = {"id": repo, "sha": COMMIT, "siblings": siblings, "private": False}
                return 200, {}, json.dumps(about).encode()
            if path.startswith(f"/api/models/{repo}/revision/"):
                return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
            if path.startswith(f"/{repo}/resolve/{COMMIT}/"):
                content = files[path.rsplit("/", 1)[1]]
                etag = hashlib.sha256(content).hexdigest()
                return 200, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}, content
            if path == f"/api/v1/models/{repo}/repo/files":
                if query["Revision"] != ["master"]:
                    return 404, {}, b'{"Code": 404, "Success": false, "Message": "secret detail"}'
                rows = [self._scope_entry(name, content) for name, content in files.items()]
                told = {"Code": 200, "Success": True, "Data": {"Files": rows, "LatestCommitter": {"Id": ""}}}
                return 200, {}, json.dumps(told).encode()
            if path.startswith(f"/models/{repo}/resolve/master/"):
                return 200, {}, files[path.rsplit("/", 1)[1]]
        if path in ("/api/models", "/api/v1/models/Qwen/Qwen3-0.6B/repo/files"):  # is anybody there?
            return 200, {}, b"[]"
        return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"

    @staticmethod
    def _entry(name: str, content: bytes) -> dict[str, object]:
        entry: dict[str, object] = {"type": "file", "path": name, "size": len(content)}
        entry["oid"] = hashlib.sha1(content).hexdigest()
        if name.endswith(".safetensors"):
            entry["lfs"] = {
                "oid": hashlib.sha256(content).hexdigest(),
                "sha256": hashlib.sha256(content).hexdigest(),
                "size": len(content),
                "pointerSize": 1,
            }
        return entry

    @staticmethod
    def _scope_entry(name: str, content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        return {"Type": "blob", "Path": name, "Name": name, "Size": len(content), "Sha256": digest}

    def send(self, file: Any, name: str, content: bytes) -> bool:
        """False where the line is to be broken, or was."""
        most, step = self.cut.pop(name, None), self.step
        for start in range(0, len(content), step):
            if name.endswith(".safetensors"):
                self.going.wait(30)
            piece = content[start : start + step]
            broken = most is not None and start + len(piece) > most
            try:
                file.write(piece[: most - start] if broken else piece)
            except OSError:  # who asked has gone
                return False
            if broken:
                return False
            self.sent += name.endswith(".safetensors")
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply(True)

            def do_HEAD(self) -> None:
                self._reply(False)

            def _reply(self, body: bool) -> None:
                asked = urlsplit(self.path)
                name = asked.path.rsplit("/", 1)[1]
                hub.asked.append(f"{self.command} {asked.path}")
                hub.tokens.append(self.headers.get("Authorization"))
                status, headers, content = hub.answer(asked.path, parse_qs(asked.query))
                whole = len(content)
                if name in hub.spoilt and body:
                    content = content[:-1] + bytes([content[-1] ^ 1])
                if (part := self.headers.get("Range")) and status == 200:
                    start = int(part.removeprefix("bytes=").partition("-")[0])
                    hub.ranges.append((name, start))
                    status, content = 206, content[start:]
                    headers = {**headers, "Content-Range": f"bytes {start}-{whole - 1}/{whole}"}
                self.send_response(status)
                plain = {"Content-Type": "application/json", "Content-Length": str(len(content))}
                for key, value in {**plain, **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                if body and not hub.send(self.wfile, name, content):
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        return Handler
