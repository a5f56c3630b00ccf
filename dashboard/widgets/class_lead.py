"""The teacher's page: a room is opened with a passage, the class predicts, and is shown beside the model."""

from __future__ import annotations

import os
from dataclasses import replace

import streamlit as st
from streamlit import config

from dashboard.asking import options
from dashboard.classroom.address import Address, join_address
from dashboard.classroom.measuring import measure
from dashboard.classroom.qr import qr_image
from dashboard.classroom.room import Asked, Lead
from dashboard.classroom.rooms import rooms
from dashboard.service import service
from dashboard.session import choose, current
from dashboard.widgets.bar import language_switch
from dashboard.widgets.class_keeper import LEAD, keep, keeper, kept
from dashboard.widgets.class_result import result_view
from dashboard.widgets.desk import Desk, desk
from dashboard.wording import bare, t, told
from probes.asking.trials import Mode
from probes.errors import CruxError

EVERY = 2.0
"""Seconds between two looks at how many are ready."""
CHOOSING = "class_choosing"
"""Whether the next passage is being chosen, in a tab."""


def class_lead() -> None:
    """The room of this browser, where it leads one; else the way to one."""
    token = kept(LEAD)
    lead = rooms().lead(token)
    if lead is None or st.session_state.get(CHOOSING):
        desk(_ready, _controls, needs=(), by_tokens=lambda: current().mode == Mode.HIDE)
    elif lead.found is not None:
        _revealed(lead)
    else:
        _lobby(lead)
    keeper(LEAD)


def _controls() -> None:
    modes = [str(mode) for mode in Mode]
    choose("mode", modes, t("bar.mode"), lambda m: t(f"bar.mode_{m}"), help=t("bar.mode_help"))


# ---- before the room, and between two passages


def _ready(here: Desk) -> None:
    """The passage as it will be put to the class."""
    here.top.say(t("class.setup"))
    st.markdown(t("class.passage", text=here.question.passage.text))
    lead = rooms().lead(kept(LEAD))
    with st.container(horizontal=True, vertical_alignment="center"):
        label = t("class.put") if lead else t("class.open")
        st.button(
            label, icon=":material/groups:", type="primary", key="class_open", on_click=_put, args=(here,)
        )
        if lead:
            st.button(t("class.back"), key="class_back", on_click=_choose, args=(False,))
        else:
            st.page_link("views/join.py", label=t("class.to_join"), icon=":material/how_to_vote:")
    if fault := st.session_state.pop("class_fault", None):
        st.error(told(fault), icon=":material/error:")
    st.caption(t("class.about"))


def _put(here: Desk) -> None:
    """Open a room with this passage, or put it to the room there is; its effects are measured meanwhile."""
    state = replace(current(), unit="word", find=0)
    asked = Asked(here.question, here.choice, options(state, "words", (), ()))
    token = kept(LEAD)
    try:
        if rooms().lead(token):
            rooms().ask(token, asked)
        else:
            token = rooms().open(asked)
            keep(LEAD, token)
    except CruxError as fault:
        st.session_state["class_fault"] = fault
        return
    _choose(False)
    _measure()


def _measure() -> None:
    if lead := rooms().lead(kept(LEAD)):
        measure(service(), rooms(), lead)


def _choose(on: bool) -> None:
    st.session_state[CHOOSING] = on


def _close() -> None:
    rooms().close(kept(LEAD))
    keep(LEAD, "")
    _choose(False)


def _reveal() -> None:
    rooms().reveal(kept(LEAD))


def _again() -> None:
    rooms().measure_again(kept(LEAD))
    _measure()


# ---- while the class predicts


def _lobby(lead: Lead) -> None:
    """What is read from the back of the room: code, QR code, how many are ready; and the passage."""
    try:
        address = join_address(
            st.context.url,
            setting=os.environ.get("CRUX_ADDRESS", ""),
            bound=config.get_option("server.address"),
        )
    except CruxError as fault:
        st.error(told(fault), icon=":material/error:")
        address = Address("", "unknown")
    with st.container(key="class_lobby"):
        left, right = st.columns([4, 7], gap="large")
        with left:
            _way_in(lead, address)
        with right:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(t("class.number", number=lead.number))
                st.space("stretch")
                language_switch()
            st.subheader(t("class.asked", question=lead.asked.question.question), anchor=False)
            st.markdown(t("class.passage", text=lead.asked.question.passage.text))
            _live(lead)


def _way_in(lead: Lead, address: Address) -> None:
    if address.join:
        link = address.link(lead.code)
        st.html(qr_image(link, bare("class.qr", link=link)))
        st.markdown(t("class.go_to", address=address.join.partition("://")[2]))
    else:
        st.markdown(t("class.go_to_here"))
    st.markdown(t("class.code", code=f"{lead.code[:3]} {lead.code[3:]}"))
    if address.trouble:
        st.warning(t(f"class.trouble_{address.trouble}"), icon=":material/wifi_off:")


@st.fragment(run_every=EVERY)
def _live(shown: Lead) -> None:
    """How many are in, how many are ready, how far the model is; and what can be done."""
    lead = rooms().lead(kept(LEAD))
    if lead is None or lead.pulse.version != shown.pulse.version:
        st.rerun()
    pulse = lead.pulse
    first, second, third = st.columns(3)
    first.metric(t("class.joined"), pulse.joined)
    second.metric(t("class.sent"), pulse.ready)
    third.metric(t("class.pressing"), pulse.pressing)
    if lead.fault is not None:
        st.error(told(lead.fault), icon=":material/error:")
        st.button(t("class.measure_again"), on_click=_again, key="class_again")
    elif not lead.measured:
        st.caption(t("class.measuring", done=lead.done, total=lead.total))
    else:
        st.caption(t("class.measured"))
    with st.container(horizontal=True):
        waits = not lead.measured and lead.fault is None
        if st.button(
            t("class.reveal"),
            icon=":material/visibility:",
            type="primary",
            on_click=_reveal,
            disabled=waits,
            key="class_reveal",
        ):
            st.rerun()
        if st.button(t("class.close"), icon=":material/close:", on_click=_close, key="class_close"):
            st.rerun()


# ---- after the reveal


def _revealed(lead: Lead) -> None:
    assert lead.found is not None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("class.next"),
            icon=":material/skip_next:",
            type="primary",
            on_click=_choose,
            args=(True,),
            key="class_next",
        )
        st.button(t("class.close"), icon=":material/close:", on_click=_close, key="class_close")
        st.caption(t("class.code_small", code=lead.code, joined=lead.pulse.joined))
        st.space("stretch")
        language_switch()
    result_view(lead.asked, lead.found)
    _watch(lead)


@st.fragment(run_every=EVERY)
def _watch(shown: Lead) -> None:
    """Another tab of this teacher's may have gone on."""
    lead = rooms().lead(kept(LEAD))
    if lead is None or lead.pulse.version != shown.pulse.version:
        st.rerun()
