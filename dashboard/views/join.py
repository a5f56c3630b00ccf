"""A pupil's page of a class, reached by the link or the QR code of its teacher."""

from __future__ import annotations

from dashboard.widgets.class_seat import class_seat

class_seat()
