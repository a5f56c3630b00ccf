"""Smallest set: words are struck as long as the answer stands."""

from __future__ import annotations

from dashboard.widgets.bar import words_controls
from dashboard.widgets.desk import desk
from dashboard.widgets.smallest_board import board

desk(board, words_controls, needs=())
