"""Lecture: its claims as scenes; the reader predicts each verdict, then sees what the model says."""

from __future__ import annotations

from dashboard import session
from dashboard.widgets.desk import desk
from dashboard.widgets.lecture_board import board, scene_alone

desk(scene_alone if session.alone() else board, lambda: None, needs=())
