"""Log lines of a hosted page: JSON, one event each, nothing in them that a visitor wrote.

A session is told by a hash whose key is made anew by each process, so that lines of one visit can be put
together and nobody can be found by them. Of what libraries log only the place and the level are kept: their
messages quote headers, file names and whatever a visitor sent.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from dashboard.hosting.where import where

_KEY = secrets.token_bytes(32)
OURS = ("dashboard", "probes")
_plain: Callable[..., logging.LogRecord] = logging.getLogRecordFactory()


def hashed(session: str) -> str:
    """What stands for a session in lines of this process."""
    return hmac.new(_KEY, session.encode(), hashlib.sha256).hexdigest()[:12]


class Lines:
    """Writes events; `None` for a stream writes nothing."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def write(self, event: str, **values: str | float | None) -> None:
        """One line; values that are None are left out.

        A stream that takes no more, a full disk for one, costs the line and never the answer it tells of.
        """
        if self._stream is None:
            return
        told = {name: value for name, value in values.items() if value is not None}
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = json.dumps({"at": at, "event": event, **told}, ensure_ascii=True)
        with self._lock, suppress(OSError, ValueError):  # ValueError: it is closed
            self._stream.write(line + "\n")
            self._stream.flush()


def without_words(*given: Any, **more: Any) -> logging.LogRecord:
    """A log record; of a library's, its place is all that is told."""
    record = _plain(*given, **more)
    if not record.name.startswith(OURS):
        fault = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        told = f"{type(fault).__name__} at {where(fault)}" if fault else "logged"
        record.msg, record.args = f"{Path(record.pathname).name}:{record.lineno} {told}", ()
        record.exc_info = record.exc_text = record.stack_info = None
    return record


def keep_words_out() -> None:
    """From now on no log of this process quotes anybody: of libraries, threads and warnings alike."""
    logging.setLogRecordFactory(without_words)
    logging.captureWarnings(True)
    threading.excepthook = lambda fault: _said("a thread", fault.exc_value)
    sys.excepthook = lambda kind, fault, trace: _said("the process", fault)


def _said(what: str, fault: BaseException | None) -> None:
    if fault is not None and not isinstance(fault, SystemExit):
        logging.getLogger("dashboard").error("%s: %s at %s", what, type(fault).__name__, where(fault))


_ours: list[Lines] = [Lines(None)]


def lines() -> Lines:
    """This process's."""
    return _ours[0]


def write_lines(stream: TextIO) -> None:
    """Begin to write them."""
    _ours[0] = Lines(stream)
