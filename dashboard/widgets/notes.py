"""What a reader should know of the question as it is put to this model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.session import current
from dashboard.widgets.markup import plain
from probes.locale import note_text


def notes(found: Sequence[Mapping[str, Any]]) -> None:
    """A line each: what was given and is not sent, where the question leaves what the model was made for."""
    said = [plain(note_text(note, current().lang)) for note in found]
    if said:
        st.warning("  \n".join(said), icon=":material/info:")
