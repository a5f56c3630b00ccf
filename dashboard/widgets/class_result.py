"""A class beside the model: who pressed what, what the model's answer hangs on, and where the two differ."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import altair as alt
import pandas as pd
import streamlit as st

from dashboard.classroom.room import Asked, Found
from dashboard.session import current
from dashboard.widgets.desk import ink
from dashboard.widgets.markup import plain
from dashboard.widgets.passage_view import effect_scores
from dashboard.widgets.word_chips import Scores, word_chips
from dashboard.wording import bare, t
from probes.charts import measured_in
from probes.charts.common import layered
from probes.charts.measures import text_in
from probes.running.headline import headline, quoted
from probes.studies.attention import units_of

MOST_NAMED = 5
BINS = 10
PURPLE = "#8e3fae"


def result_view(asked: Asked, found: Found) -> None:
    """Both passages, the class's average precision, the pupils' own, and the words they differ on."""
    question = asked.question
    said = plain(headline(found.record.data, current().lang)) if found.record else t("class.no_record")
    st.subheader(said, anchor=False)
    st.caption(t("class.asked", question=question.question))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(t("class.of_class", pupils=found.pupils))
        _passage(asked, _shares(found), _notes(asked, found), "class_shares", bare("class.label_class"))
    with right:
        st.markdown(t("class.of_model"))
        if found.record is None:
            st.info(t("class.no_record"), icon=":material/info:")
        else:
            scores = effect_scores(found.record, len(asked.words), measured_in(found.record, "points"))
            _passage(asked, scores, _notes(asked, found), "class_effects", bare("class.label_model"))
    left, right = st.columns(2, gap="medium")
    with left:
        _precision(found, len(asked.words))
    with right:
        _differ(asked, found)


def _passage(asked: Asked, scores: Scores, notes: Sequence[str], key: str, label: str) -> None:
    passage = asked.question.passage
    word_chips(
        passage.text,
        [word.span for word in asked.words],
        (),
        key=key,
        label=label,
        hint=bare("class.hint_result"),
        revision=0,
        lang=passage.language,
        scores=scores,
        notes=notes,
        disabled=True,
    )


def _shares(found: Found) -> Scores:
    shares = [found.share(word) for word in range(len(found.counts))]
    return Scores(shares, [False] * len(shares), 1.0, bare("class.of_pupils"), kind="share")


def _notes(asked: Asked, found: Found) -> list[str]:
    """A sentence on each word: how many pressed it, and what it does to the model's answer."""
    rows = {row["index"]: row for row in found.record.data["rows"]} if found.record else {}
    notes = []
    for word in asked.words:
        row = rows.get(word.index)
        notes.append(
            bare(
                "class.note",
                word=" ".join(word.text.split()),
                count=found.counts[word.index],
                pupils=found.pupils,
                points=text_in("points", row) if row else "–",
            )
        )
    return notes


def _precision(found: Found, count: int) -> None:
    if found.precision is None:
        st.markdown(t("class.nothing_moves") if found.record and not found.moving else t("class.nobody"))
        return
    st.markdown(
        t(
            "class.precision",
            precision=f"{found.precision:.2f}",
            moving=len(found.moving),
            chance=f"{len(found.moving) / count:.2f}",
            middle=f"{median(found.own):.2f}",
            low=f"{found.own[0]:.2f}",
            high=f"{found.own[-1]:.2f}",
        )
    )
    st.altair_chart(_histogram(found), alt=bare("class.histogram", pupils=found.pupils), width="stretch")


def _histogram(found: Found) -> alt.LayerChart:
    """How many pupils have which average precision, in tenths, and a line at the class's."""
    places = [min(BINS - 1, int(BINS * one)) for one in found.own]
    table = pd.DataFrame(
        {"low": [n / BINS for n in range(BINS)], "high": [(n + 1) / BINS for n in range(BINS)]}
    ).assign(pupils=[places.count(n) for n in range(BINS)])
    axis = alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], labelColor=ink(), titleColor=ink(), grid=False)
    x = alt.X("low:Q", title=bare("class.own"), axis=axis, scale=alt.Scale(domain=[0, 1], nice=False))
    upright = alt.Axis(tickMinStep=1, format="d", labelColor=ink(), titleColor=ink())
    y = alt.Y("pupils:Q", title=bare("class.pupils"), axis=upright)
    bars = (
        alt.Chart(table)
        .mark_bar(color=PURPLE, opacity=0.75)
        .encode(x, alt.X2("high:Q"), y, tooltip=["low", "high", "pupils"])
    )
    line = alt.Chart(pd.DataFrame({"at": [found.precision]})).mark_rule(strokeDash=[5, 3], color=ink())
    return layered([bars, line.encode(x="at:Q")], 130)


def _differ(asked: Asked, found: Found) -> None:
    """The words that move the answer and fewest pressed; those that hardly move it and most pressed."""
    if not (found.moving and found.pupils and found.record):
        return
    effects = {row["index"]: abs(row["effect_log_prob"] or 0.0) for row in found.record.data["rows"]}
    missed = [n for n in found.moving if found.counts[n] < found.pupils]
    missed.sort(key=lambda n: (found.counts[n], -effects[n], n))
    needless = [n for n, count in enumerate(found.counts) if count and n not in found.moving]
    needless.sort(key=lambda n: (-found.counts[n], n))
    for key, chosen in (("class.missed", missed), ("class.needless", needless)):
        if chosen:
            st.markdown(t(key, words=_named(asked, found, chosen[:MOST_NAMED])))


def _named(asked: Asked, found: Found, chosen: Sequence[int]) -> str:
    parts = [
        bare(
            "class.named",
            word=quoted(units_of([asked.words[n]]), current().lang),
            share=round(100 * found.share(n)),
        )
        for n in chosen
    ]
    return bare("class.comma").join(parts)


def own_view(asked: Asked, found: Found, sent: Sequence[int] | None, draft: Sequence[int]) -> None:
    """One pupil's own average precision; that of words not sent says so."""
    shown = tuple(draft) if sent is None else tuple(sent)
    if not shown:
        st.info(t("class.late"), icon=":material/info:")
        return
    precision = found.precision_of(shown)
    with st.container(border=True):
        st.markdown(t("class.yours", words=quoted(units_of([asked.words[n] for n in shown]), current().lang)))
        if precision is not None:
            hits = len(found.moving & set(shown))
            st.markdown(
                t("class.your_precision", precision=f"{precision:.2f}", hits=hits, moving=len(found.moving))
            )
        if sent is None:
            st.caption(t("class.not_counted"))
