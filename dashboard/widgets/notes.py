"""What a reader should know of the question as it is put to this model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.session import current
from dashboard.widgets.markup import Markdown, plain
from probes.locale import note_text


def notes(found: Sequence[Mapping[str, Any]]) -> None:
    """A line each: what was given and is not sent, where the question leaves what the model was made for."""
    if found:
        st.warning(_lines([note_text(note, current().lang) for note in found]), icon=":material/info:")


def known_note(record: Mapping[str, Any]) -> None:
    """How a record's answers are known, where they are not told exactly."""
    for note in record.get("notes", ()):
        if note["key"].startswith("known_"):
            st.caption(plain(note_text(note, current().lang)))


def _lines(texts: Sequence[str]) -> Markdown:
    return Markdown("  \n".join(map(plain, texts)))
