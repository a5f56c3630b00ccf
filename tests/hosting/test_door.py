"""The outermost layer: headers on every answer, plain pages, nothing of a fault but its kind and place."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import logging
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import streamlit
from starlette.responses import PlainTextResponse

from dashboard.hosting.door import Door, visitor
from dashboard.hosting.settings import Settings, read_settings
from tests.hosting.asked import ask

HOSTED = read_settings({"CRUX_HOSTED": "1"})
SECRET = "my own passage, which is nobody's business"
WANTED = (
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "permissions-policy",
    "x-frame-options",
)


async def well(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse(scope["client"][0])(scope, receive, send)


async def badly(scope: Any, receive: Any, send: Any) -> None:
    raise ValueError(SECRET)


class Scripts(HTMLParser):
    """The scripts that stand within a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._inside = tag == "script" and "src" not in dict(attrs)

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found.append(data)
            self._inside = False


def test_every_answer_carries_the_headers() -> None:
    for app, path in ((well, "/"), (badly, "/x"), (well, "/_stcore/metrics")):
        heard = ask(Door(app, HOSTED), path)
        assert [name for name in WANTED if name not in heard.headers] == []


@pytest.mark.parametrize("kind", ["application/javascript", "text/css; charset=utf-8", "font/woff2"])
def test_a_file_of_a_page_carries_those_that_mean_something_for_it(kind: str) -> None:
    async def file(scope: Any, receive: Any, send: Any) -> None:
        told = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": told})
        await send({"type": "http.response.body", "body": b"x"})

    found = ask(Door(file, HOSTED), "/static/x").headers
    assert set(found) == {"content-type", "x-content-type-options", "cross-origin-resource-policy"}
    # A policy of its own is what a script needs that is run as a worker: none is made of a file.
    policy = ask(Door(well, HOSTED)).headers["content-security-policy"]
    assert "worker-src blob:" in policy.split("; ")


def test_the_policy_lets_streamlits_own_script_run_and_no_other() -> None:
    page = Scripts()
    page.feed((Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8"))
    told = ask(Door(well, HOSTED)).headers["content-security-policy"]
    scripts = next(part for part in told.split("; ") if part.startswith("script-src"))
    assert page.found
    for script in page.found:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in scripts
    assert "unsafe" not in scripts
    assert "*" not in told


def test_who_may_frame_the_page() -> None:
    def frames(*named: str) -> tuple[str, str | None]:
        heard = ask(Door(well, Settings(frames=named))).headers
        policy = heard["content-security-policy"]
        return policy.partition("frame-ancestors ")[2], heard.get("x-frame-options")

    assert frames() == ("", None)
    assert frames("'self'") == ("'self'", "SAMEORIGIN")
    assert frames("'none'") == ("'none'", "DENY")
    assert frames("'self'", "https://huggingface.co") == ("'self' https://huggingface.co", None)


def test_a_fault_is_told_by_kind_and_place_alone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        heard = ask(Door(badly, HOSTED), "/x", headers={"accept-language": "zh-CN"})
    assert (heard.status, "出现了意料之外的错误" in heard.body) == (500, True)
    assert SECRET not in heard.body + caplog.text
    assert "Traceback" not in heard.body + caplog.text
    assert "ValueError at test_door.py:" in caplog.text


def test_streamlits_own_counters_are_closed_on_a_hosted_page_alone() -> None:
    for path in ("/_stcore/metrics", "/lab/_stcore/metrics", "/_stcore/agent/openapi.json"):
        assert ask(Door(well, HOSTED), path).status == 404
        assert ask(Door(well, Settings()), path).status == 200
    assert ask(Door(well, HOSTED), "/_stcore/health").status == 200


PROXY = Settings(proxies=tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "127.0.0.1"))))


@pytest.mark.parametrize(
    ("settings", "client", "told", "wanted"),
    [
        (Settings(), ("203.0.113.7", 4000), "198.51.100.1", "203.0.113.7"),  # nobody said to believe it
        (Settings(), ("198.51.100.1", 0), "198.51.100.1", "127.0.0.1"),  # the server itself believed it
        (PROXY, ("10.1.2.3", 4000), "198.51.100.1", "198.51.100.1"),
        (
            PROXY,
            ("10.1.2.3", 4000),
            "6.6.6.6, 198.51.100.1",
            "198.51.100.1",
        ),  # the first is the visitor's own
        (PROXY, ("10.1.2.3", 4000), "6.6.6.6, 198.51.100.1, 10.9.9.9", "198.51.100.1"),
        (PROXY, ("198.51.100.1", 0), "198.51.100.1", "198.51.100.1"),
        (PROXY, ("203.0.113.7", 4000), "198.51.100.1", "203.0.113.7"),  # not a proxy: may say what it likes
        (PROXY, ("10.1.2.3", 4000), "<script>", ""),
        (PROXY, ("10.1.2.3", 4000), None, "10.1.2.3"),
        (PROXY, ("10.1.2.3", 4000), "2001:db8::1", "2001:db8::1"),
    ],
)
def test_who_asks(settings: Settings, client: tuple[str, int], told: str | None, wanted: str) -> None:
    headers = [] if told is None else [(b"x-forwarded-for", told.encode())]
    assert visitor({"client": client, "headers": headers}, settings) == wanted


def test_what_is_behind_is_told_who_asks() -> None:
    heard = ask(Door(well, PROXY), client=("10.0.0.1", 9), headers={"X-Forwarded-For": "198.51.100.1"})
    assert heard.body == "198.51.100.1"
