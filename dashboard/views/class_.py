"""Class: a teacher's room; pupils predict on their phones, then see the class beside the model."""

from __future__ import annotations

from dashboard.widgets.class_lead import class_lead

class_lead()
