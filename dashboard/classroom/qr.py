"""A link as a QR code: SVG inside an `<img>`, for Streamlit lets no `<svg>` of a page's own through."""

from __future__ import annotations

import base64
import html

import segno

QUIET = 4
"""Modules of white around it, which readers need (ISO/IEC 18004, 9.1)."""


def qr_image(link: str, alt: str) -> str:
    """HTML; `alt` is for those who do not see it."""
    data = base64.b64encode(qr_svg(link).encode()).decode()
    return f'<img class="qr" alt="{html.escape(alt)}" src="data:image/svg+xml;base64,{data}">'


def qr_svg(link: str) -> str:
    """Black on white in either theme; it fills the width it is given.

    Error correction at level M, 15 %: a projector's picture is seldom torn, and larger modules are read from
    further away.
    """
    code = segno.make_qr(link, error="m", boost_error=False)
    rows = [[bool(module) for module in row] for row in code.matrix]
    side = len(rows) + 2 * QUIET
    dark = [(x + QUIET, y + QUIET) for y, row in enumerate(rows) for x, one in enumerate(row) if one]
    runs = "".join(f"M{x} {y}h1v1h-1z" for x, y in dark)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path fill="#000" d="{runs}"/></svg>'
    )
