"""A record's rows as the command line shows them."""

from __future__ import annotations

import streamlit as st

from dashboard.widgets.markup import plain
from dashboard.wording import t
from probes.studies.columns import Table

ROWS = 20
"""Rows that are shown at first."""


def record_table(made: Table, key: str) -> None:
    """The first rows, all of them once they are asked for, and what is to be said of them.

    Args:
        key: tells the tables of a page apart.
    """
    if made.rows and made.columns:
        asked = f"{key}_all"
        rows = made.rows if st.session_state.get(asked) else made.rows[:ROWS]
        titles = [plain(title) for title, _ in made.columns]
        with st.container(key="study_table"):
            st.table([dict(zip(titles, map(plain, row), strict=True)) for row in rows])
        if len(made.rows) > ROWS:
            st.toggle(t("study.all_rows", count=len(made.rows)), key=asked)
    for note in made.notes:
        st.caption(plain(note))
