"""Heads: which attention heads the answer hangs on, what happens without them, and what they read."""

from __future__ import annotations

import streamlit as st

from dashboard import study_options
from dashboard.values import Head
from dashboard.widgets import answers_and_effects as numbers
from dashboard.widgets.close_up import close_up
from dashboard.widgets.desk import Desk, desk, ink
from dashboard.widgets.head_board import (
    ablated_buttons,
    ablated_list,
    all_heads,
    forget_strange_heads,
    head_controls,
    head_map,
    target_choice,
)
from dashboard.widgets.head_reading import agreement, head_looked_at, reading, take_reader
from dashboard.widgets.over_board import over_view
from dashboard.widgets.tabs import tabs
from dashboard.widgets.take_along import Taken, below
from dashboard.wording import bare, t
from probes import charts
from probes.errors import CapabilityError
from probes.running.headline import headline


def draw(here: Desk) -> None:
    """The map and the answers, what a head reads, then the close-ups."""
    if not all_heads(here.geometry):
        raise CapabilityError("heads_none", layers=here.geometry["layers"])
    forget_strange_heads(here)
    take_reader(here)
    state = here.state
    known = here.known("heads", study_options.heads(state))
    here.say(known if not state.ablated else None)
    now_options = study_options.ask(state, state.ablated)
    with st.container(key="heads_board"):
        left, right = st.columns([7, 5], gap="medium")
    with right:
        now = here.quick("ask", now_options)
        here.say(known if known is not None and not state.ablated else now)
        numbers.answers_view(now, None)
        ablated_buttons(here, known)
    with left:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            target_choice(here, known, width=250)
            ablated_list(here, known)
        exact = head_map(here)
        if exact is not None:
            if known is None:
                st.rerun()  # what stands beside the map was drawn before its numbers were known
            st.caption(t("heads.legend"))
    looked = head_looked_at(here, exact)
    reading(here, exact)
    taken = [Taken("ask", now, now_options)]
    if exact is not None:
        picture = charts.heads_map
        taken.insert(
            0,
            Taken(
                "heads",
                exact,
                study_options.heads(state),
                lambda lang: picture(exact, lang, chosen=state.ablated),
            ),
        )
    labels = {name: t(f"heads.tab_{name}") for name in ("close", "together")}
    shown = tabs("heads_tabs", labels | {"over": t("over.tab"), "agree": t("heads.tab_agree")})
    if shown["close"].open:
        with shown["close"]:
            close_up(here, looked)
    if shown["together"].open:
        with shown["together"]:
            _together(here, taken)
    if shown["over"].open:
        with shown["over"]:
            over = over_view(here, "heads", study_options.heads(state))
            taken += [over] if over else []
    if shown["agree"].open:
        with shown["agree"]:
            _agreement(here, looked, taken)
    below(here.question, taken, [t("heads.read_text")])


def _together(here: Desk, taken: list[Taken]) -> None:
    options = study_options.together(here.state)
    found = here.measured("heads", options, len(all_heads(here.geometry)) + 80, "together")
    if found is None or not found.data["cumulative"]:
        return
    st.vega_lite_chart(
        charts.specification(charts.cumulative(found, here.state.lang), ink=ink()),
        alt=bare("heads.together_alt", headline=headline(found.data, here.state.lang)),
    )
    control = found.data["control"]
    if control and control.get("n"):
        flips = control.get("flips_clearly", control["flips"])
        values = {"n": control["n"], "size": control["size"], "flips": flips}
        band = {"low": charts.nats_text(control["low"]), "high": charts.nats_text(control["high"])}
        st.caption(t("heads.random", **values, **band))
    st.caption(t("heads.together_read"))
    taken[0:1] = [Taken("heads", found, options, lambda lang: charts.cumulative(found, lang))]


def _agreement(here: Desk, looked: Head, taken: list[Taken]) -> None:
    seen = agreement(here, looked)
    if seen is not None:
        ranks = (lambda lang: charts.agreement_map(seen, lang)) if seen.data["agreement"] else None
        taken.append(Taken("attention", seen, study_options.attention(here.state), ranks))


desk(draw, head_controls)
