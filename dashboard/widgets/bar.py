"""The bar on top: model, passage, how words are taken away, which unit, language."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import session
from dashboard.session import bound, choose, current
from dashboard.state import UNITS
from dashboard.widgets.model_picker import model_picker
from dashboard.wording import bare, t
from probes.asking.question import preset, presets
from probes.asking.trials import Mode
from probes.locale import LANGUAGES
from probes.numbers import shortened

OWN = "own"
NAMES = {"zh": "中文", "en": "EN"}


def bar(controls: Callable[[], None] | None = None) -> None:
    """Everything that a view's picture depends on; changing one keeps the others.

    Args:
        controls: draws what a view needs in the place of how words are taken away and which unit.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="bar"):
        model_picker()
        _passage()
        (controls or words_controls)()
        st.space("stretch")
        language_switch()


def words_controls() -> None:
    """How words are taken away, and which unit."""
    choose(
        "mode",
        [str(mode) for mode in Mode],
        t("bar.mode"),
        lambda m: t(f"bar.mode_{m}"),
        help=t("bar.mode_help"),
    )
    units = {unit: t(f"bar.unit_{unit}") for unit in UNITS}
    st.selectbox(t("bar.unit"), UNITS, format_func=units.__getitem__, width=130, **bound("unit"))


def language_switch() -> None:
    """The page's language; the passage stays as it is."""
    choose("lang", LANGUAGES, t("bar.language"), NAMES.__getitem__, label_visibility="collapsed")


def _passage() -> None:
    state = current()
    own = [OWN] if state.text or session.visit().editing else []
    st.session_state["w_passage"] = OWN if own else state.preset
    titles = {name: _title(name) for name in (*presets(), OWN)}
    st.selectbox(
        t("bar.passage"),
        list(titles),
        format_func=titles.__getitem__,
        key="w_passage",
        on_change=_choose_passage,
        width=230,
    )
    if state.text and not session.visit().editing:
        st.button(
            t("bar.edit"),
            icon=":material/edit:",
            on_click=session.edit_passage,
            key="edit_own",
            help=t("bar.edit_help"),
        )


def _title(name: str) -> str:
    if name == OWN:
        mine = session.own_passage()
        return bare("bar.own") if mine is None else bare("bar.mine", start=shortened(mine.text, 24))
    found = preset(name)
    return bare("bar.preset", title=found.title[current().lang], language=NAMES[found.language])


def _choose_passage() -> None:
    name = st.session_state["w_passage"]
    visit = session.visit()
    if name != OWN:
        visit.editing = False
        session.change(preset=name, text="")
    elif visit.own is not None and not current().text:
        session.back_to_own()
    else:
        visit.editing = True
