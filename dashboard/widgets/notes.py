"""What a reader should know of the question as it is put to this model."""

from __future__ import annotations

import streamlit as st

from dashboard.session import current
from dashboard.widgets.markup import plain
from probes.locale import note_text
from probes.models.base import AnswerModel
from probes.question import Question


def notes(model: AnswerModel, question: Question) -> None:
    """A line each: what was given and is not sent, where the question leaves what the model was made for.

    Raises:
        CruxError: the question cannot be put to this model.
    """
    said = [plain(note_text(note, current().lang)) for note in model.notes(question)]
    if said:
        st.warning("  \n".join(said), icon=":material/info:")
