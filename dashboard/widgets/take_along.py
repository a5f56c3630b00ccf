"""Below a picture: how to read it, how it was measured, and how to take it with you."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import streamlit as st

from dashboard.filenames import file_name
from dashboard.session import current
from dashboard.state import State, fits_link, to_link
from dashboard.values import LONGEST_TEXT_IN_LINK
from dashboard.widgets.facts import listed, measured_facts
from dashboard.widgets.markup import Markdown, plain
from dashboard.wording import TEXTS, bare, t
from probes.asking.passage_files import as_file
from probes.asking.question import Question
from probes.charts.pictures import Format, saved, titled
from probes.record.reference_wording import reference_of, reference_text
from probes.record.results import ProbeResult
from probes.report import Given, report
from probes.running.commandline import command_line
from probes.running.headline import headline

if TYPE_CHECKING:
    import altair as alt

PICTURES: dict[Format, str] = {"png": "image/png", "svg": "image/svg+xml", "html": "text/html"}


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

    @property
    def about(self) -> str:
        """What its picture is of: the question or the set, the model, how words were taken away."""
        data = self.result.data
        asked = (
            bare("over.about", size=data["over"]["size"])
            if "over" in data
            else data.get("clean", data)["question"]
        )
        mode = f"bar.mode_{data['provenance']['options'].get('mode')}"
        way = [bare(mode)] if TEXTS.has(mode) else []
        return " · ".join([asked, data["provenance"]["model"]["model"], *way])


def _title(taken: Taken) -> Markdown:
    """What its files are of."""
    key = f"details.record_{taken.study}"
    return t(key) if TEXTS.has(key) else t("study.record", study=taken.study)


def below(question: Question, taken: Sequence[Taken], read: Sequence[Markdown] = ()) -> None:
    """Tabs, the first of which is open; what stands on another comes with a press on it.

    What shows code brings 1.5 MB of Streamlit's scripts, which most visitors never need.

    Args:
        taken: the page's records, the one that its picture shows first.
        read: how to read the picture, in paragraphs.
    """
    shown = [*(["read"] if read else []), "measured", "take"]
    names = {t(f"details.{name}"): name for name in shown}
    made = st.tabs(list(names), key=f"below_{current().lang}", on_change="rerun")
    tabs = dict(zip(shown, made, strict=True))
    if read:
        with tabs["read"]:
            for paragraph in read:
                _paragraph(paragraph)
    if tabs["measured"].open:
        with tabs["measured"]:
            _measured(taken[0].result)
            _references(taken)
    if tabs["take"].open:
        with tabs["take"]:
            _take(question, taken)


def _paragraph(text: Markdown) -> None:
    st.markdown(text)


# ---- how it was measured


def _measured(result: ProbeResult) -> None:
    """The prompt as sent, and everything that decided the numbers."""
    clean = result.data.get("clean", result.data)
    tokens = len(clean["prompt_ids"])
    key = "details.prompt" if tokens else "details.prompt_elsewhere"
    st.markdown(t(key, count=tokens, template=clean["template"]))
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


# ---- to take along


def _take(question: Question, taken: Sequence[Taken]) -> None:
    state = current()
    st.markdown(t("details.link"))
    st.code(_link(state), language=None, wrap_lines=True)
    if not fits_link(state):
        st.caption(t("details.link_long", most=LONGEST_TEXT_IN_LINK))
    st.markdown(t("details.command"))
    lines = [command(state, question, one) for one in taken]
    st.code("\n".join(dict.fromkeys(lines)), language="bash", wrap_lines=True)
    _passage_file(state)
    for one in taken:
        with st.container(horizontal=True, vertical_alignment="center"):
            many = t("over.record") if "over" in one.options else ""
            st.markdown(f"{_title(one)}{many}")
            _files(state, one)


def _link(state: State) -> str:
    """The address that restores `state`."""
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{urlencode(to_link(state))}"


def command(state: State, question: Question, one: Taken) -> str:
    """The command line that makes the same record, quoted for a shell."""
    chosen = {"--revision": state.revision, "--device": state.device, "--dtype": state.dtype}
    model = ["--model", state.model]
    for flag, value in chosen.items():
        if value not in ("", "auto"):
            model += [flag, value]
    return command_line(one.study, model, question, one.settings)


def _passage_file(state: State) -> None:
    """The file that a command line names where the passage is the visitor's own."""
    if state.text:
        st.caption(t("details.command_file"))
        name, mime = "passage.txt", "text/plain"
        st.download_button(name, as_file(state.text), name, mime, on_click="ignore", key="passage_file")


def _files(state: State, one: Taken) -> None:
    """The record as JSON and as CSV, which is marked for Excel; its picture; a page that has all of it."""
    data = {**one.result.data, "headline": headline(one.result.data, state.lang)}
    said = ProbeResult(one.result.study, data)
    marked = partial(said.to_csv, bom=True)
    _button(state, one, "json", said.to_json, "application/json")
    _button(state, one, "csv", marked, "text/csv", t("details.csv_help"))
    for form, mime in PICTURES.items() if one.draw is not None else ():
        about = one.about  # now: where the picture is drawn, no visitor is known any more

        def draw(form: Format = form, about: str = about) -> bytes:
            assert one.draw is not None
            return saved(titled(one.draw(state.lang), headline(data, state.lang), [about]), form)

        _button(state, one, form, draw, mime)

    def page() -> bytes:
        return report([Given(said)], state.lang).encode("utf-8")

    st.download_button(
        t("details.report"),
        page,
        file_name(f"{one.name}-report", state, "html"),
        "text/html",
        on_click="ignore",
        key=f"{one.name}_report",
        icon=":material/article:",
        help=t("details.report_help"),
    )


def _button(
    state: State, one: Taken, ending: str, make: Callable[[], Any], mime: str, told: str | None = None
) -> None:
    st.download_button(
        ending.upper(),
        make,
        file_name(one.name, state, ending),
        mime,
        on_click="ignore",
        key=f"{one.name}_{ending}",
        icon=":material/download:",
        help=told,
    )
