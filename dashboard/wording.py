"""The page's own texts, in the visitor's language.

Streamlit reads most of what it is given as Markdown: sentences, labels of buttons and tabs, help, messages.
`t` and `told` are for those, and there whatever is filled in is shown as it is. `bare` is for what shows
characters as they are anyway: entries of a list to choose from, charts, pictures, the passage's components.
"""

from __future__ import annotations

from pathlib import Path

from dashboard.session import current
from dashboard.widgets.markup import Markdown, plain
from probes.errors import CruxError
from probes.locale import Texts

TEXTS = Texts(Path(__file__).parent / "texts")


def t(key: str, **values: object) -> Markdown:
    """The text `key` (`file.name`) in the visitor's language as Markdown; KeyError where there is none."""
    return Markdown(TEXTS.shown(key, current().lang, plain, values))


def bare(key: str, **values: object) -> str:
    """The same for a place that reads no Markdown."""
    return TEXTS.say(key, current().lang, **values)


def told(fault: CruxError) -> Markdown:
    """What went wrong, as Markdown: it may quote a visitor, a link, a file or a model."""
    return Markdown(fault.say(current().lang, plain))
