"""Explore: a passage whose words can be taken out, and what the answer does."""

from __future__ import annotations

import streamlit as st

from dashboard import session
from dashboard.widgets.bar import bar
from dashboard.widgets.own_passage import own_passage
from dashboard.widgets.stage import stage
from dashboard.wording import t

bar()
for name, value in session.visit().notes:
    st.warning(t("page.bad_link", name=name, value=value), icon=":material/link_off:")
if session.visit().editing:
    own_passage()
stage()
