"""A model hub on this machine: as much of the protocol as looking a model up and downloading it needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """Serves `folders` by repository id; `broken` answers an id with (status, X-Error-Code)."""

    def __init__(self) -> None:
        self.folders: dict[str, Path] = {}
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
            server.shutdown()
            server.server_close()
            thread.join()

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
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
                siblings = [{"rfilename": name, "size": len(content)} for name, content in files.items()]
                about = {"id": repo, "sha": COMMIT, "siblings": siblings, "private": False}
                return 200, {}, json.dumps(about).encode()
            if path.startswith(f"/api/models/{repo}/revision/"):
                return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
            if path.startswith(f"/{repo}/resolve/{COMMIT}/"):
                content = files[path.rsplit("/", 1)[1]]
                etag = hashlib.sha256(content).hexdigest()
                return 200, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}, content
        return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"

    @staticmethod
    def _entry(name: str, content: bytes) -> dict[str, object]:
        entry: dict[str, object] = {"type": "file", "path": name, "size": len(content)}
        entry["oid"] = hashlib.sha1(content).hexdigest()
        if name.endswith(".safetensors"):
            entry["lfs"] = {
                "oid": hashlib.sha256(content).hexdigest(),
                "size": len(content),
                "pointerSize": 1,
            }
        return entry

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply(True)

            def do_HEAD(self) -> None:
                self._reply(False)

            def _reply(self, body: bool) -> None:
                path = urlsplit(self.path).path
                hub.asked.append(f"{self.command} {path}")
                hub.tokens.append(self.headers.get("Authorization"))
                status, headers, content = hub.answer(path)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if body:
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
