"""The page's own texts, in the visitor's language."""

from __future__ import annotations

from pathlib import Path

from dashboard.session import current
from probes.locale import Texts

TEXTS = Texts(Path(__file__).parent / "texts")


def t(key: str, **values: object) -> str:
    """The text `key` (`file.name`) in the visitor's language; KeyError where there is none."""
    return TEXTS.say(key, current().lang, **values)
