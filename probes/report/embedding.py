"""What stands inside a page as it is: JSON that cannot end its element, and scripts that a hash allows."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

OPENS = '<script type="application/json" class="crux-record">'
"""Begins a record in a report. No text of anybody's can spell it: the page writes `<` of theirs as `&lt;`."""
PACKED = '<script type="application/gzip" class="crux-record">'
"""Begins a large record: its JSON, compressed by gzip, in base64."""
PLAIN = 250_000
"""Characters up to which a record stands in the page as it is."""
CLOSES = "</script>"
_RISKY = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_HERE = Path(__file__).parent


def as_json(value: Any) -> Markup:
    """JSON for a script element: parsed, it is the same value again, and nothing in it is HTML.

    `<`, `>` and `&`, which JSON has in strings alone, are written as escapes; so are U+2028 and U+2029, which
    end a line of JavaScript, and halves of characters, which no file holds.

    Raises:
        ValueError: a number that JSON does not have.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(_RISKY.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text))  # noqa: S704 - escaped just now


def record(value: Any) -> Markup:
    """A record's script element, its JSON as it is or, where it is large, compressed.

    Raises:
        ValueError: a number that JSON does not have.
    """
    text = str(as_json(value))  # else what stands around it would be escaped
    if len(text) <= PLAIN:
        return Markup(OPENS + text + CLOSES)  # noqa: S704 - escaped just now
    packed = base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()
    return Markup(PACKED + packed + CLOSES)  # noqa: S704 - base64 has no sign of HTML's


def hashed(text: str) -> str:
    """A script or a style as Content-Security-Policy names it (CSP 3, 2.3.1): its SHA-256, quoted."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def policy(scripts: Iterable[str], style: str, nonce: str = "") -> str:
    """What the page may do: run these scripts, wear this style, show pictures that are in it, and no more.

    With a nonce (CSP 3, 7.1) it also runs a script file whose element bears it: browsers do not agree whether
    'self', or a file's hash, holds for a page that was opened from disk.

    No `unsafe-eval` either: charts are drawn by Vega's interpreter, not by functions made of text.
    """
    allowed = {
        "default-src": "'none'",
        "script-src": " ".join([*map(hashed, scripts), *([f"'nonce-{nonce}'"] if nonce else [])]),
        "style-src": hashed(style),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


@cache
def bundle() -> str:
    """Vega, Vega-Lite and vega-embed in one script, about 900 kB, as the converter brings it along."""
    import vl_convert

    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


@cache
def own(name: str) -> str:
    """A file of the page's own."""
    return (_HERE / name).read_text(encoding="utf-8")
