"""What one head reads, drawn on the passage: from the answer's place, or from a word that is pressed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboard import inside, session
from dashboard.session import current
from dashboard.values import Head
from dashboard.widgets.desk import Desk
from dashboard.widgets.head_board import all_heads, head_name
from dashboard.widgets.passage_marks import passage_marks, pressed_word
from dashboard.wording import t
from probes.numbers import percent, signed, strength
from probes.results import ProbeResult

MARKS = "reading"
TOLD = 0.02
"""Share from which on a word's number stands behind it."""


def take_reader(desk: Desk) -> None:
    """The word pressed in the passage reads from now on; before anything is drawn."""
    words = len(desk.question.passage.words)
    found = pressed_word(MARKS, 0, words + 1)
    if found is None:
        return
    reader = -1 if found == words else found
    if found != session.visit().reader_sent:
        session.visit().reader_sent = found
        session.change(reader=reader)


def head_looked_at(desk: Desk, exact: ProbeResult | None) -> Head:
    """The one chosen; else the strongest of those taken away or of all."""
    if desk.state.look is not None:
        return desk.state.look
    if desk.state.ablated:
        return desk.state.ablated[-1]
    if exact is not None:
        strongest = max(exact.data["rows"], key=strength)
        return int(strongest["layer"]), int(strongest["head"])
    return all_heads(desk.geometry)[0]


def reading(desk: Desk, exact: ProbeResult | None) -> ProbeResult | None:
    """The passage shaded by what the chosen head reads; the record that it was drawn from."""
    looked = head_looked_at(desk, exact)
    names = {head_name(head): head for head in all_heads(desk.geometry)}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{t('heads.what_head')}**")
        key = "w_look"
        st.session_state[key] = head_name(looked)
        st.selectbox(
            t("heads.look"),
            list(names),
            key=key,
            on_change=lambda: session.change(look=names.get(st.session_state["w_look"])),
            label_visibility="collapsed",
            width=110,
        )
        st.markdown(f"**{t('heads.reads')}**")
        words = desk.question.passage.words
        readers = {-1: t("heads.from_answer")} | {word.index: _named(word) for word in words}
        st.session_state["w_reader"] = current().reader
        st.selectbox(
            t("heads.reader"),
            list(readers),
            format_func=readers.__getitem__,
            key="w_reader",
            on_change=_choose_reader,
            label_visibility="collapsed",
            width=220,
        )
    options = inside.attention(desk.state)
    found = desk.measured("attention", options, len(words) + 2, "attention")
    if found is not None:
        _draw(desk, found, looked)
    return found


def _named(word: Any) -> str:
    which = f" ({word.occurrence})" if word.occurrences > 1 else ""
    return t("heads.from_word", word=" ".join(word.text.split())) + which


def _choose_reader() -> None:
    session.change(reader=int(st.session_state["w_reader"]))


def _draw(desk: Desk, found: ProbeResult, looked: Head) -> None:
    words = desk.question.passage.words
    row = next(r for r in found.data["rows"] if (r["layer"], r["head"]) == looked)
    weights, reader = row["weights"], found.data["reader"]
    most = max([1e-6, *weights])
    notes = [
        t("heads.reads_word", word=" ".join(w.text.split()), share=percent(weights[w.index])) for w in words
    ]
    passage_marks(
        desk.question.passage.text,
        [word.span for word in words],
        key=MARKS,
        label=t("heads.passage", head=head_name(looked)),
        hint=t("heads.press_reader"),
        lang=desk.question.passage.language,
        place=t("heads.answer_place"),
        shades=[*(weight / most for weight in weights), 0.0],
        numbers=[*(percent(weight) if weight >= TOLD else "" for weight in weights), ""],
        notes=[*notes, t("heads.press_answer")],
        pressable=True,
        pressed=len(words) if reader == "answer" else int(reader),
    )
    st.caption(_where_it_goes(row) + " " + _agreement(found, looked))


def _where_it_goes(row: Mapping[str, Any]) -> str:
    shares = {"passage": sum(row["weights"]), "sink": row["sink"], "rest": row["rest"]}
    return t("heads.shares", **{name: percent(min(1.0, share)) for name, share in shares.items()})


def _agreement(found: ProbeResult, looked: Head) -> str:
    agreement = found.data["agreement"]
    if agreement is None:
        return ""
    rho = next(r["rho"] for r in agreement["rows"] if (r["layer"], r["head"]) == looked)
    mean = agreement["mean"]
    if rho is None or mean.get("rho") is None:
        return ""
    low, high = mean.get("low"), mean.get("high")
    if low is None or high is None:
        return t("heads.agrees_alone", rho=signed(rho))
    return t("heads.agrees", own=signed(rho), rho=signed(mean["rho"]), low=signed(low), high=signed(high))
