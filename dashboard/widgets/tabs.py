"""Tabs of a page whose open one is part of the page's state, and so of its link."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.elements.lib.mutable_tab_container import TabContainer

from dashboard import session
from dashboard.session import current
from dashboard.widgets.markup import Markdown


def tabs(key: str, labels: Mapping[str, Markdown]) -> dict[str, TabContainer]:
    """One tab for each name, `open` telling which one is.

    Args:
        labels: names, as the link has them, with what stands on the tabs. The first is open where the state
            names none of them: another page's tab, for instance.
    """
    names = {label: name for name, label in labels.items()}
    first = next(iter(labels))
    wanted = current().tab if current().tab in labels else first
    st.session_state[key] = labels[wanted]

    def changed() -> None:
        chosen = names.get(st.session_state[key], first)
        session.change(tab="" if chosen == first else chosen)

    return dict(zip(labels, st.tabs(list(names), key=key, on_change=changed), strict=True))
