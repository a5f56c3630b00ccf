"""Records from a file that whoever started the page named: the sentence, the picture, the table, a report."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from dashboard.session import current
from dashboard.widgets.before_drawing import problem
from dashboard.widgets.desk import ink
from dashboard.widgets.markup import plain
from dashboard.widgets.record_table import record_table
from dashboard.wording import bare, t
from probes import charts
from probes.errors import CruxError, InputError
from probes.record.results import ProbeResult
from probes.report import NAMED_FILE, Given, read, report
from probes.running.headline import headline, pictured, tabled


def file_named() -> str | None:
    """The file that the page was started with."""
    return os.environ.get(NAMED_FILE) or None


def board() -> None:
    """The records of the file, one at a time."""
    path = file_named()
    if path is None:
        st.info(t("record.none"), icon=":material/info:")
        return
    try:
        found = _read(path, Path(path).stat().st_mtime_ns if Path(path).exists() else 0)
        _shown(found, path)
    except CruxError as fault:
        problem(fault)


@st.cache_data(max_entries=4, show_spinner=False)
def _read(path: str, _changed: int) -> list[ProbeResult]:
    return read(path)


def _shown(found: list[ProbeResult], path: str) -> None:
    lang, name = current().lang, Path(path).name
    numbers = list(range(len(found)))
    number = 0
    if len(found) > 1:
        titles = [f"{n + 1}. {one.study}" for n, one in enumerate(found)]
        number = st.selectbox(t("record.which"), numbers, format_func=titles.__getitem__, key="record_which")
    result = found[number]
    st.caption(t("record.from", name=name, study=result.study))
    try:
        st.subheader(plain(headline(result.data, lang)), anchor=False)
        asked = result.data.get("clean", result.data)
        if asked.get("question"):
            st.markdown(t("record.asked", question=str(asked["question"])))
            with st.container(border=True):
                st.text(str(asked.get("passage") or ""))
        picture = charts.specification(pictured(result, lang), ink=ink())
        alt = bare("study.alt", headline=headline(result.data, lang))
        st.vega_lite_chart(picture, key=f"record_{number}_chart", alt=alt)
        record_table(tabled(result.data, lang), f"record_{number}")
    except CruxError:
        raise
    except Exception as fault:  # a file may be wrong in any way; its name is the operator's own
        reason = f"{type(fault).__name__}: {fault}"[:200]
        raise InputError("report.broken", name=name, reason=reason) from fault
    st.download_button(
        t("details.report"),
        lambda: report([Given(result, name)], lang).encode("utf-8"),
        file_name=f"crux-{result.study}.html",
        mime="text/html",
        icon=":material/description:",
        on_click="ignore",
        key=f"record_{number}_report",
    )
