"""Below a picture of what is inside: how to read it, how it was measured, and how to take it along."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.filenames import file_name
from dashboard.session import current
from dashboard.state import fits_link
from dashboard.values import LONGEST_TEXT_IN_LINK
from dashboard.widgets.desk import Desk
from dashboard.widgets.details import PICTURES, in_language, link, model_arguments, passage_file, records
from dashboard.widgets.facts import listed, measured_facts
from dashboard.widgets.markup import Markdown, plain
from dashboard.wording import TEXTS, bare, t
from probes.charts.pictures import Format, saved, titled
from probes.record.reference_wording import reference_of, reference_text
from probes.record.results import ProbeResult
from probes.running.commandline import command_line
from probes.running.headline import headline

if TYPE_CHECKING:
    import altair as alt


@dataclass(frozen=True)
class Taken:
    """One record on the page, what it was run with, and its picture."""

    study: str
    result: ProbeResult
    options: Mapping[str, Any]
    draw: Callable[[str], alt.LayerChart] | None = None
    """Its picture in a language. It is called when it is wanted, where no visitor is known any more."""

    @property
    def name(self) -> str:
        """Tells its files apart from the page's others."""
        return f"{self.study}-over" if "over" in self.options else self.study

    @property
    def settings(self) -> Mapping[str, Any]:
        """As the record was made: over a set, a target of the visitor's own question gives way to "top"."""
        return {**self.options, **self.result.data["provenance"]["options"]}


def _title(taken: Taken) -> Markdown:
    """What its files are of."""
    key = f"inside.{taken.study}_record"
    return t(key) if TEXTS.has(key) else t("study.record", study=taken.study)


def read_text(key: str) -> None:
    """Three sentences on how to read the picture, behind a click."""
    with st.expander(t("details.read"), icon=":material/help:"):
        st.markdown(t(key))


def measured_and_taken(desk: Desk, taken: Sequence[Taken]) -> None:
    """The method, and downloads, behind a click each."""
    with st.expander(t("details.measured"), icon=":material/science:"):
        _measured(taken[0].result)
        _references(taken)
    with st.expander(t("details.take"), icon=":material/download:"):
        _take(desk, taken)


def _measured(result: ProbeResult) -> None:
    clean = result.data.get("clean", result.data)
    st.markdown(t("details.prompt", count=len(clean["prompt_ids"]), template=clean["template"]))
    st.code(clean["prompt"], language=None, wrap_lines=True)
    facts = measured_facts(result)
    left, right = st.columns(2)
    half = (len(facts) + 1) // 2
    for column, some in ((left, facts[:half]), (right, facts[half:])):
        column.markdown(listed(some))


def _references(taken: Sequence[Taken]) -> None:
    """Of each record whose parts were given other passages' values: which, and what they answer."""
    for one in taken:
        if reference := reference_of(one.result.data):
            told = reference_text(one.result.data, current().lang)
            st.markdown(f"**{_title(one)}** {plain(told)}")
            prompts = " · ".join(reference["prompts"][:2])
            st.caption(plain(prompts[:400] + "…"))


def _take(desk: Desk, taken: Sequence[Taken]) -> None:
    state = desk.state
    st.markdown(t("details.link"))
    st.code(link(state), language=None, wrap_lines=True)
    if not fits_link(state):
        st.caption(t("details.link_long", most=LONGEST_TEXT_IN_LINK))
    st.markdown(t("details.command"))
    lines = [command_line(one.study, model_arguments(state), desk.question, one.settings) for one in taken]
    st.code("\n".join(dict.fromkeys(lines)), language="bash", wrap_lines=True)
    passage_file(state)
    for one in taken:
        with st.container(horizontal=True, vertical_alignment="center"):
            many = t("over.record") if "over" in one.options else ""
            st.markdown(f"{_title(one)}{many}")
            _files(desk, one)


def _files(desk: Desk, one: Taken) -> None:
    said = in_language(one.result)
    for kind, make, mime in records(said):
        name = file_name(one.name, desk.state, kind)
        key = f"{one.name}_{kind}"
        st.download_button(
            kind.upper(),
            make,
            name,
            mime,
            on_click="ignore",
            key=key,
            icon=":material/download:",
            help=t("details.csv_help") if kind == "csv" else None,
        )
    for form, mime in PICTURES.items() if one.draw is not None else ():
        _picture(desk, one, form, mime)


def _picture(desk: Desk, one: Taken, form: Format, mime: str) -> None:
    lang, data = desk.state.lang, one.result.data
    asked = (
        bare("over.about", size=data["over"]["size"])
        if "over" in data
        else data.get("clean", data)["question"]
    )
    about = f"{asked} · {data['provenance']['model']['model']}"

    def draw() -> bytes:
        assert one.draw is not None
        return saved(titled(one.draw(lang), headline(data, lang), [about]), form)

    name = file_name(one.name, desk.state, form)
    st.download_button(form.upper(), draw, name, mime, on_click="ignore", key=f"{one.name}_picture_{form}")
