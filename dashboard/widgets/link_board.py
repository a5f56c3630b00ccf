"""Links between words: arcs on the passage, the two maps, the strongest as a table, layers to cut in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import session
from dashboard.widgets.desk import Desk, ink
from dashboard.widgets.made import picture
from dashboard.widgets.passage_marks import Arc, passage_marks
from dashboard.widgets.wide import GLANCE, wide
from dashboard.wording import bare, t
from probes import charts
from probes.asking.interventions import Cut
from probes.numbers import nats, percent
from probes.record.leads import flips_clearly
from probes.record.results import ProbeResult
from probes.running.headline import headline

MOST_ARCS = 14
TABLE = 12


def window_control(desk_layers: int) -> None:
    """In which layers links are cut: all, or a range of them."""
    state, last = session.current(), desk_layers - 1
    low, high = state.window or (0, last)
    st.session_state["w_window"] = (low, high)

    def changed() -> None:
        chosen = st.session_state["w_window"]
        session.change(window=None if chosen == (0, last) else (int(chosen[0]), int(chosen[1])))

    st.slider(t("links.window"), 0, last, key="w_window", on_change=changed, help=t("links.window_help"))


def arcs(desk: Desk, found: ProbeResult) -> None:
    """The passage with an arc for each of the strongest links."""
    words = desk.question.passage.words
    strong = [link for link in charts.links_of(found) if link[2]["no_change"] is False][:MOST_ARCS]
    reach = max([charts.SMALLEST_SCALE, *(abs(row["effect_log_prob"] or 0.0) for _, _, row in strong)])
    drawn = []
    for reader, read, row in strong:
        moved = charts.drawn(row, reach)
        at = len(words) if reader == charts.ANSWER else int(reader)
        drawn.append(
            Arc(at, read, min(1.0, abs(moved) / reach), moved > 0, _sentence(desk, found, at, read, row))
        )
    passage_marks(
        desk.question.passage.text,
        [word.span for word in words],
        key="arcs",
        label=bare("links.passage"),
        hint=bare("links.hint", count=len(drawn)) if drawn else bare("links.hint_none"),
        lang=desk.question.passage.language,
        place=bare("heads.answer_place"),
        notes=[*(_note(desk, drawn, word.index) for word in words), _note(desk, drawn, len(words))],
        arcs=drawn,
    )


def _name(desk: Desk, at: int) -> str:
    words = desk.question.passage.words
    if at == len(words):
        return bare("heads.answer_place")
    word = words[at]
    return charts.named(word.text, word.occurrence, word.occurrences)


def _sentence(desk: Desk, found: ProbeResult, at: int, read: int, row: dict[str, Any]) -> str:
    then = next(answer for answer in row["answers"] if answer["answer"] == row["top"])
    key = "links.arc_flips" if flips_clearly(row, found.data) else "links.arc"
    return bare(
        key,
        reader=_name(desk, at),
        read=_name(desk, read),
        nats=nats(row),
        answer=found.data["target"]["text"],
        then=then["name"],
        share=percent(then["probability"]),
    )


def _note(desk: Desk, drawn: list[Arc], at: int) -> str:
    own = [arc.label for arc in drawn if at in (arc.reader, arc.read)]
    return " ".join(own) or bare("links.no_arc", word=_name(desk, at))


def unfinished(desk: Desk, so_far: Mapping[Any, float | None], slot: DeltaGenerator) -> None:
    """The strongest links found so far, while the run goes on; before them, words hidden as a whole."""
    words = desk.question.passage.words
    at = {word.span: word.index for word in words}
    rows = []
    for change, nats_moved in so_far.items():
        if isinstance(change, Cut):
            reader = len(words) if change.reader is None else at[change.reader[0]]
            key = bare("links.so_far", reader=_name(desk, reader), read=_name(desk, at[change.read[0]]))
        else:
            key = bare("links.hidden", word=_name(desk, at[change]))
        rows.append((key, nats_moved))
    if rows:
        chart = charts.unfinished(rows, desk.state.lang, most=MOST_ARCS)
        slot.vega_lite_chart(charts.specification(chart))


def maps(desk: Desk, found: ProbeResult) -> None:
    """Both maps, of the strongest links' words or of all."""
    everything = bool(st.session_state.get("w_all_links", False))
    lang, most = desk.state.lang, {"most": None} if everything else {}
    drawn = picture(
        [found], lambda: charts.links_maps(found, lang, **most), "links", lang, everything, ink=ink()
    )
    words = len(found.data["units"]) if everything else min(len(found.data["units"]), charts.MOST_WORDS)
    with wide("links_wide", 2 * words, GLANCE):
        st.vega_lite_chart(
            drawn,
            key="links_maps",
            alt=bare("links.maps_alt", headline=headline(found.data, lang)),
        )
    if len(found.data["units"]) > charts.MOST_WORDS:
        st.toggle(t("links.all_words", count=len(found.data["units"])), key="w_all_links")


def table(desk: Desk, found: ProbeResult) -> None:
    """The strongest links in words and numbers."""
    words = len(desk.question.passage.words)
    rows = []
    for reader, read, row in charts.links_of(found)[:TABLE]:
        then = next(answer for answer in row["answers"] if answer["answer"] == row["top"])
        seen = row["attention"]
        rows.append(
            {
                bare("links.col_reader"): _name(desk, words if reader == charts.ANSWER else int(reader)),
                bare("links.col_read"): _name(desk, read),
                bare("links.col_effect"): nats(row),
                bare("links.col_attention"): "–" if seen is None else f"{100 * seen:.1f} %",
                bare("links.col_then"): then["name"] if flips_clearly(row, found.data) else "",
            }
        )
    st.dataframe(rows, hide_index=True)
