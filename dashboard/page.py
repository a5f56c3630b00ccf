"""Navigation, page set-up, language. The browser's tab says which page it is, in the visitor's language."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import session
from dashboard.hosting.first import FIRST_PAGE
from dashboard.service import service
from dashboard.widgets.page_language import page_language
from dashboard.widgets.record_board import file_named
from dashboard.widgets.tour import welcome
from dashboard.wording import t

# Before the pages: a tab shows their icons otherwise, which are fetched from another host.
st.set_page_config(page_icon="🎯", layout="wide")
session.read_link()
chosen = st.navigation(
    [
        st.Page(
            "views/explore.py",
            title=t("page.explore"),
            icon=":material/target:",
            url_path="explore",
            default=True,
        ),
        st.Page(
            "views/smallest.py",
            title=t("page.smallest"),
            icon=":material/strikethrough_s:",
            url_path="smallest",
        ),
        st.Page("views/order.py", title=t("page.order"), icon=":material/swap_vert:", url_path="order"),
        st.Page("views/pairs.py", title=t("page.pairs"), icon=":material/join_inner:", url_path="pairs"),
        st.Page("views/heads.py", title=t("page.heads"), icon=":material/grid_on:", url_path="heads"),
        st.Page("views/links.py", title=t("page.links"), icon=":material/conversion_path:", url_path="links"),
        st.Page("views/layers.py", title=t("page.layers"), icon=":material/layers:", url_path="layers"),
        st.Page("views/study.py", title=t("page.studies"), icon=":material/science:", url_path="studies"),
        st.Page(
            "views/lecture.py",
            title=t("page.lecture"),
            icon=":material/school:",
            url_path="lecture",
        ),
        st.Page("views/class_.py", title=t("page.class"), icon=":material/groups:", url_path="class"),
        st.Page(
            "views/join.py",
            title=t("page.join"),
            icon=":material/how_to_vote:",
            url_path="join",
            visibility="hidden",
        ),
        st.Page(
            "views/record.py",
            title=t("page.record"),
            icon=":material/description:",
            url_path="record",
            visibility="visible" if file_named() else "hidden",
        ),
        st.Page("views/models.py", title=t("page.models"), icon=":material/memory:", url_path="models"),
    ],
    position="hidden" if session.alone() else "top",
)
st.set_page_config(page_title=f"{chosen.title} · Crux")
st.html(Path(__file__).with_name("page.css"))
page_language(session.current().lang)
welcome(chosen.url_path or "explore")
chosen.run()
if service().limits.hosted:
    st.caption(t("hosting.privacy"))
session.write_link()
FIRST_PAGE.draw()
