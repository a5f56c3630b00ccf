"""Below the picture: how to read it, how it was measured, and how to take it with you."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from dashboard.asking import options
from dashboard.filenames import file_name
from dashboard.session import current
from dashboard.shelf import Choice
from dashboard.state import State, fits_link, to_link
from dashboard.values import LONGEST_TEXT_IN_LINK
from dashboard.widgets.facts import listed, measured_facts
from dashboard.wording import bare, t
from probes import charts
from probes.asking.passage_files import as_file
from probes.asking.question import Question
from probes.charts.pictures import Format, saved, titled
from probes.record.results import ProbeResult
from probes.running.commandline import command_line
from probes.running.headline import headline
from probes.text.passage import Unit

PICTURES: dict[Format, str] = {"png": "image/png", "svg": "image/svg+xml", "html": "text/html"}


def details(
    question: Question, choice: Choice, words: ProbeResult | None, asked: ProbeResult, units: Sequence[Unit]
) -> None:
    """Three tabs; the first is open."""
    if current().model == "builtin":
        st.caption(t("details.builtin"))
    read, measured, take = st.tabs([t("details.read"), t("details.measured"), t("details.take")])
    with read:
        st.markdown(t("details.read_text"))
        st.markdown(t(f"details.read_{current().mode}"))
    with measured:
        _measured(words, asked)
    with take:
        _take(question, choice, words, asked, units)


def _measured(words: ProbeResult | None, asked: ProbeResult) -> None:
    """The prompt as sent, and everything that decided the numbers."""
    st.markdown(t("details.prompt", count=len(asked.data["prompt_ids"]), template=asked.data["template"]))
    st.code(asked.data["prompt"], language=None, wrap_lines=True)
    shown = words or asked
    facts = measured_facts(shown)
    left, right = st.columns(2)
    half = (len(facts) + 1) // 2
    for column, some in ((left, facts[:half]), (right, facts[half:])):
        column.markdown(listed(some))


# ---- to take along


def _take(
    question: Question, choice: Choice, words: ProbeResult | None, asked: ProbeResult, units: Sequence[Unit]
) -> None:
    state = current()
    left, right = st.columns(2)
    with left:
        st.markdown(t("details.link"))
        st.code(link(state), language=None, wrap_lines=True)
        if not fits_link(state):
            st.caption(t("details.link_long", most=LONGEST_TEXT_IN_LINK))
    with right:
        st.markdown(t("details.command"))
        study = "ask" if state.out or words is None else "words"
        st.code(command(state, question, study, units), language="bash", wrap_lines=True)
        passage_file(state)
    with st.container(horizontal=True):
        for name, result in (("words", words), ("ask", asked)):
            if result is not None:
                _records(name, result)
    if words is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(t("details.pictures"))
            for kind, mime in PICTURES.items():
                _picture(words, kind, mime)


def link(state: State) -> str:
    """The address that restores `state`."""
    base = (st.context.url or "").split("?")[0]
    return f"{base}?{urlencode(to_link(state))}"


def command(state: State, question: Question, study: str, units: Sequence[Unit]) -> str:
    """The command line that makes the same record, quoted for a shell."""
    settings = options(state, study, units, state.out, chance=len(state.out) > 1)
    return command_line(study, model_arguments(state), question, settings)


def model_arguments(state: State) -> list[str]:
    """The options of the command line that load the state's model."""
    chosen = {"--revision": state.revision, "--device": state.device, "--dtype": state.dtype}
    model = ["--model", state.model]
    for flag, value in chosen.items():
        if value not in ("", "auto"):
            model += [flag, value]
    return model


def in_language(result: ProbeResult) -> ProbeResult:
    return ProbeResult(result.study, {**result.data, "headline": headline(result.data, current().lang)})


def records(said: ProbeResult) -> list[tuple[str, Callable[[], str], str]]:
    """A record as files: (ending, what makes it, media type). The CSV is marked for Excel."""
    marked = partial(said.to_csv, bom=True)
    return [("json", said.to_json, "application/json"), ("csv", marked, "text/csv")]


def _records(name: str, result: ProbeResult) -> None:
    said = in_language(result)
    for kind, make, mime in records(said):
        st.download_button(
            t(f"details.{name}_{kind}"),
            make,
            file_name(name, current(), kind),
            mime,
            on_click="ignore",
            key=f"{name}_{kind}",
            icon=":material/download:",
            help=t("details.csv_help") if kind == "csv" else None,
        )


def passage_file(state: State) -> None:
    """The file that a command line names where the passage is the visitor's own."""
    if state.text:
        st.caption(t("details.command_file"))
        st.download_button(
            "passage.txt",
            as_file(state.text),
            "passage.txt",
            "text/plain",
            on_click="ignore",
            key="passage_file",
        )


def _picture(words: ProbeResult, kind: Format, mime: str) -> None:
    """The button of one picture. It is drawn when it is pressed, where no visitor is known any more."""
    state, data = current(), words.data
    about = bare(
        "details.picture_about",
        question=data["clean"]["question"],
        model=data["provenance"]["model"]["model"],
        mode=bare(f"bar.mode_{data['mode']}"),
    )

    def draw() -> bytes:
        groups = state.groups and bool(data["groups"])
        chart = charts.effects(words, state.lang, groups=groups)
        return saved(titled(chart, headline(data, state.lang), [about]), kind)

    st.download_button(
        kind.upper(), draw, file_name("effects", state, kind), mime, on_click="ignore", key=f"picture_{kind}"
    )
