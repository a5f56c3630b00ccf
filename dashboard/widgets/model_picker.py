"""Which model answers: the light of its self-check, and the way to another one."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session
from dashboard.service import service
from dashboard.session import current
from dashboard.shelf import Choice
from dashboard.state import State
from dashboard.widgets.markup import plain
from dashboard.wording import bare, t
from probes.models import catalog
from probes.models.looking import on_this_machine
from probes.models.source import resolve

POPOVER = "model_popover"


def choice_of(state: State) -> Choice:
    """The state's model, as the service takes it."""
    return Choice(state.model, state.revision, state.device, state.dtype, state.hub)


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
        st.page_link("views/models.py", label=t("models.more"), icon=":material/memory:")


def names_offered(state: State) -> list[str]:
    """Models that can be chosen by name: those allowed on a hosted page; else the catalogue's, and the one in
    use.
    """
    allowed = service().limits.models
    names = list(allowed) or ["builtin", *(entry.name for entry in catalog.entries())]
    return names if allowed or state.model in names else [*names, state.model]


def load_next(choice: Choice) -> None:
    """Make it the page's model, as soon as it is loaded; the person asked for it by name."""
    session.change(
        model=choice.spec,
        revision=choice.revision,
        device=choice.device,
        dtype=choice.dtype,
        hub=choice.hub,
    )
    session.visit().agreed.add(choice.spec)


def _form(state: State) -> None:
    names = names_offered(state)
    labels = {name: _option(name) for name in names}
    with st.form("model", border=False):
        chosen = st.selectbox(
            t("models.choose"),
            names,
            index=names.index(state.model) if state.model in names else 0,
            format_func=labels.__getitem__,
        )
        if st.form_submit_button(t("models.load"), type="primary", on_click=_close) and chosen != state.model:
            load_next(Choice(chosen, hub=state.hub))
            st.rerun()


def _close() -> None:
    """The popover over the page, before it is drawn again."""
    st.session_state[POPOVER] = False


def _option(name: str) -> str:
    if name == "builtin":
        return bare("models.builtin")
    entry, here = catalog.find(name), on_this_machine(resolve(name)) if catalog.find(name) else None
    about = [name if entry else short_name(name), entry.spoken(2) if entry else ""]
    return " · ".join(part for part in (*about, bare("models.here") if here else "") if part)
