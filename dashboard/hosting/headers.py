"""What every answer tells a browser about the page: where its scripts come from, who may frame it.

As strict as Streamlit permits. Scripts: its own files, one line within its `index.html`, those that the
close-up of attention consists of (known by their hashes), and blobs, which is how it brings a component's
script into the page. Styles are written by its scripts as the page is drawn, so none can be named.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import streamlit

from dashboard.hosting.settings import Settings
from dashboard.widgets.bertviz import Words, script_hashes
from probes.locale import LANGUAGES

_INLINE = re.compile(r"<script>(.*?)</script>", re.S)
_DEVICES = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer"),
    *("microphone", "midi", "payment", "usb"),
)
Header = tuple[bytes, bytes]
FILES = (b"application/javascript", b"text/javascript", b"text/css", b"font/")
OF_A_FILE = (b"x-content-type-options", b"cross-origin-resource-policy")
"""Scripts, styles and letters are parts of a page, whose policy holds for them, and no worker is made of a
file: the rest would be a twelfth of all that a first visit sends.
"""


def inline_scripts(html: str) -> list[str]:
    """Hashes of the scripts that stand within a page, as a policy names them."""
    found = _INLINE.findall(html)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in found]


@cache
def _known() -> tuple[str, ...]:
    """Streamlit's own and the close-up's."""
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    close_up = set[str]().union(*(script_hashes(Words.in_language(lang)) for lang in LANGUAGES))
    return (*inline_scripts(page.read_text(encoding="utf-8")), *sorted(close_up))


def policy(settings: Settings) -> str:
    """The Content-Security-Policy."""
    parts = {
        "default-src": "'none'",
        "script-src": " ".join(("'self'", "blob:", *_known())),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "media-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "blob:",
        "frame-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    if settings.frames:
        parts["frame-ancestors"] = " ".join(settings.frames)
    return "; ".join(f"{name} {sources}" for name, sources in parts.items())


def of_answer(told: list[Header], kind: bytes) -> list[Header]:
    """Those of `told` that an answer of this content type needs."""
    return [one for one in told if one[0] in OF_A_FILE] if kind.startswith(FILES) else told


def headers(settings: Settings) -> list[Header]:
    """Of every answer; see `of_answer`. A link may hold a passage, so it is told to no other page."""
    told = {
        "content-security-policy": policy(settings),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "permissions-policy": ", ".join(f"{name}=()" for name in _DEVICES),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if settings.frames == ("'self'",):
        told["x-frame-options"] = "SAMEORIGIN"
    if settings.frames == ("'none'",):
        told["x-frame-options"] = "DENY"
    return [(name.encode(), value.encode()) for name, value in told.items()]
