"""Links: which word's reading of which other word carries the answer."""

from __future__ import annotations

import streamlit as st

from dashboard import session, study_options
from dashboard.widgets.desk import Desk, desk
from dashboard.widgets.head_board import forget_strange_heads, target_choice
from dashboard.widgets.link_board import arcs, maps, table, unfinished, window_control
from dashboard.widgets.over_board import over_view
from dashboard.widgets.tabs import tabs
from dashboard.widgets.take_along import Taken, below
from dashboard.wording import t
from probes import charts


def draw(here: Desk) -> None:
    """Arcs on the passage, the two maps, the strongest in a table, the same over a set."""
    forget_strange_heads(here)
    words = len(here.question.passage.words)
    pairs, most = words * (words - 1) // 2, here.shop.limits.runs
    budget = here.state.budget if most is None else max(1, min(here.state.budget, most - 2 * words))
    options = study_options.links(here.state, budget)
    known = here.known("links", options)
    here.say(known or here.quick("ask", study_options.ask(here.state, ())))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        target_choice(here, known)
        with st.container(width=360):
            window_control(here.geometry["layers"])
    runs = 2 * words + min(pairs, budget)
    slot = st.empty()
    found = here.measured("links", options, runs, "links", lambda so_far: unfinished(here, so_far, slot))
    if found is None:
        st.caption(t("links.waits", words=words, pairs=pairs, budget=budget))
        return
    slot.empty()
    here.say(found)
    arcs(here, found)
    left_out = found.data["left_out"]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(t("links.budget", left_out=left_out, budget=budget) if left_out else t("links.all"))
        if left_out and (most is None or 2 * words + pairs <= most):
            st.button(
                t("links.more", pairs=pairs), on_click=session.change, kwargs={"budget": pairs}, key="more"
            )
    maps(here, found)
    taken = [Taken("links", found, options, lambda lang: charts.links_maps(found, lang))]
    shown = tabs("links_tabs", {"strongest": t("links.table"), "over": t("over.tab")})
    if shown["strongest"].open:
        with shown["strongest"]:
            table(here, found)
    if shown["over"].open:
        with shown["over"]:
            over = over_view(here, "links", study_options.links_over(here.state))
            taken += [over] if over else []
    below(here.question, taken, [t("links.read_text")])


desk(draw, lambda: None)
