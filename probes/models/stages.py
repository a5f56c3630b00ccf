"""How the slow steps of bringing a model here report: downloading, converting, loading."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as (stage, done, in all): "download" (bytes, or 0 of 1), "convert" (steps), "load" (0 of 1).

May be called from another thread while downloading. What it raises stops the work.
"""
