"""What the first page is drawn with, brought and made once before the server answers.

Otherwise the first visitor waits for it: for modules that are imported only while they draw, and for the
presets' numbers.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module

from dashboard.asking import question_of
from dashboard.ready import ready
from dashboard.service import service
from dashboard.shelf import STAYS
from dashboard.state import State
from dashboard.widgets import explore_board  # noqa: F401 - the first page's modules
from dashboard.widgets.made import picture
from probes import charts
from probes.locale import Language

IMPORTED_LATE = (
    "altair.vegalite",
    "pandas",
    "streamlit.emojis",
    "huggingface_hub._snapshot_download",
    "probes.models.local",
)
FIRST: tuple[tuple[Language, str], ...] = (("en", "coffee-en"), ("zh", "coffee-zh"))
"""The preset that a page begins with, by the visitor's language."""


def rehearse() -> None:
    """Import and make all of it; about a second."""
    for name in IMPORTED_LATE:
        import_module(name)
    service()
    for lang, name in FIRST:
        state = State(preset=name, lang=lang)
        question = question_of(state, "")
        question.passage.units("word")
        if (found := ready(STAYS, question, state)) is None:
            raise AssertionError(f"{name} has not been measured beforehand")
        ask, words = found["ask"], found["words"]
        picture([ask], partial(charts.answers, ask, lang), "rehearsed", lang)
        picture([words], partial(charts.effects, words, lang), "rehearsed", lang)
