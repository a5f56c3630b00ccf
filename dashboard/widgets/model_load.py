"""A model on its way: how much of it is here, how long the rest takes, a Stop; then it is loaded.

Whoever asks for the same model follows the same download. It goes on while its visitor looks at another page.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import session
from dashboard.gate import Standing
from dashboard.pace import Pace
from dashboard.service import Service, service
from dashboard.shelf import Choice
from dashboard.widgets.markup import Markdown
from dashboard.widgets.model_picker import short_name
from dashboard.widgets.places import in_line, told_time
from dashboard.wording import t
from probes.models.memory import readable

Step = Callable[[str, int, int], None]


def follow(shop: Service, choice: Choice) -> None:
    """Show the model on its way until it is loaded.

    Raises:
        CruxError: it cannot be had, does not fit, is not allowed here.
    """
    with st.spinner(t("stage.loading", model=short_name(choice.spec)), show_time=True):
        place = st.empty()
        shop.files.bring(choice, session.visitor(), _told(choice, place.container()))
        place.empty()

        def waiting(standing: Standing) -> None:
            if standing.ahead:
                place.caption(in_line(standing))
            else:
                place.empty()

        shop.model(choice, waiting)


def is_stopped(choice: Choice) -> bool:
    """Whether this visitor stopped it, and has not asked for it again."""
    return _key(choice) in session.visit().stopped


def stopped(choice: Choice, otherwise: Markdown, leave: Callable[[], None]) -> None:
    """It was stopped: a way to go on, and one to do `otherwise`."""
    st.info(t("models.stopped", model=short_name(choice.spec)), icon=":material/pause:")
    with st.container(horizontal=True):
        st.button(t("stage.go_on"), on_click=go_on, args=(choice,), key="load_go_on", type="primary")
        st.button(otherwise, on_click=leave, key="load_leave")


def go_on(choice: Choice) -> None:
    """It is asked for again."""
    session.visit().stopped.discard(_key(choice))


def _told(choice: Choice, place: DeltaGenerator) -> Step:
    """Shows each step in `place`, from the first one on."""
    pace, line = Pace(), list[DeltaGenerator]()

    def told(stage: str, done: int, total: int) -> None:
        if not line:
            with place, st.container(horizontal=True, vertical_alignment="center", key="model_coming"):
                line.append(st.progress(0.0, t("models.coming_download")))
                st.button(
                    t("stage.stop"), icon=":material/stop:", on_click=_stop, args=(choice,), key="load_stop"
                )
        share = min(1.0, done / max(total, 1))
        line[0].progress(share, _so_far(stage, done, total, pace.left(done, total)))

    return told


def _so_far(stage: str, done: int, total: int, seconds: float | None) -> Markdown:
    if stage != "download" or total <= 1:  # a package is downloaded by a program that tells no bytes
        return t(f"models.coming_{stage}")
    values = {"done": readable(done), "total": readable(total)}
    if seconds is None:
        return t("models.coming_bytes", **values)
    return t("models.coming_left", **values | {"time": told_time(seconds)})


def _stop(choice: Choice) -> None:
    session.visit().stopped.add(_key(choice))
    service().files.let_go(choice, session.visitor())


def _key(choice: Choice) -> object:
    return "load", choice
