"""The question under the bar, and how it is put to the model."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session
from dashboard.asking import answer_set
from dashboard.session import current
from dashboard.wording import t, told
from probes.commandline import answers_text
from probes.errors import CruxError
from probes.question import TEMPLATES, Question

AS_AT_FIRST: dict[str, Any] = {
    "question": None,
    "answers": None,
    "prefix": None,
    "instruction": None,
    "template": "auto",
}
"""The question as the preset, or the page, puts it."""


def asked(question: Question) -> None:
    """The question, to be edited in place; answers, prefix, instruction and template behind a button."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.session_state["w_question"] = question.question
        st.text_input(
            t("asked.question"),
            key="w_question",
            label_visibility="collapsed",
            icon=":material/help:",
            on_change=_ask_another,
            max_chars=2000,
        )
        with st.popover(t("asked.how"), icon=":material/tune:"):
            _form(question)


def _ask_another() -> None:
    session.change(question=st.session_state["w_question"].strip() or None)


def _form(question: Question) -> None:
    state = current()
    with st.form("asked", border=False):
        answers = st.text_area(
            t("asked.answers"),
            value=answers_text(question).replace(";", ";\n"),
            height=140,
            help=t("asked.answers_help"),
        )
        prefix = st.text_input(t("asked.prefix"), value=question.answer_prefix, help=t("asked.prefix_help"))
        instruction = st.text_input(
            t("asked.instruction"), value=question.instruction, help=t("asked.instruction_help")
        )
        names = {name: t(f"asked.template_{name}") for name in TEMPLATES}
        template = st.selectbox(
            t("asked.template"),
            TEMPLATES,
            index=TEMPLATES.index(state.template),
            format_func=names.__getitem__,
        )
        with st.container(horizontal=True):
            apply = st.form_submit_button(t("asked.apply"), type="primary")
            reset = st.form_submit_button(t("asked.reset"))
    if reset:
        session.change(**AS_AT_FIRST)
        st.rerun()
    if apply:
        _apply(question, answers, prefix, instruction, template)


def _apply(question: Question, answers: str, prefix: str, instruction: str, template: str) -> None:
    """Take over what was changed; what is as it was stays the preset's."""
    changes: dict[str, str] = {"template": template}
    one_line = answers.replace("\n", "")
    try:
        if answer_set(one_line, question.language) != question.answers:
            changes["answers"] = one_line
    except CruxError as fault:
        st.error(told(fault), icon=":material/error:")
        return
    if prefix != question.answer_prefix:
        changes["prefix"] = prefix
    if instruction != question.instruction:
        changes["instruction"] = instruction
    session.change(**changes)
    st.rerun()
