"""Charts as files: a picture that stands alone, with the headline over it, in fonts that have Chinese."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import altair as alt

Format = Literal["png", "svg", "html"]

FONT = "Source Sans, Noto Sans CJK SC, Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif"
TITLE_COLUMNS = 78


def titled(chart: alt.LayerChart, title: str, below: Sequence[str]) -> alt.LayerChart:
    """The chart with the headline over it, for a picture that leaves the page."""
    import altair as alt

    heading = alt.TitleParams(
        text=wrapped(title), subtitle=list(below), anchor="start", frame="bounds", offset=12
    )
    return chart.properties(title=heading, width=560)


def wrapped(text: str, columns: int = TITLE_COLUMNS) -> list[str]:
    """Lines of at most `columns`, a Chinese character being two wide; broken at spaces if there are any."""
    lines, line, width = [], "", 0
    for part in re.findall(r"[^\s\u2e80-\uffef]+\s*|.", text):
        wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in part)
        if width + wide > columns and line and part not in "，。、；：”）":
            lines.append(line.rstrip())
            line, width = "", 0
        line, width = line + part, width + wide
    return [*lines, line.rstrip()]


def saved(chart: alt.LayerChart, kind: Format) -> bytes:
    """The chart as a file: PNG at twice the size, SVG, or HTML that needs no network."""
    whole = chart.configure(font=FONT, background="white", padding=14).configure_view(stroke=None)
    if kind == "html":
        text = io.StringIO()
        whole.save(text, format="html", inline=True, json_kwds={"cls": _InScript})
        return text.getvalue().encode()
    import vl_convert

    spec = whole.to_json()
    if kind == "svg":
        return str(vl_convert.vegalite_to_svg(spec)).encode()
    return bytes(vl_convert.vegalite_to_png(spec, scale=2))


class _InScript(json.JSONEncoder):
    """JSON inside a script element: a passage that holds `</script>` must not end it."""

    def encode(self, o: Any) -> str:
        return super().encode(o).replace("<", r"\u003c")
