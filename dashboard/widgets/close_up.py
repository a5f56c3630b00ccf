"""The close-up: BertViz's head view and model view of chosen layers, by word or by token."""

from __future__ import annotations

import streamlit as st

from dashboard import session
from dashboard.looks import NoRoom
from dashboard.session import bound, choose
from dashboard.state import AROUNDS, FIRSTS, LEVELS, VIEWS
from dashboard.values import Head
from dashboard.widgets.bertviz import (
    MOST_WEIGHTS,
    TOKEN_LAYERS,
    TooLarge,
    View,
    Words,
    attention_frame,
    frame_height,
)
from dashboard.widgets.desk import Desk, dark
from dashboard.widgets.head_reading import no_room
from dashboard.wording import bare, t, told
from probes.charts.weights import First, grouped, places_of, without_first
from probes.errors import CruxError

HIGHEST = 620
"""Pixels; what is higher scrolls."""


def close_up(desk: Desk, looked: Head) -> None:
    """The controls and the frame."""
    with_heads = [layer for layer, count in enumerate(desk.geometry["heads"]) if count]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        choose("view", VIEWS, t("closeup.view"), {v: t(f"closeup.view_{v}") for v in VIEWS}.__getitem__)
        choose("level", LEVELS, t("closeup.level"), {n: t(f"closeup.level_{n}") for n in LEVELS}.__getitem__)
        rooms = {around: t(f"closeup.around_{around}") for around in AROUNDS}
        choose("around", AROUNDS, t("closeup.around"), rooms.__getitem__, help=t("closeup.around_help"))
        firsts = {first: t(f"closeup.first_{first}") for first in FIRSTS}
        st.selectbox(
            t("closeup.first"),
            FIRSTS,
            format_func=firsts.__getitem__,
            width=250,
            help=t("closeup.first_help"),
            **bound("first"),
        )
        _layers(desk, with_heads, looked)
    chosen = list(desk.state.shown) or [looked[0]]
    level = desk.state.level
    if level == "token" and len(chosen) > TOKEN_LAYERS:
        st.caption(t("closeup.by_word", layers=len(chosen), most=TOKEN_LAYERS))
        level = "word"
    try:
        _frame(desk, chosen, looked, by_token=level == "token")
    except CruxError as fault:
        st.info(told(fault), icon=":material/visibility_off:")
    except NoRoom as fault:
        st.info(no_room(fault), icon=":material/memory:")
    except TooLarge as fault:
        st.info(t("closeup.too_large", size=f"{fault.size:,}", most=f"{MOST_WEIGHTS:,}"))
    st.caption(t("closeup.read"))


def _layers(desk: Desk, with_heads: list[int], looked: Head) -> None:
    key = "w_shown"
    st.session_state[key] = list(desk.state.shown) or [looked[0]]
    st.multiselect(
        t("closeup.layers"),
        with_heads,
        key=key,
        on_change=lambda: session.change(shown=tuple(sorted(st.session_state["w_shown"]))),
        width=300,
    )


def _frame(desk: Desk, layers: list[int], looked: Head, *, by_token: bool) -> None:
    look = desk.look()
    places = look.tokens if by_token else look.words
    first: First = desk.state.first  # type: ignore[assignment]
    view: View = desk.state.view  # type: ignore[assignment]
    shown = [(layer, found) for layer in layers if (found := look.weights[layer]) is not None]
    heads = list(range(max(len(found) for _, found in shown)))
    labels = [*places.labels[:-1], t("heads.answer_place")]
    kept = places_of(places, look.passage) if desk.state.around == "passage" else list(range(len(labels)))
    labels = [labels[n] for n in kept]
    page = attention_frame(
        [without_first(grouped(found, places), first)[:, kept][:, :, kept] for _, found in shown],
        labels,
        layers=[layer for layer, _ in shown],
        heads=heads,
        words=Words.in_language(desk.state.lang),
        view=view,
        lit=[looked[1]],
        dark=dark(),
        lang=desk.state.lang,
    )
    height = frame_height(view, len(labels), len(shown), len(heads))
    st.iframe(page, height=min(height, HIGHEST), alt=bare("closeup.alt"))
