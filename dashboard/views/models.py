"""Models: what is loaded; choose another and load it, with its memory told first; the built-in one's card."""

from __future__ import annotations

import streamlit as st

from dashboard import reaching, session
from dashboard.service import service
from dashboard.session import current
from dashboard.widgets.bar import language_switch
from dashboard.widgets.model_card import WHOLE, builtin_card, examined, loaded_model
from dashboard.widgets.model_load import follow, is_stopped, stopped
from dashboard.widgets.model_offers import offers, ways
from dashboard.widgets.model_picker import choice_of, load_next
from dashboard.widgets.own_model import own_model
from dashboard.widgets.unfinished import unfinished_downloads
from dashboard.wording import t, told
from probes.errors import CruxError

LONGEST_TRY = 4.0
"""Seconds that the page waits, once drawn, to say which hubs can be reached."""

language_switch()
st.html(WHOLE)
shop, model = service(), service().loaded(choice_of(current()))
loaded_model(current(), model)
place = st.container(key="coming")
st.markdown(f"#### {t('models.catalogue')}")
reached = ways(shop.limits.hosted)
offers(shop, reached)
if not shop.limits.hosted:
    st.markdown(f"#### {t('models.own')}")
    own_model(shop)
    unfinished_downloads()
examined(model)
with st.expander(t("models.card"), icon=":material/info:"):
    builtin_card()

visit = session.visit()
if (coming := visit.coming) is not None:
    with place:
        if is_stopped(coming):
            stopped(coming, t("models.never_mind"), lambda: setattr(visit, "coming", None))
        else:
            try:
                session.write_link()
                follow(shop, coming)
                load_next(coming)
                visit.coming = visit.previewed = None
                st.rerun()
            except CruxError as fault:
                visit.coming = None
                st.error(told(fault), icon=":material/error:")
elif reaching.wait([hub for hub, found in reached if found is None], LONGEST_TRY):
    st.rerun()
