"""The strike-out: the passage with ever fewer words, the answer still standing; then all sets that were
found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard.widgets.desk import Desk, ink
from dashboard.widgets.markup import Markdown
from dashboard.widgets.passage_marks import passage_marks
from dashboard.widgets.study_board import own_page
from dashboard.wording import bare, t
from probes import charts
from probes.numbers import percent
from probes.record.results import ProbeResult
from probes.studies import STUDIES

STEP = "w_strike"
CORE, FILLER = 1.0, 0.35
"""How strongly words are shaded."""


def board(here: Desk) -> None:
    """The steps forward and back, the passage, the probability along the way; the sets; options."""
    own_page(here, STUDIES["minimal"], t("smallest.waits"), t("smallest.read_text"), _strike_out)


# ---- step by step


def _strike_out(here: Desk, found: ProbeResult) -> None:
    steps = found.data["steps"]
    last = len(steps) - 1
    at = _step(found, last)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _move(t("smallest.back"), ":material/undo:", at - 1, last, "strike_back")
        _move(t("smallest.strike"), ":material/strikethrough_s:", at + 1, last, "strike_on", first=True)
        _move(t("smallest.start"), ":material/first_page:", 0, last, "strike_start", off=at == 0)
        _move(t("smallest.end"), ":material/last_page:", last, last, "strike_end", off=at == last)
    step = steps[at]
    _passage(here, found.data, step, done=at == last)
    st.markdown(_told(found.data, step, at, last))
    if last > 1:
        picture = charts.strikes(found, here.state.lang, at=at)
        said = bare("smallest.steps_alt", steps=last)
        st.vega_lite_chart(charts.specification(picture, ink=ink()), key="strikes_chart", alt=said)
    st.subheader(t("smallest.sets"))


def _step(found: ProbeResult, last: int) -> int:
    """Where the visitor stands in this record's steps; another record begins at the whole passage."""
    known = st.session_state.get(STEP)
    made = found.data["provenance"]["command_line"]
    if known is None or known[0] != made:
        st.session_state[STEP] = (made, 0)
    return min(int(st.session_state[STEP][1]), last)


def _move(
    label: Markdown, icon: str, to: int, last: int, key: str, *, off: bool = False, first: bool = False
) -> None:
    def go() -> None:
        made, _ = st.session_state[STEP]
        st.session_state[STEP] = (made, to)

    st.button(
        label,
        icon=icon,
        on_click=go,
        disabled=off or not 0 <= to <= last,
        key=key,
        type="primary" if first else "secondary",
    )


def _passage(here: Desk, data: Mapping[str, Any], step: Mapping[str, Any], *, done: bool) -> None:
    """What is left; at the end the core darker than the filler."""
    kept = set(step["kept"])
    units = data["units"]
    shades = [0.0 if u["index"] not in kept or not done else CORE if u["core"] else FILLER for u in units]
    passage_marks(
        here.question.passage.text,
        [(unit["start"], unit["end"]) for unit in units],
        key="strike_out",
        label=bare("smallest.passage"),
        hint=bare("smallest.hint_done" if done else "smallest.hint"),
        lang=here.question.passage.language,
        shades=shades,
        notes=[_note(unit, data) for unit in units],
        removed=[unit["index"] for unit in units if unit["index"] not in kept],
    )


def _note(unit: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """What a unit is to the sets that were found."""
    word = " ".join(unit["text"].split())
    if unit["in_sets"] is None:
        return word
    kind = "core" if unit["core"] else "filler" if unit["in_sets"] else "struck"
    return bare(
        f"smallest.note_{kind}", word=word, share=percent(unit["in_sets"]), sets=data["found"]["steady"]
    )


def _told(data: Mapping[str, Any], step: Mapping[str, Any], at: int, last: int) -> Markdown:
    target = data["target"]["label"]
    share = next(a["probability"] for a in step["answers"] if a["answer"] == target)
    return t(
        "smallest.step",
        at=at,
        last=last,
        left=len(step["kept"]),
        of=len(data["units"]),
        answer=data["target"]["text"],
        share=percent(share),
    )
