"""An error that nobody foresaw: where it happened is logged, what anybody wrote is not."""

from __future__ import annotations

import logging
import sys

import pytest

from dashboard import app

SECRET = "what a visitor wrote"


def failing(text: str) -> None:
    raise ValueError(f"cannot use {text}")


def test_the_log_names_type_and_place_but_no_text(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match=SECRET) as caught:
        failing(SECRET)
    assert app.unforeseen(caught.value) is True
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert "ValueError at test_app.py:" in said
    assert SECRET not in caplog.text


def test_streamlits_own_line_about_it_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    own = logging.getLogger("streamlit.error_util")
    own.propagate = True
    try:
        failing(SECRET)
    except ValueError:
        own.error("Uncaught app execution", exc_info=sys.exc_info())
    own.error("something else")
    assert SECRET not in caplog.text
    assert "something else" in caplog.text
