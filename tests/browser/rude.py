"""A visitor without a browser: what any client may send to the page's server."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
import uuid
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

client = pytest.importorskip("websockets.sync.client")


class Rude:
    """One session of the server at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        with urllib.request.urlopen(f"{url}_stcore/health") as answer:
            cookies = [c.split(";")[0] for c in answer.headers.get_all("Set-Cookie") or []]
        self._cookie = "; ".join(cookies)
        self._token = next((c.partition("=")[2] for c in cookies if c.startswith("_streamlit_xsrf")), "")
        address = url.replace("http", "ws", 1) + "_stcore/stream"
        self._socket = client.connect(address, subprotocols=["streamlit"], max_size=None, ping_interval=None)
        self.session = ""

    def open(self, query: str = "", page: str = "") -> Rude:
        """Ask for the page, as a browser does at first."""
        asked = BackMsg()
        asked.rerun_script.query_string = query
        asked.rerun_script.page_name = page
        self._socket.send(asked.SerializeToString())
        return self

    def clear_caches(self) -> None:
        asked = BackMsg()
        asked.clear_cache = True
        self._socket.send(asked.SerializeToString())

    def until_drawn(self, seconds: float = 60.0) -> list[str]:
        """The headlines and errors of one run of the script, which must end within `seconds`."""
        said, until = [], time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            message = ForwardMsg()
            message.ParseFromString(self._socket.recv(timeout=left))
            kind = message.WhichOneof("type")
            if kind == "new_session":
                self.session = message.new_session.initialize.session_id
            elif kind == "delta":
                said += _texts(message.delta.new_element)
            elif kind == "script_finished":
                return said
        raise AssertionError(f"not drawn within {seconds} s: {said[-3:]}")

    def upload(self, data: bytes, name: str = "passage.txt") -> tuple[int, str]:
        """Status and text of the answer."""
        border = uuid.uuid4().hex
        head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = head.encode() + data + f"\r\n--{border}--\r\n".encode()
        address = f"{self.url}_stcore/upload_file/{self.session}/{uuid.uuid4()}"
        headers = {
            "Content-Type": f"multipart/form-data; boundary={border}",
            "X-Xsrftoken": self._token,
            "Cookie": self._cookie,
        }
        request = urllib.request.Request(address, data=body, headers=headers, method="PUT")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def close(self) -> None:
        self._socket.close()


def _texts(element: Any) -> list[str]:
    kind = element.WhichOneof("type")
    if kind == "heading":
        return [element.heading.body]
    if kind == "alert":
        return [element.alert.body]
    return []
