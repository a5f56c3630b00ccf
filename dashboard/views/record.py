"""Records made elsewhere, opened with `crux page FILE`."""

from __future__ import annotations

from dashboard.widgets.record_board import board

board()
