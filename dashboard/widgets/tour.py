"""What Crux is, in a sentence, for a first visit; and a tour of two minutes through the pages."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard import session
from dashboard.wording import t


@dataclass(frozen=True)
class Stop:
    """One step of the tour: the page it is about, and the name of its text."""

    page: str
    name: str


STOPS = (
    Stop("explore", "answer"),
    Stop("explore", "press"),
    Stop("explore", "numbers"),
    Stop("smallest", "smallest"),
    Stop("heads", "heads"),
    Stop("lecture", "lecture"),
    Stop("explore", "own"),
)


def welcome(page: str) -> None:
    """Above a page: the tour where it is under way; on the first page, what Crux is, until it is put away.

    Args:
        page: the name of the page that is drawn under it.
    """
    visit = session.visit()
    if st.context.is_embedded:
        return
    if visit.toured is not None:
        _stop(visit.toured, page)
    elif page == "explore" and not visit.welcomed:
        _first_words()


def _first_words() -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="welcome"):
        st.markdown(t("tour.what"), width="stretch")
        if st.button(t("tour.begin"), icon=":material/tour:", type="tertiary", key="tour_begin"):
            _go(0)
        st.button(
            t("tour.put_away"), icon=":material/close:", type="tertiary", on_click=_put_away, key="tour_away"
        )


def _stop(number: int, page: str) -> None:
    stop = STOPS[number]
    with (
        st.container(border=True, key="tour"),
        st.container(horizontal=True, vertical_alignment="center", gap="small"),
    ):
        st.markdown(t(f"tour.at_{stop.name}", n=number + 1, of=len(STOPS)), width="stretch")
        if page != stop.page and st.button(t("tour.there"), key="tour_there"):
            _go(number)
        if number and st.button(t("tour.back"), key="tour_back"):
            _go(number - 1)
        last = number == len(STOPS) - 1
        if not last and st.button(t("tour.next"), type="primary", key="tour_next"):
            _go(number + 1)
        st.button(t("tour.done" if last else "tour.end"), on_click=_put_away, key="tour_end")


def _go(number: int) -> None:
    session.visit().toured = number
    st.switch_page(f"views/{STOPS[number].page}.py")


def _put_away() -> None:
    visit = session.visit()
    visit.toured, visit.welcomed = None, True
