"""Models: what is loaded, what its self-check found, how to load one's own, what the built-in one is."""

from __future__ import annotations

import streamlit as st

from dashboard.service import service
from dashboard.session import current
from dashboard.widgets.bar import language_switch
from dashboard.widgets.model_card import WHOLE, builtin_card, catalogue_table, loaded_model
from dashboard.widgets.model_picker import choice_of
from dashboard.wording import t

language_switch()
st.html(WHOLE)
loaded_model(current(), service().loaded(choice_of(current())))
st.markdown(f"#### {t('models.own')}")
st.markdown(t("models.own_text"))
st.markdown(f"#### {t('models.catalogue')}")
catalogue_table()
with st.expander(t("models.card"), icon=":material/info:"):
    builtin_card()
