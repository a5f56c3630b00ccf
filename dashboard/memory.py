"""How this process keeps memory that it has taken and needs no more."""

from __future__ import annotations

import ctypes
import sys

ARENAS = 2
_M_ARENA_MAX = -8  # as malloc.h of the GNU C library has it


def give_back() -> bool:
    """Hand memory that was freed back to the system; whether that could be said.

    The GNU C library keeps what lies between pieces that are still used: of a page at rest a tenth, now more,
    now less. It takes some 10 ms.
    """
    return _said("malloc_trim", 0)


def few_arenas() -> bool:
    """Let all threads take memory from the same few places; whether that could be said.

    The GNU C library gives threads places of their own, eight a core, and keeps in each what was once needed
    there. Each run of a page's script and each request is a thread: of a page that strangers had brought
    passages to, two fifths was such memory. Before the first thread begins: later nothing changes.
    """
    return _said("mallopt", _M_ARENA_MAX, ARENAS)


def _said(function: str, *values: int) -> bool:
    """Whether there is a GNU C library, and it agreed."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(getattr(ctypes.CDLL(None), function)(*values))
    except (OSError, AttributeError):  # another C library
        return False
