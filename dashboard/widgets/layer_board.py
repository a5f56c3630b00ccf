"""Layers: the answer read off early, what each layer's parts do, and states put from one run into another."""

from __future__ import annotations

import streamlit as st

from dashboard import session, study_options
from dashboard.asking import preset_of
from dashboard.session import choose
from dashboard.state import DIRECTIONS, HOWS, SITES
from dashboard.widgets.before_drawing import problem
from dashboard.widgets.desk import Desk, ink
from dashboard.widgets.head_board import all_heads
from dashboard.widgets.markup import plain
from dashboard.widgets.take_along import Taken
from dashboard.widgets.wide import GLANCE, wide
from dashboard.wording import bare, t
from probes import charts
from probes.errors import CruxError
from probes.numbers import percent
from probes.record.results import ProbeResult
from probes.running.headline import headline, top_of


def lens_view(here: Desk) -> Taken:
    """Where along the layers the answer appears."""
    options = study_options.lens(here.state)
    found = here.quick("lens", options)
    here.say(found)
    st.vega_lite_chart(
        charts.specification(charts.lens(found, here.state.lang), ink=ink()),
        key="lens_chart",
        alt=bare("layers.lens_alt", headline=headline(found.data, here.state.lang)),
    )
    return Taken("lens", found, options, lambda lang: charts.lens(found, lang))


def writes_view(here: Desk, lens: ProbeResult) -> None:
    """Who puts it there: what each part writes by itself."""
    rows = [row for row in lens.data["contributions"] if row["contribution"] is not None]
    if not rows:
        st.caption(t("layers.no_direct"))
        return
    chart = charts.layer_parts(lens, here.state.lang, measure="direct", rows=rows)
    st.vega_lite_chart(charts.specification(chart), key="writes_chart", alt=bare("layers.writes_alt"))
    if contrast := lens.data["contrast"]:
        st.caption(t("layers.contrast", one=contrast["string"], other=contrast["against"]))
    st.caption(t("layers.writes_read"))


def parts_view(here: Desk) -> Taken | None:
    """Attention and feed-forward of each layer taken away."""
    ways = {how: t(f"inside.how_{how}") for how in HOWS}
    choose("part_how", HOWS, t("inside.how"), ways.__getitem__, help=t("inside.how_help"))
    options = study_options.layers(here.state)
    found = here.measured("layers", options, 2 * here.geometry["layers"], "layers")
    if found is None:
        return None
    st.vega_lite_chart(
        charts.specification(charts.layer_parts(found, here.state.lang)),
        key="parts_chart",
        alt=bare("layers.parts_alt", headline=headline(found.data, here.state.lang)),
    )
    st.markdown(f"**{plain(headline(found.data, here.state.lang))}**")
    st.caption(t("layers.parts_read"))
    return Taken("layers", found, options, lambda lang: charts.layer_parts(found, lang))


# ---- patching


def patch_view(here: Desk) -> Taken | None:
    """Which states carry the difference between the passage and another that differs in few words."""
    suggestion = _swap_form()
    change, to = here.state.swap or suggestion[0], here.state.swap_to or suggestion[1]
    site_and_direction()
    if not change or not to:
        st.info(t("layers.no_swap"), icon=":material/edit:")
        return None
    options = study_options.patch(here.state, change, to)
    try:
        found = here.measured("patch", options, patch_runs(here), "patch")
    except CruxError as fault:
        problem(fault)
        return None
    if found is None:
        return None
    _ends(here, found, change, to)
    with wide("patch_wide", len(here.question.passage.words) + 1, GLANCE):
        st.vega_lite_chart(
            charts.specification(charts.patch_map(found, here.state.lang), ink=ink()),
            key="patch_chart",
            alt=bare("layers.patch_alt", headline=headline(found.data, here.state.lang)),
        )
    st.caption(t(f"layers.read_{here.state.direction}"))
    return Taken("patch", found, options, lambda lang: charts.patch_map(found, lang))


def site_and_direction() -> None:
    """Which states, and from which run into which."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        sites = {site: t(f"layers.site_{site}") for site in SITES}
        choose("site", SITES, t("layers.site"), sites.__getitem__, help=t("layers.site_help"))
        ways = {way: t(f"layers.{way}") for way in DIRECTIONS}
        choose(
            "direction", DIRECTIONS, t("layers.direction"), ways.__getitem__, help=t("layers.direction_help")
        )


def patch_runs(here: Desk) -> int:
    """How many states there are to put in."""
    places = len(all_heads(here.geometry)) if here.state.site == "head" else here.geometry["layers"]
    return places * (len(here.question.passage.words) + 1)


def _swap_form() -> tuple[str, str]:
    """What is replaced by what, the preset's suggestion at first; the suggestion."""
    state, base = session.current(), preset_of(session.current())
    suggestions = base.counterfactuals if base else ()
    first = suggestions[0] if suggestions else ("", "")
    with (
        st.form("swap", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        change = st.text_input(t("layers.change"), value=state.swap or first[0], width=220, max_chars=200)
        to = st.text_input(t("layers.to"), value=state.swap_to or first[1], width=220, max_chars=200)
        if st.form_submit_button(t("layers.swap")):
            session.change(swap=change.strip() or None, swap_to=to.strip() or None)
            st.rerun()
    return first


def _ends(here: Desk, found: ProbeResult, change: str, to: str) -> None:
    own, other = found.data["clean"], found.data["base"]
    if here.state.direction == "noising":
        other = found.data["source"]
    tops = [top_of(run) for run in (own, other)]
    st.markdown(
        t(
            "layers.ends",
            change=change,
            to=to,
            own=tops[0]["name"],
            p=percent(tops[0]["probability"]),
            other=tops[1]["name"],
            q=percent(tops[1]["probability"]),
        )
    )
