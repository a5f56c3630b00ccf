"""The operator's page: counts since the start, behind a token that only the environment knows.

Without a token there is no such page. The token comes in a header or in the body of a form, never in an
address, where it would stay in histories and logs; it is compared in a time that says nothing of it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qs

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard.hosting.counters import COUNTERS
from dashboard.hosting.plain_page import language_of, page, plain_page
from dashboard.hosting.routes import under
from dashboard.wording import TEXTS

LONGEST = 2_000
"""Bytes of a form."""
Counts = Mapping[str, Mapping[str, float]]


def operator_routes(token: str) -> list[Route]:
    """The page, and the same as text for Prometheus; without a token both are unknown."""

    async def shown(request: Request) -> Response:
        lang = language_of(request.scope)
        if not token:
            return plain_page(404, lang)
        given = _in_header(request)
        if request.method == "POST":
            given = given or await _in_form(request)
        if given and right(given, token):
            return page(TEXTS.say("hosting.operator", lang), table(COUNTERS.all(), lang), lang)
        return page(TEXTS.say("hosting.operator", lang), _form(lang, wrong=bool(given)), lang, 401)

    async def metrics(request: Request) -> Response:
        if not token:
            return plain_page(404, language_of(request.scope))
        if not right(_in_header(request), token):
            return PlainTextResponse("", 401, {"www-authenticate": "Bearer", "cache-control": "no-store"})
        kind = "text/plain; version=0.0.4"
        return PlainTextResponse(
            prometheus(COUNTERS.all()), 200, {"cache-control": "no-store"}, media_type=kind
        )

    return [
        Route(under("operator"), shown, methods=["GET", "POST"]),
        Route(under("operator/metrics"), metrics, methods=["GET"]),
    ]


def right(given: str, token: str) -> bool:
    """Whether it is the token; takes as long whatever is wrong with it."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _in_header(request: Request) -> str:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else ""


async def _in_form(request: Request) -> str:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            return ""
    return parse_qs(body.decode("utf-8", "replace"), max_num_fields=3).get("token", [""])[0].strip()


def _form(lang: str, *, wrong: bool) -> Markup:
    said = escape(TEXTS.say("hosting.operator_wrong" if wrong else "hosting.operator_ask", lang))
    name, send = (escape(TEXTS.say(f"hosting.operator_{part}", lang)) for part in ("token", "open"))
    return Markup(
        '<p>{}</p><form method="post"><label>{} <input type="password" name="token" autocomplete="off"'
        " required></label> <button>{}</button></form>"
    ).format(said, name, send)


def table(counts: Counts, lang: str) -> Markup:
    """Every count in a line of its own."""
    rows = []
    for name, kinds in counts.items():
        said = TEXTS.say(f"hosting.count_{name}", lang)
        rows += [(f"{said} · {kind}" if kind else said, f"{count:,}") for kind, count in kinds.items()]
        if not kinds:
            rows.append((said, "0"))
    cells = Markup("\n").join(Markup("<tr><th>{}</th><td>{}</td></tr>").format(*row) for row in rows)
    return Markup("<table>{}</table>").format(cells)


def prometheus(counts: Counts) -> str:
    """The same in Prometheus' text format."""
    written = []
    for name, kinds in counts.items():
        gauge = name.endswith(("_now", "_bytes", "_seconds"))
        full = f"crux_{name}" if gauge else f"crux_{name}_total"
        written.append(f"# TYPE {full} {'gauge' if gauge else 'counter'}")
        for kind, count in kinds.items():
            safe = re.sub(r"[^A-Za-z0-9_.]", "_", kind)
            label = f'{{kind="{safe}"}}' if kind else ""
            written.append(f"{full}{label} {count:g}" if count < 1e6 else f"{full}{label} {count:.0f}")
    return "\n".join(written) + "\n"
