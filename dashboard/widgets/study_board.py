"""One page for any study: what it asks, its options as it declares them, and its record once it is run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from dashboard import session
from dashboard.session import bound, current
from dashboard.widgets.before_drawing import problem
from dashboard.widgets.desk import Desk, ink
from dashboard.widgets.markup import plain
from dashboard.widgets.notes import known_note
from dashboard.widgets.over_board import over_view
from dashboard.widgets.tabs import tabs
from dashboard.widgets.take_along import Taken, below
from dashboard.wording import bare, t
from probes import charts
from probes.errors import CruxError
from probes.record.results import ProbeResult
from probes.running.headline import headline
from probes.studies import STUDIES, Option, Study

ROWS = 20
"""Rows of a table that are shown at first."""
ASKED_FROM = 3
"""Runs from which on a study is offered, not begun."""


def study_choice() -> None:
    """Which study, in the page's bar."""
    st.selectbox(t("study.which"), list(STUDIES), width=160, **bound("study"))


def board(here: Desk) -> None:
    """What the study asks and its options; then its record, alone and over a set of passages."""
    study = STUDIES[here.state.study]
    st.caption(plain(study.about(here.state.lang)))
    try:
        settings = study.settings(_options(study))
    except CruxError as fault:
        problem(fault)
        return
    labels = {"one": t("study.one")} | ({"over": t("over.tab")} if study.over else {})
    shown = tabs("study_tabs", labels)
    found: list[Taken | None] = []
    if shown["one"].open:
        with shown["one"]:
            found.append(_one(here, study, settings))
    if "over" in shown and shown["over"].open:
        with shown["over"]:
            found.append(over_view(here, study.name, settings))
    if taken := [one for one in found if one]:
        below(here.question, taken)


def _one(here: Desk, study: Study, settings: Mapping[str, Any]) -> Taken | None:
    try:
        runs = here.shop.runs(study.name, here.choice, here.question, settings)
        found = here.measured(study.name, settings, runs, f"study_{study.name}", ask=runs >= ASKED_FROM)
    except CruxError as fault:
        problem(fault)
        return None
    here.say(found)
    if found is None:
        return None
    lang = here.state.lang
    picture = charts.specification(study.picture(found, lang), ink=ink())
    said = bare("study.alt", headline=headline(found.data, lang))
    st.vega_lite_chart(picture, key=f"study_{study.name}_chart", alt=said)
    _table(study, found, lang)
    known_note(found.data)
    return Taken(study.name, found, settings, partial(study.picture, found))


def _table(study: Study, found: ProbeResult, lang: str) -> None:
    """The rows as the command line shows them."""
    table = study.tabled(found.data, lang)
    if table.rows and table.columns:
        key = f"study_{study.name}_all"
        rows = table.rows if st.session_state.get(key) else table.rows[:ROWS]
        titles = [plain(title) for title, _ in table.columns]
        with st.container(key="study_table"):
            st.table([dict(zip(titles, map(plain, row), strict=True)) for row in rows])
        if len(table.rows) > ROWS:
            st.toggle(t("study.all_rows", count=len(table.rows)), key=key)
    for note in table.notes:
        st.caption(plain(note))


# ---- options, as they are declared


def _options(study: Study) -> dict[str, Any]:
    """Every option that the visitor gave another value than its default."""
    given = dict(current().told)
    with st.expander(t("study.options"), icon=":material/tune:"):
        columns = st.columns(3)
        for place, option in enumerate(study.options):
            with columns[place % 3]:
                _widget(study, option, given.get(option.name))
    return {name: value for name, text in given.items() if (value := _read(study, name, text)) is not None}


def _read(study: Study, name: str, text: str) -> Any:
    """What a link or a widget says of an option; as it stands where it is no such value, to be refused."""
    option = next((one for one in study.options if one.name == name), None)
    if option is None or option.kind in ("text", "choice"):
        return text
    if option.kind == "flag":
        return {"0": False, "1": True}.get(text, text)
    try:
        return int(text) if option.kind == "integer" else float(text)
    except ValueError:
        return text


def _widget(study: Study, option: Option, given: str | None) -> None:
    key = f"w_{study.name}_{option.name}"
    label = plain(option.name.replace("_", " "))
    value = option.default if given is None else _read(study, option.name, given)
    told: dict[str, Any] = {"key": key, "on_change": _take_over, "args": (key, option)}
    about = plain(study.option_help(option.name, current().lang))
    if option.kind == "choice":
        st.session_state[key] = value if value in option.choices else option.default
        st.selectbox(label, option.choices, help=about, **told)
    elif option.kind == "flag":
        st.session_state[key] = value is True
        st.toggle(label, help=about, **told)
    else:
        st.session_state[key] = _written(value)
        st.text_input(label, help=about, placeholder=bare("study.none"), **told)


def _written(value: Any) -> str:
    """A value as its field shows it, and as the link has it."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _take_over(key: str, option: Option) -> None:
    value = st.session_state[key]
    text = str(int(value)) if option.kind == "flag" else str(value).strip()
    plainly = str(int(option.default)) if option.kind == "flag" else _written(option.default)
    told = {name: said for name, said in current().told if name != option.name}
    if text not in ("", plainly):
        told[option.name] = text
    session.change(told=tuple(sorted(told.items())))
