"""One page for any study: what it asks, its options as it declares them, and its record once it is run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from dashboard import session, study_options
from dashboard.session import bound, current
from dashboard.widgets.before_drawing import problem
from dashboard.widgets.desk import Desk, ink
from dashboard.widgets.markup import Markdown, plain
from dashboard.widgets.notes import known_note
from dashboard.widgets.over_board import over_view
from dashboard.widgets.record_table import record_table
from dashboard.widgets.tabs import tabs
from dashboard.widgets.take_along import Taken, below
from dashboard.wording import bare, t
from probes import charts
from probes.errors import CruxError
from probes.record.results import ProbeResult
from probes.running.headline import headline
from probes.studies import STUDIES, Option, Study

OF_THE_BAR = ("mode", "unit", "target")
"""Options that the page's bar and state have."""
Above = Callable[[Desk, ProbeResult], None]
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
        settings = study.settings(options_of(study))
    except CruxError as fault:
        problem(fault)
        return
    labels = {"one": t("study.one")} | ({"over": t("over.tab")} if study.over else {})
    on_show = tabs("study_tabs", labels)
    found: list[Taken | None] = []
    if on_show["one"].open:
        with on_show["one"]:
            found.append(one_passage(here, study, settings, ask=True))
    if "over" in on_show and on_show["over"].open:
        with on_show["over"]:
            found.append(over_view(here, study.name, settings))
    if taken := [one for one in found if one]:
        below(here.question, taken)


def one_passage(here: Desk, study: Study, settings: Mapping[str, Any], *, ask: bool = False) -> Taken | None:
    """A study of the passage on show, run once it is short or agreed to: its headline, picture, table.

    Args:
        ask: whether it is offered, not begun, however short it is.
    """
    found = measured(here, study, settings, ask=ask)
    if found is None:
        return None
    shown(here, study, found)
    return Taken(study.name, found, settings, partial(study.picture, found))


def own_page(here: Desk, study: Study, waits: Markdown, read: Markdown, above: Above) -> None:
    """A study's own page: what `above` draws of its record, then its picture and table; its options last.

    Args:
        waits: what is said while there is no record; `read`, how it is read.
    """
    slot, state = st.container(), here.state
    own_options(study, OF_THE_BAR)
    try:
        given = {**told_of(study), **{name: getattr(state, name) for name in OF_THE_BAR}}
        settings = study.settings(given)
    except CruxError as fault:
        problem(fault)
        return
    with slot:
        found = measured(here, study, settings)
        if found is None:
            st.caption(waits)
            return
        above(here, found)
        shown(here, study, found)
    below(here.question, [Taken(study.name, found, settings, partial(study.picture, found))], [read])


def measured(
    here: Desk, study: Study, settings: Mapping[str, Any], *, ask: bool = False
) -> ProbeResult | None:
    """A study's record, its sentence on top; None while there is none, with what stands in the way."""
    try:
        runs = here.shop.runs(study.name, here.choice, here.question, settings)
        offer = True if ask and runs >= ASKED_FROM else None
        found = here.measured(study.name, settings, runs, f"study_{study.name}", ask=offer)
        here.say(found or here.quick("ask", study_options.ask(here.state, ())))
    except CruxError as fault:
        problem(fault)
        return None
    return found


def shown(here: Desk, study: Study, found: ProbeResult) -> None:
    """A record's picture and table."""
    lang = here.state.lang
    picture = charts.specification(study.picture(found, lang), ink=ink())
    said = bare("study.alt", headline=headline(found.data, lang))
    st.vega_lite_chart(picture, key=f"study_{study.name}_chart", alt=said)
    record_table(study.tabled(found.data, lang), f"study_{study.name}")
    known_note(found.data)


# ---- options, as they are declared


def options_of(study: Study) -> dict[str, Any]:
    """On the page of any study: every option that the visitor gave another value than its default."""
    with st.expander(t("study.options"), icon=":material/tune:"):
        _fields(study, study.options, dict(current().told), _tell_any)
    return _values(study, current().told)


def own_options(study: Study, but: Collection[str]) -> None:
    """On a study's own page: fields of its options.

    Args:
        but: those that have a control elsewhere on the page.
    """
    with st.expander(t("study.options"), icon=":material/tune:"):
        offer(study, [option.name for option in study.options if option.name not in but])


def offer(study: Study, names: Sequence[str]) -> None:
    """On a study's own page: fields of these options, side by side."""
    options = {option.name: option for option in study.options}
    _fields(study, [options[name] for name in names], dict(_own(study)), partial(tell, study))


def told_of(study: Study) -> dict[str, Any]:
    """On a study's own page: what the visitor chose."""
    return _values(study, _own(study))


def tell(study: Study, name: str, text: str) -> None:
    """On a study's own page: give an option another value; "" gives it back its default."""
    key = f"{study.name}.{name}"
    said = {other: value for other, value in current().chosen if other != key}
    session.change(chosen=tuple(sorted((said | ({key: text} if text else {})).items())))


def _tell_any(name: str, text: str) -> None:
    said = {other: value for other, value in current().told if other != name}
    session.change(told=tuple(sorted((said | ({name: text} if text else {})).items())))


def _own(study: Study) -> list[tuple[str, str]]:
    """Of what was chosen on studies' own pages, this one's; of it what is an option."""
    names = {f"{study.name}.{option.name}": option.name for option in study.options}
    return [(names[key], text) for key, text in current().chosen if key in names]


def _values(study: Study, given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {name: value for name, text in given if (value := _read(study, name, text)) is not None}


def _fields(
    study: Study,
    options: Sequence[Option],
    given: Mapping[str, str],
    take: Callable[[str, str], None],
) -> None:
    places = st.columns(3)
    for place, option in enumerate(options):
        with places[place % 3]:
            _widget(study, option, given.get(option.name), take)


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


def _widget(study: Study, option: Option, given: str | None, take: Callable[[str, str], None]) -> None:
    key, lang = f"w_{study.name}_{option.name}", current().lang
    label = plain(study.option_label(option.name, lang))
    value = option.default if given is None else _read(study, option.name, given)
    ways: dict[str, Any] = {"key": key, "on_change": _take_over, "args": (key, option, take)}
    about = plain(study.option_help(option.name, lang))
    if option.kind == "choice":
        st.session_state[key] = value if value in option.choices else option.default
        names = {one: plain(study.choice_label(one, lang)) for one in option.choices}
        st.selectbox(label, option.choices, format_func=names.__getitem__, help=about, **ways)
    elif option.kind == "flag":
        st.session_state[key] = value is True
        st.toggle(label, help=about, **ways)
    else:
        st.session_state[key] = _written(value)
        st.text_input(label, help=about, placeholder=bare("study.none"), **ways)


def _written(value: Any) -> str:
    """A value as its field shows it, and as the link has it."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _take_over(key: str, option: Option, take: Callable[[str, str], None]) -> None:
    value = st.session_state[key]
    text = str(int(value)) if option.kind == "flag" else str(value).strip()
    plainly = str(int(option.default)) if option.kind == "flag" else _written(option.default)
    take(option.name, "" if text == plainly else text)
