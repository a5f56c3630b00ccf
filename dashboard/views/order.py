"""Order & words: the passage told otherwise, or asked about otherwise."""

from __future__ import annotations

from dashboard.widgets.desk import desk
from dashboard.widgets.order_board import board

desk(board, lambda: None, needs=())
