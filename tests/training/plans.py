"""The smallest plan that still trains something."""

from __future__ import annotations

from probes.training.plan import Plan

TINY = Plan(
    tokens=1024,
    processes=1,
    width=32,
    layers=2,
    heads=2,
    inner=32,
    event_layer=1,
    count_layer=2,
)
