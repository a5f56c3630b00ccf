"""Before anything can be drawn: the model is loaded, or what stands in the way is said, with the ways on."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import session
from dashboard.service import Service
from dashboard.session import current
from dashboard.shelf import Choice
from dashboard.widgets.model_load import follow, is_stopped, stopped
from dashboard.widgets.question_line import AS_AT_FIRST
from dashboard.wording import t, told
from probes.errors import CruxError

BUILTIN = {"model": "builtin", "revision": "", "device": "auto", "dtype": "auto", "hub": ""}
WAYS_ON: dict[str, tuple[str, dict[str, Any]]] = {
    "page_runs": ("stage.to_sentences", {"unit": "sentence"}),
    "page_units": ("passage.put_back", {"out": frozenset(), "pin": None}),
    "page_swap": ("asked.reset", {"swap": None, "swap_to": None}),
    "page_swap_to": ("asked.reset", {"swap": None, "swap_to": None}),
}
"""What can be changed at once about a limit that was met."""


def problem(fault: CruxError) -> None:
    """What went wrong, and the ways on."""
    state = current()
    st.error(told(fault), icon=":material/error:")
    with st.container(horizontal=True):
        if any(getattr(state, name) != value for name, value in BUILTIN.items()):
            st.button(t("stage.to_builtin"), on_click=session.change, kwargs=BUILTIN)
        if state.joins or state.splits:
            st.button(t("cutting.reset"), on_click=session.change, kwargs={"joins": (), "splits": ()})
        if fault.key in WAYS_ON:
            text, changes = WAYS_ON[fault.key]
            st.button(t(text), on_click=session.change, kwargs=changes)
        if state.text:
            st.button(t("stage.edit"), on_click=session.edit_passage)
        if any(getattr(state, name) != value for name, value in AS_AT_FIRST.items()):
            st.button(t("asked.reset"), on_click=session.change, kwargs=AS_AT_FIRST)


def load(shop: Service, choice: Choice, top: DeltaGenerator) -> None:
    """Load the model and run the script again; one that a link alone must not load is offered."""
    if (why := shop.files.needs_consent(choice)) and choice.spec not in session.visit().agreed:
        with top:
            _offer(choice, why)
        return
    with top:
        if is_stopped(choice):
            stopped(choice, t("stage.to_builtin"), lambda: session.change(**BUILTIN))
            return
        follow(shop, choice)
    st.rerun()  # now with its units, and the results that are known of it


def _offer(choice: Choice, why: str) -> None:
    icon = ":material/download:" if why == "download" else ":material/cloud_upload:"
    st.info(t(f"models.confirm_{why}", model=choice.spec), icon=icon)
    with st.container(horizontal=True):
        agreed = session.visit().agreed
        st.button(t(f"models.yes_{why}"), type="primary", on_click=agreed.add, args=(choice.spec,))
        st.button(t("stage.to_builtin"), on_click=session.change, kwargs=BUILTIN)
