"""Which model answers: the light of its self-check, and the way to another one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session
from dashboard.service import service
from dashboard.session import current
from dashboard.shelf import Choice
from dashboard.state import DEVICES, DTYPES, State
from dashboard.widgets.markup import plain
from dashboard.wording import t
from probes.models import catalog

ANY = "any"
POPOVER = "model_popover"


def choice_of(state: State) -> Choice:
    """The state's model, as the service takes it."""
    return Choice(state.model, state.revision, state.device, state.dtype)


def short_name(spec: str) -> str:
    """A model's name for a button: the last part of a path or id; the built-in one has a name in words."""
    if spec == "builtin":
        return t("models.builtin")
    return spec.replace("\\", "/").rstrip("/").rpartition("/")[2] or spec


def light(description: dict[str, Any]) -> tuple[str, str, str]:
    """Icon, colour and word of a self-check: nothing is said by colour alone."""
    if "anatomy" not in description:
        return ":material/cloud:", "blue", t("models.light_elsewhere")
    findings = description["anatomy"]["findings"]
    refused = [c for c in description["anatomy"]["capabilities"].values() if not c["ok"]]
    if not all(finding["ok"] for finding in findings):
        return ":material/error:", "red", t("models.light_fails")
    if refused:
        return ":material/info:", "orange", t("models.light_partly")
    return ":material/check_circle:", "green", t("models.light_ok")


def model_picker() -> None:
    """A button with the model's name and light; behind it, how to choose another."""
    state = current()
    model = service().loaded(choice_of(state))
    icon = light(model.describe())[0] if model else ":material/hourglass_empty:"
    named = plain(short_name(state.model))
    with st.popover(named, icon=icon, help=t("bar.model_help"), key=POPOVER, on_change="rerun"):
        if model:
            _, colour, word = light(model.describe())
            st.markdown(f":{colour}-badge[{icon} {plain(word)}]")
        if state.model == "builtin":
            st.markdown(t("models.builtin_about"))
        _form(state)
        st.caption(t("models.more"))


def _form(state: State) -> None:
    allowed = service().limits.models
    names = list(allowed) or ["builtin", *(entry.name for entry in catalog.entries()), ANY]
    start = state.model if state.model in names else ANY
    with st.form("model", border=False):
        chosen = st.selectbox(
            t("models.choose"),
            names,
            index=names.index(start) if start in names else 0,
            format_func={name: _option(name) for name in names}.__getitem__,
        )
        typed, revision, device, dtype = "", "", "auto", "auto"
        if not allowed:
            typed = st.text_input(
                t("models.typed"),
                value="" if start != ANY else state.model,
                placeholder=t("models.typed_example"),
                help=t("models.typed_help"),
            )
            with st.container(horizontal=True):
                device = st.selectbox(t("models.device"), DEVICES, index=DEVICES.index(state.device))
                dtype = st.selectbox(t("models.dtype"), DTYPES, index=DTYPES.index(state.dtype))
                revision = st.text_input(t("models.revision"), value=state.revision)
        if st.form_submit_button(t("models.load"), type="primary", on_click=_close):
            spec = typed.strip() if chosen == ANY or (typed.strip() and typed != state.model) else chosen
            if spec and spec != ANY:
                session.change(model=spec, revision=revision.strip(), device=device, dtype=dtype)
                session.visit().agreed.add(spec)
                st.rerun()


def _close() -> None:
    """The popover over the page, before it is drawn again."""
    st.session_state[POPOVER] = False


def _option(name: str) -> str:
    if name == ANY:
        return t("models.any")
    if name == "builtin":
        return t("models.builtin")
    entry = catalog.find(name)
    return name if entry is None else f"{name} · {entry.spoken(2)}"
