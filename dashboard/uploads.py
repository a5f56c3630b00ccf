"""Files that visitors send: how many, how large, and under which names, before Streamlit keeps them.

Streamlit holds every file of a session in memory until the session ends, whatever its page asks for, so the
bounds stand in front of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Any

from streamlit import config, runtime
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from dashboard.limits import Limits
from probes.errors import LimitError

_ADDRESS = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/(?P<file>[^/]+)$")
LONGEST_NAME = 80
"""Characters of a file's name that are kept."""
Files = Mapping[str, UploadedFileRec]


def clean_name(name: str) -> str:
    """The last part of a path, without what cannot be seen; never empty."""
    last = re.split(r"[/\\]", name)[-1]
    seen = "".join(c for c in last if unicodedata.category(c)[0] != "C")
    return seen.strip()[:LONGEST_NAME] or "?"


class Uploads:
    """ASGI middleware around Streamlit's own address for files.

    Args:
        app: what is behind.
        limits: what this page allows.
    """

    def __init__(self, app: Any, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._coming: Counter[str] = Counter()
        self._coming_bytes: Counter[str] = Counter()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        found = _ADDRESS.search(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] != "PUT":
            await self._app(scope, receive, send)
            return
        session, size = found["session"], _size(scope)
        try:
            self._check(session, found["file"], size)
        except LimitError as fault:
            await _refuse(receive, send, fault.say(_language(scope)))
            return
        self._coming[session] += 1
        self._coming_bytes[session] += size
        try:
            await self._app(scope, receive, send)
        finally:
            for coming, gone in ((self._coming, 1), (self._coming_bytes, size)):
                coming[session] -= gone
                if not coming[session]:
                    del coming[session]
            _rename(session, found["file"])

    def _check(self, session: str, file: str, size: int) -> None:
        """Raises:
        LimitError: with this file there would be too many, or too much.
        """
        stored = _stored()
        mine = {name: one for name, one in stored.get(session, {}).items() if name != file}
        count = len(mine) + self._coming[session]
        if count >= self._limits.uploads:
            raise LimitError("page_uploads", count=count, most=self._limits.uploads)
        held = _bytes(mine) + self._coming_bytes[session] + size
        if held > self._limits.upload_bytes:
            raise LimitError("page_upload_bytes", bytes=held, most=self._limits.upload_bytes)
        everybody = sum(map(_bytes, stored.values())) + self._coming_bytes.total() + size
        if everybody > self._limits.all_upload_bytes:
            raise LimitError("page_all_upload_bytes", bytes=everybody, most=self._limits.all_upload_bytes)


def _stored() -> dict[str, dict[str, UploadedFileRec]]:
    """What Streamlit holds: session -> file -> record."""
    if not runtime.exists():
        return {}
    manager: Any = runtime.get_instance().uploaded_file_mgr
    return {session: dict(files) for session, files in list(manager.file_storage.items())}


def _bytes(files: Files) -> int:
    return sum(len(one.data) for one in files.values())


def _rename(session: str, file: str) -> None:
    """A name is somebody's text: of a path only the last part is kept."""
    if (one := _stored().get(session, {}).get(file)) and one.name != clean_name(one.name):
        manager: Any = runtime.get_instance().uploaded_file_mgr
        manager.add_file(session, one._replace(name=clean_name(one.name)))


def _header(scope: Any, name: bytes) -> str:
    return str(dict(scope["headers"]).get(name, b"").decode("latin-1"))


def _size(scope: Any) -> int:
    """As the request says; where it does not say, as large as it may be."""
    told = _header(scope, b"content-length")
    return int(told) if told.isdecimal() else _largest()


def _largest() -> int:
    """Bytes of one file that Streamlit takes."""
    return int(config.get_option("server.maxUploadSize")) * 2**20


def _language(scope: Any) -> str:
    return "zh" if _header(scope, b"accept-language").lower().startswith("zh") else "en"


async def _refuse(receive: Any, send: Any, text: str) -> None:
    """Say why; what is on its way is dropped first, or the sender sees a broken line instead."""
    left = 2 * _largest()
    while left > 0 and (message := await receive()).get("more_body"):
        left -= len(message["body"])
    body = text.encode()
    kind = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 413, "headers": kind})
    await send({"type": "http.response.body", "body": body})
