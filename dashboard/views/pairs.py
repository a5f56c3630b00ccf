"""Pairs: which words are needed together, which stand in for each other."""

from __future__ import annotations

from dashboard.widgets.bar import words_controls
from dashboard.widgets.desk import desk
from dashboard.widgets.pair_board import board

desk(board, words_controls, needs=())
