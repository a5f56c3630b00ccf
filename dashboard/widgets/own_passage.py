"""A passage of the visitor's own: typed, pasted, or a text file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import session
from dashboard.service import service
from dashboard.session import current
from dashboard.uploads import clean_name
from dashboard.wording import t, told
from probes.asking.passage_files import one_passage
from probes.asking.question import preset
from probes.errors import CruxError, InputError
from probes.text.passage import MAX_CHARACTERS, Passage

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

FILES = ("text/plain", "text/markdown", ".txt", ".md")
"""For the browser's own choice of files; with types among them Streamlit takes any name, and we read any."""
LARGEST_FILE = 4 * MAX_CHARACTERS
"""Bytes: no character of UTF-8 has more than four."""


def own_passage() -> None:
    """The form; what is handed in becomes the passage, asked about in the same step."""
    state = current()
    example = preset(state.preset)
    with st.form("own_form"):
        text = st.text_area(
            t("own.text"), value=state.text, height=130, placeholder=example.text, key="own_text"
        )
        left, right = st.columns(2)
        question = left.text_input(
            t("own.question"),
            value=(state.question or "") if state.text else "",
            placeholder=t("own.question_example"),
            key="own_question",
        )
        answers = left.text_input(
            t("own.answers"),
            value=(state.answers or "") if state.text else "",
            placeholder=t("own.answers_example"),
            help=t("own.answers_help"),
            key="own_answers",
        )
        file = right.file_uploader(t("own.file"), type=FILES, key="own_file")
        with st.container(horizontal=True):
            used = st.form_submit_button(t("own.use"), type="primary")
            if st.form_submit_button(t("own.cancel")):
                session.visit().editing = False
                st.rerun()
    if used:
        _use(text, file, question, answers)


def _use(text: str, file: UploadedFile | None, question: str, answers: str) -> None:
    try:
        given = text if file is None else read_file(file.name, file.getvalue())
        service().limits.check_passage(given)
        Passage(given)
    except CruxError as fault:
        st.error(told(fault), icon=":material/error:")
        return
    state = current()
    kept = {"prefix": state.prefix, "instruction": state.instruction} if state.text else {}
    asked = {"question": question.strip() or None, "answers": answers.strip() or None}
    session.change(text=given, **asked, **kept)
    session.visit().editing = False
    st.rerun()


def read_file(name: str, data: bytes) -> str:
    """The passage of an uploaded file.

    Raises:
        InputError: it is larger than any passage, no UTF-8, or a set of passages.
    """
    name = clean_name(name)
    if len(data) > LARGEST_FILE:
        raise InputError("page_file_large", name=name, size=len(data), most=LARGEST_FILE)
    try:
        return one_passage(data)
    except UnicodeDecodeError as fault:
        raise InputError("page_file", name=name, at=fault.start + 1) from fault
