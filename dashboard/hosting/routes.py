"""Addresses of the server beside the page itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from streamlit import config
from streamlit.url_util import make_url_path

from dashboard.hosting.plain_page import language_of, plain_page


def under(path: str) -> str:
    """`path` below the prefix that the page is served under."""
    return make_url_path(str(config.get_option("server.baseUrlPath") or ""), path)


def health(ready: Callable[[], bool]) -> Route:
    """Whether the first page's numbers are there; a host waits for it before it sends visitors."""

    async def answer(request: Request) -> Response:
        done = ready()
        body = {"ready": done}
        return JSONResponse(body, 200 if done else 503, {"cache-control": "no-store"})

    return Route(under("healthz"), answer, methods=["GET"])


async def refused(request: Request, fault: Any) -> Response:
    """A plain page for whatever the server refuses."""
    return plain_page(int(getattr(fault, "status_code", 500)), language_of(request.scope))
