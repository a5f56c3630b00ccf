"""Predict first: the reader presses the words they believe in, then sees how well that ranked the effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import session
from dashboard.session import current
from dashboard.widgets.word_chips import pressed, word_chips
from dashboard.wording import bare, t
from probes.asking.question import Question
from probes.ranks import average_precision
from probes.record.results import ProbeResult
from probes.running.headline import quoted
from probes.studies.attention import units_of
from probes.text.passage import Unit

CHIPS = "guess"
MOST_NAMED = 6


def switch() -> None:
    """Whether the numbers are hidden and words are pressed to guess."""
    visit = session.visit()
    st.toggle(
        t("passage.predict"),
        key="w_predict",
        value=visit.guessing,
        on_change=_switched,
        help=t("passage.predict_help"),
    )


def _switched() -> None:
    visit = session.visit()
    visit.guessing = bool(st.session_state["w_predict"])
    _again()


def _again() -> None:
    visit = session.visit()
    visit.guess, visit.revealed = (), False
    visit.guess_revision += 1


def guess_view(question: Question, units: Sequence[Unit]) -> None:
    """The passage without a number, what was pressed so far, and the button that reveals."""
    visit = session.visit()
    sent = pressed(CHIPS, visit.guess_revision, len(units))
    if sent is not None:  # the browser says which are pressed; in which order, we see by watching
        visit.guess = (*(n for n in visit.guess if n in sent), *sorted(sent - set(visit.guess)))
    word_chips(
        question.passage.text,
        [unit.span for unit in units],
        set(visit.guess),
        key=CHIPS,
        label=bare("passage.label_predict"),
        hint=bare("passage.hint_predict"),
        revision=visit.guess_revision,
        lang=question.passage.language,
        look="pick",
    )
    named = quoted(units_of([units[n] for n in visit.guess if n < len(units)]), current().lang)
    st.caption(t("passage.predicted", words=named) if visit.guess else t("passage.predicted_none"))
    st.button(
        t("passage.reveal"),
        icon=":material/visibility:",
        on_click=_reveal,
        disabled=not visit.guess,
        key="reveal",
        type="primary",
    )


def _reveal() -> None:
    session.visit().revealed = True


def score_view(words: ProbeResult, count: int) -> None:
    """How well the guess ranked the model's own effects on `count` units, and where the two differ."""
    rows = words.data["rows"]
    guess = [n for n in session.visit().guess if n < count]
    changing = {row["index"] for row in rows if row["no_change"] is False}
    with st.container(border=True):
        if not changing:
            st.markdown(t("passage.score_none"))
        else:
            precision = average_precision(guess, changing)
            chance = len(changing) / count
            hits = len(changing & set(guess))
            st.markdown(
                t(
                    "passage.score",
                    hits=hits,
                    changing=len(changing),
                    precision=f"{precision:.2f}",
                    chance=f"{chance:.2f}",
                )
            )
            _differ(rows, changing - set(guess), set(guess) - changing)
        st.button(t("passage.again"), icon=":material/replay:", on_click=_again, key="guess_again")


def _differ(rows: Sequence[Mapping[str, Any]], missed: set[int], needless: set[int]) -> None:
    by_size = sorted(rows, key=lambda row: -abs(row["effect_log_prob"] or 0.0))
    lang = current().lang
    if found := [row for row in by_size if row["index"] in missed]:
        st.caption(t("passage.missed", words=quoted(found[:MOST_NAMED], lang)))
    if found := [row for row in by_size if row["index"] in needless]:
        st.caption(t("passage.needless", words=quoted(found[:MOST_NAMED], lang)))
