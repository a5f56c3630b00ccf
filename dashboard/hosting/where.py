"""Where something went wrong, without what it said: a message may hold a visitor's text."""

from __future__ import annotations

import traceback
from pathlib import Path

FRAMES = 6


def where(fault: BaseException) -> str:
    """The last places in the code, innermost first: names of files and lines, no folders."""
    frames = traceback.extract_tb(fault.__traceback__)[-FRAMES:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
