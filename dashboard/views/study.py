"""Studies: any of them, drawn from what it declares: its options, its sentence, its picture, its table."""

from __future__ import annotations

from dashboard.widgets.desk import desk
from dashboard.widgets.study_board import board, study_choice

desk(board, study_choice, needs=())
