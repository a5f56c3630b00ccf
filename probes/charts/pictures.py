"""Charts as files: a picture that stands alone, with the headline over it, in fonts that have Chinese."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from probes.charts.convert import MOST_PIXELS, TOO_LARGE
from probes.errors import InputError, LimitError
from probes.text.characters import all_visible

if TYPE_CHECKING:
    import altair as alt

Format = Literal["png", "svg", "html"]

FONT = "Source Sans, Noto Sans CJK SC, Noto Sans SC, PingFang SC, Microsoft YaHei, sans-serif"
TITLE_COLUMNS = 78
MOST_BYTES = 8_000_000
"""Of a specification with its data."""
PATIENCE = 90.0
"""Seconds for one picture; starting the converter takes two or three on a quiet machine."""
_TURNS = threading.BoundedSemaphore(2)
"""Each converter takes some 200 MB; more than two at once would hold up everybody."""


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
    """The chart as a file: PNG at twice the size, SVG, or HTML that needs no network.

    Raises:
        LimitError: it is too large to be drawn, or takes too long.
        InputError: it cannot be drawn.
    """
    whole = chart.configure(font=FONT, background="white", padding=14).configure_view(stroke=None)
    if kind == "html":
        text = io.StringIO()
        whole.save(text, format="html", inline=True, json_kwds={"cls": _InScript})
        return text.getvalue().encode()
    return _converted(json.dumps(all_visible(whole.to_dict())).encode(), kind)


def _converted(spec: bytes, kind: str) -> bytes:
    """What `probes.charts.convert` makes of a specification, in a process whose end harms nobody."""
    if len(spec) > MOST_BYTES:
        raise LimitError("picture_large", size=f"{len(spec) / 1e6:.1f} MB", most=f"{MOST_BYTES / 1e6:.0f} MB")
    command = [sys.executable, "-m", "probes.charts.convert", kind]
    paths = [str(Path(__file__).resolve().parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    with _TURNS:
        try:
            made = subprocess.run(  # noqa: S603 - no shell, nothing of a visitor's among the arguments
                command, input=spec, capture_output=True, timeout=PATIENCE, env=environment, check=False
            )
        except subprocess.TimeoutExpired as fault:
            raise LimitError("picture_slow", seconds=round(PATIENCE)) from fault
        except OSError as fault:
            raise InputError("picture_failed", reason=fault.strerror) from fault
    if made.returncode == TOO_LARGE:
        most = f"{MOST_PIXELS / 1e6:.0f} MP"
        raise LimitError("picture_large", size=f"> {most}", most=most)
    if made.returncode or not made.stdout:
        raise InputError("picture_failed", reason=f"{made.returncode}")
    return made.stdout


class _InScript(json.JSONEncoder):
    """JSON inside a script element: a passage that holds `</script>` must not end it."""

    def encode(self, o: Any) -> str:
        return super().encode(all_visible(o)).replace("<", r"\u003c")
