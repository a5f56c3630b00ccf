"""A pupil's page: the code, the passage to press, and after the reveal the class beside the model.

No model is run for it: what is shown of one is the record that the room holds.
"""

from __future__ import annotations

import streamlit as st

from dashboard import session
from dashboard.classroom.codes import LENGTH, typed_code
from dashboard.classroom.room import Seat
from dashboard.classroom.rooms import rooms
from dashboard.session import current
from dashboard.widgets.bar import language_switch
from dashboard.widgets.class_keeper import keep, keeper, kept
from dashboard.widgets.class_result import own_view, result_view
from dashboard.widgets.word_chips import in_order, word_chips
from dashboard.wording import bare, t, told
from probes.errors import CruxError, InputError
from probes.running.headline import quoted
from probes.studies.attention import units_of

EVERY = 3.0
"""Seconds between two looks whether anything is revealed; sixty phones look twenty times a second."""
ROOM = "class_room"


def class_seat() -> None:
    """The room of the address, or of the code that is typed."""
    asked_for = st.query_params.get("room") or st.session_state.get(ROOM)
    code = typed_code(asked_for)
    seat = _seat(code) if code else None
    session.visit().address = {"lang": current().lang, **({"room": code} if code else {})}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("class.room", code=code) if seat and code else t("class.join"))
        st.space("stretch")
        language_switch()
    if code and seat:
        st.session_state[ROOM] = code
        if seat.found is not None:
            own_view(seat.asked, seat.found, seat.sent, seat.draft)
            result_view(seat.asked, seat.found)
        else:
            st.subheader(t("class.asked", question=seat.asked.question.question), anchor=False)
            _board(code, seat.number)
        _watch(code, seat.pulse.version)
    elif code and kept(code) is None:
        st.caption(t("class.joining"))
    else:
        _form(str(asked_for or ""), code)
    if code:
        keeper(code)


def _seat(code: str) -> Seat | None:
    """This browser's seat, taken when it has said that it has none; an error is shown by the form."""
    token = kept(code)
    if seat := rooms().seat(code, token):
        return seat
    if token is None or st.session_state.get("class_left") == code:
        return None
    if token and rooms().seat(code, token) is None and st.session_state.get(ROOM) == code:
        st.session_state["class_left"] = code  # it was ours: the room is closed
        return None
    try:
        token = rooms().join(code, st.context.ip_address)
    except CruxError as fault:
        st.session_state["class_fault"] = fault
        return None
    keep(code, token)
    return rooms().seat(code, token)


def _form(asked_for: str, code: str | None) -> None:
    """For whoever types the code; what was wrong with the one before."""
    if fault := st.session_state.pop("class_fault", None):
        st.error(told(fault), icon=":material/error:")
    elif code and st.session_state.get("class_left") == code:
        st.info(t("class.over"), icon=":material/info:")
    elif asked_for and not code:
        st.error(
            told(InputError("page_room_code", code=asked_for[:40], length=LENGTH)), icon=":material/error:"
        )
    with st.form("class_join"):
        st.text_input(t("class.type_code"), key="class_typed", max_chars=40)
        st.form_submit_button(t("class.enter"), type="primary", on_click=_typed)


def _typed() -> None:
    st.session_state[ROOM] = st.session_state["class_typed"].strip()
    st.session_state.pop("class_left", None)
    st.query_params.pop("room", None)


@st.fragment
def _board(code: str, number: int) -> None:
    """The passage without a number; what was pressed; and Send."""
    _take(code, number)
    seat = rooms().seat(code, kept(code))
    if seat is None or seat.number != number or seat.found is not None:
        st.rerun()
    passage = seat.asked.question.passage
    word_chips(
        passage.text,
        [word.span for word in seat.asked.words],
        set(seat.draft),
        key=_chips(number),
        label=bare("passage.label_predict"),
        hint=bare("passage.hint_predict"),
        revision=number,
        lang=passage.language,
        look="pick",
    )
    named = quoted(units_of([seat.asked.words[n] for n in seat.draft]), current().lang)
    st.caption(t("passage.predicted", words=named) if seat.draft else t("passage.predicted_none"))
    st.button(
        t("class.send") if seat.sent is None else t("class.send_again"),
        icon=":material/send:",
        type="primary",
        disabled=not seat.draft or seat.draft == seat.sent,
        on_click=_send,
        args=(code, number),
        key="class_send",
    )
    if seat.sent is not None and seat.sent == seat.draft:
        st.success(t("class.is_sent"), icon=":material/check_circle:")
    elif seat.sent is not None:
        st.warning(t("class.is_changed"), icon=":material/edit:")
    if len(seat.draft) >= rooms().bounds.picks:
        st.caption(t("class.most", most=rooms().bounds.picks))


def _chips(number: int) -> str:
    return f"class_chips_{number}"


def _take(code: str, number: int) -> None:
    """Take over what was pressed since this tab was last looked at; an older press of it undoes nothing that
    was pressed in another tab.
    """
    sent = (st.session_state.get(_chips(number)) or {}).get("selection")
    if sent is None or sent == st.session_state.get("class_seen"):
        return
    st.session_state["class_seen"] = sent
    if seat := rooms().seat(code, kept(code)):
        picks = in_order(_chips(number), number, seat.draft, len(seat.asked.words))
        if picks is not None:
            rooms().press(code, kept(code), number, picks)


def _send(code: str, number: int) -> None:
    _take(code, number)  # the last press may have come with this one
    rooms().send(code, kept(code), number)


@st.fragment(run_every=EVERY)
def _watch(code: str, version: int) -> None:
    """Draw the page anew once the room has gone on; how many are ready meanwhile."""
    pulse = rooms().pulse(code, kept(code))
    if pulse is None or pulse.version != version:
        st.rerun()
    st.caption(t("class.ready_of", ready=pulse.ready, joined=pulse.joined))
