"""The question under the bar, and how it is put to the model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard import session
from dashboard.service import service
from dashboard.session import current
from dashboard.wording import t, told
from probes.asking.question import TEMPLATES, Question, answer_set
from probes.errors import CruxError
from probes.models.prompting import TAKES

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
            value=question.answers.as_text("\n"),
            height=140,
            help=t("asked.answers_help"),
        )
        names = (t("asked.prefix"), t("asked.prefix_help"))
        prefix = _said_too(*names, question.answer_prefix, taken=_takes("answer_prefix"))
        names = (t("asked.instruction"), t("asked.instruction_help"))
        instruction = _said_too(*names, question.instruction, taken=_takes("instruction"))
        templates = {name: t(f"asked.template_{name}") for name in TEMPLATES}
        template = st.selectbox(
            t("asked.template"),
            TEMPLATES,
            index=TEMPLATES.index(state.template),
            format_func=templates.__getitem__,
        )
        with st.container(horizontal=True):
            apply = st.form_submit_button(t("asked.apply"), type="primary")
            reset = st.form_submit_button(t("asked.reset"))
    if reset:
        session.change(**AS_AT_FIRST)
        st.rerun()
    if apply:
        _apply(question, answers, prefix, instruction, template)


def _takes(field: str) -> bool:
    """Whether what the model is sent has a place for this part of the question."""
    state = current()
    template = "builtin" if (state.template, state.model) == ("auto", "builtin") else state.template
    return template == "auto" or field in TAKES[template]


def _said_too(label: str, about: str, value: str, *, taken: bool) -> str:
    """A field of words sent beside passage and question; one that the model does not take says so."""
    if taken:
        return st.text_input(label, value=value, help=about)
    st.text_input(label, placeholder=t("asked.not_taken"), disabled=True)
    return value


def _apply(question: Question, answers: str, prefix: str, instruction: str, template: str) -> None:
    """Take over what was changed; what is as it was stays the preset's."""
    changes: dict[str, str] = {"template": template}
    try:
        service().limits.check_answers_text(answers)
        given = answer_set(answers, question.language)
    except CruxError as fault:
        st.error(told(fault), icon=":material/error:")
        return
    if given != replace(question.answers, endings=()):
        one_line = answers.strip()
        changes["answers"] = given.as_text() if "\n" in one_line else one_line
    if prefix != question.answer_prefix:
        changes["prefix"] = prefix
    if instruction != question.instruction:
        changes["instruction"] = instruction
    session.change(**changes)
    st.rerun()
