"""Explore: a passage whose words can be taken out, and what the answer does."""

from __future__ import annotations

from dashboard.widgets.desk import desk
from dashboard.widgets.explore_board import before_model, board, hides

desk(board, needs=(), by_tokens=hides, meanwhile=before_model)
