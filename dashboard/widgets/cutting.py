"""Words joined and split by hand: pick words in the passage, then say what is to become of them."""

from __future__ import annotations

from collections.abc import Callable

import regex
import streamlit as st

from dashboard import session
from dashboard.session import current
from dashboard.state import within
from dashboard.widgets.markup import plain
from dashboard.widgets.word_chips import pressed, word_chips
from dashboard.wording import bare, t, told
from probes.asking.question import Question
from probes.errors import CruxError
from probes.text.passage import Passage
from probes.text.unsure import accepted, suggestions

CHIPS = "cutting"


def cutting(question: Question) -> None:
    """The passage with words to pick, and the buttons that join, split and reset."""
    visit, passage = session.visit(), question.passage
    words = passage.words
    sent = pressed(CHIPS, visit.revision, len(words))
    visit.picked = within(visit.picked if sent is None else sent, words)
    word_chips(
        passage.text,
        [word.span for word in words],
        visit.picked,
        key=CHIPS,
        label=bare("cutting.label"),
        hint=bare("cutting.hint"),
        revision=visit.revision,
        lang=passage.language,
        look="pick",
    )
    picked = sorted(visit.picked)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.button(
            t("cutting.join"), disabled=len(picked) < 2, on_click=_join, args=(passage, picked), key="join"
        )
        _split_controls(passage, picked)
        edited = bool(current().joins or current().splits)
        st.button(
            t("cutting.reset"),
            disabled=not edited,
            on_click=session.change,
            kwargs={"joins": (), "splits": ()},
        )
        st.button(t("cutting.done"), type="primary", on_click=_done, key="cutting_done")
    _offers(passage)
    if visit.problem:
        st.error(told(visit.problem), icon=":material/error:")


def _offers(passage: Passage) -> None:
    """Other ways to cut, where the dictionary is unsure; a press takes one."""
    offered = suggestions(passage)
    if not offered:
        return
    st.caption(t("cutting.unsure"))
    with st.container(horizontal=True, gap="small"):
        for one in offered:
            st.button(
                plain(f"{' · '.join(one.now)} → {' · '.join(one.instead)}"),
                on_click=_remade,
                args=(lambda one=one: accepted(passage, one),),
                key=f"unsure_{one.start}",
            )


def _split_controls(passage: Passage, picked: list[int]) -> None:
    word = passage.words[picked[0]] if len(picked) == 1 else None
    offsets = [] if word is None else [m.end() for m in regex.finditer(r"\X", word.text)][:-1]
    if word is None or not offsets:
        st.button(t("cutting.split"), disabled=True, key="split")
        return
    at = st.selectbox(
        t("cutting.where"),
        offsets,
        format_func={n: f"{word.text[:n]} | {word.text[n:]}" for n in offsets}.__getitem__,
        width=220,
        key="w_where",
    )
    st.button(
        t("cutting.split"),
        on_click=_remade,
        args=(lambda: passage.split_at(word.start + at),),
        key="split",
        help=plain(word.text),
    )


def _join(passage: Passage, picked: list[int]) -> None:
    _remade(lambda: passage.joined(picked[0], picked[-1]))


def _remade(make: Callable[[], Passage]) -> None:
    visit = session.visit()
    try:
        new = make()
    except CruxError as fault:
        visit.problem = fault
        return
    visit.problem = None
    visit.picked = frozenset()
    session.change(joins=new.joins, splits=new.splits)


def _done() -> None:
    visit = session.visit()
    visit.cutting, visit.picked, visit.problem = False, frozenset(), None
