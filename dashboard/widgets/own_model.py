"""A folder, a .gguf file or a hub's id of one's own: what loading it takes, then a press to load it."""

from __future__ import annotations

import streamlit as st

from dashboard import session
from dashboard.service import Service
from dashboard.widgets.markup import Markdown
from dashboard.widgets.model_offers import come, next_choice
from dashboard.widgets.model_picker import short_name
from dashboard.wording import t, told
from probes.errors import CruxError
from probes.models.kinds import kind_of
from probes.models.looking import Preview
from probes.models.memory import readable


def own_model(shop: Service) -> None:
    """The form, and what was found of the model that it names."""
    st.markdown(t("models.own_text"))
    with st.form("own_model", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            spec = st.text_input(
                t("models.typed"),
                placeholder=t("models.typed_example"),
                help=t("models.typed_help"),
                width=420,
            )
            revision = st.text_input(t("models.revision"), help=t("models.revision_help"), width=180)
        asked = st.form_submit_button(t("models.look"), icon=":material/search:")
    if asked and spec.strip():
        _look(shop, spec.strip(), revision.strip())
    _found()


def _look(shop: Service, spec: str, revision: str) -> None:
    """Find out what it would take, or why it cannot be had; kept until another is asked about."""
    visit, choice = session.visit(), next_choice(spec, revision)
    if kind_of(spec):  # it answers from elsewhere: there is nothing to look at
        come(choice)
        st.rerun()
    try:
        with st.spinner(t("models.looking", model=short_name(spec))):
            visit.previewed = choice, shop.files.preview(choice)
    except CruxError as fault:
        visit.previewed = choice, fault


def _found() -> None:
    if (previewed := session.visit().previewed) is None:
        return
    choice, found = previewed
    if isinstance(found, CruxError):
        st.error(told(found), icon=":material/error:")
        return
    with st.container(border=True, key="previewed"):
        st.markdown(_needs(found))
        st.button(
            t("models.load"),
            type="primary",
            key="load_own",
            disabled=not found.size.fits,
            on_click=come,
            args=(choice,),
        )


def _needs(found: Preview) -> Markdown:
    size = found.size
    values = {
        "model": found.name,
        "architecture": size.architecture,
        "parameters": f"{size.parameters / 1e6:,.1f} M",
        "needed": readable(size.bytes_needed),
        "free": readable(size.bytes_free),
        "dtype": found.dtype,
        "device": found.device,
    }
    told_size = t("models.own_fits" if size.fits else "models.own_short", **values)
    if not found.download:
        return Markdown(f"{told_size}  \n{t('models.own_here')}")
    return Markdown(f"{told_size}  \n{t('models.own_download', size=readable(found.download))}")
