"""A server that has just started: its first page is drawn before torch is imported."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from dashboard.hosting.first import FirstPage

LONG = 30.0


def waited(page: FirstPage) -> threading.Thread:
    thread = threading.Thread(target=page.wait, daemon=True)
    thread.start()
    return thread


def test_nobody_comes() -> None:
    began = time.monotonic()
    FirstPage(comes=0.05, patience=LONG).wait()
    assert time.monotonic() - began < LONG / 2


def test_a_page_that_is_asked_for_is_drawn_first() -> None:
    page = FirstPage(comes=LONG, patience=LONG)
    thread = waited(page)
    page.ask()
    thread.join(0.2)
    assert thread.is_alive()
    page.draw()
    thread.join(LONG)
    assert not thread.is_alive()


def test_a_page_that_is_never_drawn_is_not_waited_for_long() -> None:
    page = FirstPage(comes=LONG, patience=0.05)
    thread = waited(page)
    page.ask()
    thread.join(LONG)
    assert not thread.is_alive()


def test_the_rehearsal_needs_no_torch() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from dashboard.rehearsal import IMPORTED_LATE, rehearse; rehearse();"
            "print(sorted({'torch', 'transformers.models.llama'} & set(sys.modules)),"
            "sorted(set(IMPORTED_LATE) - set(sys.modules)))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["[]", "[]"]
