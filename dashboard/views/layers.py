"""Layers: where along them the answer appears, who puts it there, which states carry a difference."""

from __future__ import annotations

import streamlit as st

from dashboard import study_options
from dashboard.session import choose
from dashboard.state import OVER_LAYERS
from dashboard.widgets.desk import Desk, desk
from dashboard.widgets.head_board import forget_strange_heads, target_choice
from dashboard.widgets.layer_board import (
    lens_view,
    parts_view,
    patch_view,
    site_and_direction,
    writes_view,
)
from dashboard.widgets.over_board import over_view
from dashboard.widgets.tabs import tabs
from dashboard.widgets.take_along import Taken, below
from dashboard.wording import t


def draw(here: Desk) -> None:
    """The answer's curve first; who writes it, what taking parts away does, and patching in tabs."""
    forget_strange_heads(here)
    target_choice(here, None)
    taken = [lens_view(here)]
    labels = {name: t(f"layers.tab_{name}") for name in ("writes", "parts", "patch")}
    shown = tabs("layers_tabs", labels | {"over": t("over.tab")})
    if shown["writes"].open:
        with shown["writes"]:
            writes_view(here, taken[0].result)
    if shown["parts"].open:
        with shown["parts"]:
            taken += [one for one in [parts_view(here)] if one]
    if shown["patch"].open:
        with shown["patch"]:
            taken += [one for one in [patch_view(here)] if one]
    if shown["over"].open:
        with shown["over"]:
            over = _over(here)
            taken += [over] if over else []
    below(here.question, taken, [t("layers.read_text")])


def _over(here: Desk) -> Taken | None:
    """Parts taken away, or states put in, in every passage of a set."""
    names = {study: t(f"over.in_each_{study}") for study in OVER_LAYERS}
    choose("many", OVER_LAYERS, t("over.what"), names.__getitem__)
    if here.state.many == "layers":
        return over_view(here, "layers", study_options.layers(here.state))
    site_and_direction()
    found = over_view(here, "patch", study_options.patch_over(here.state))
    st.caption(t("over.patch_read"))
    return found


desk(draw, lambda: None)
