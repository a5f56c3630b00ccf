"""Downloads that were stopped: how much of the disk they take, and a press to throw them away."""

from __future__ import annotations

import streamlit as st

from dashboard.wording import t
from probes.models import unfinished
from probes.models.memory import readable


def unfinished_downloads() -> None:
    """Nothing where there is none. For a page of one's own: elsewhere the files are not the visitor's."""
    left = [(one, one.size) for one in unfinished.unfinished()]
    if not left:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="unfinished"):
        for one, size in left:
            values = {"model": one.repo, "size": readable(size)}
            st.caption(t("models.unfinished", **values), width="content")
        st.button(
            t("models.discard"),
            icon=":material/delete:",
            help=t("models.discard_help"),
            key="discard_unfinished",
            on_click=_discard,
        )


def _discard() -> None:
    for one in unfinished.unfinished():
        unfinished.discard(one)
