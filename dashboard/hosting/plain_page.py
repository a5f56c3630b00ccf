"""Pages that are no page of Streamlit's: an error, the operator's; text alone, without a script."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from dashboard.wording import TEXTS

_PAGE = Markup("""<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} · Crux</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }}
td, th {{ padding: 0.15rem 1.5rem 0.15rem 0; text-align: left; vertical-align: top; }}
td:last-child {{ font-variant-numeric: tabular-nums; }}
input, button {{ font: inherit; padding: 0.3rem 0.6rem; }}
</style></head><body><h1>{title}</h1>
{body}</body></html>
""")
SAID = (404, 405, 413, 429, 500, 503)


def page(title: str, body: Markup, lang: str, status: int = 200) -> HTMLResponse:
    """A whole page; no browser keeps it."""
    html = _PAGE.format(lang=lang, title=title, body=body)
    return HTMLResponse(html, status, {"cache-control": "no-store"})


def plain_page(status: int, lang: str) -> HTMLResponse:
    """What went wrong, in a sentence."""
    known = status if status in SAID else (500 if status >= 500 else 404)
    title = TEXTS.say(f"hosting.error_{known}", lang)
    body = Markup("<p>") + escape(TEXTS.say(f"hosting.error_{known}_do", lang)) + Markup("</p>")
    return page(title, body, lang, status)


def language_of(scope: Any) -> str:
    """The browser's."""
    told = dict(scope.get("headers") or ()).get(b"accept-language", b"")
    return "zh" if told.lower().startswith(b"zh") else "en"
