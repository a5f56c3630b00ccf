"""What one head reads, drawn on the passage: from the answer's place, or from a word that is pressed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import session, study_options
from dashboard.looks import NoRoom
from dashboard.values import Head
from dashboard.widgets.desk import Desk, ink
from dashboard.widgets.head_board import all_heads, head_name, strongest
from dashboard.widgets.markup import Markdown, plain
from dashboard.widgets.passage_marks import passage_marks, pressed_word
from dashboard.wording import bare, t, told
from probes import charts
from probes.errors import CruxError
from probes.models.memory import readable
from probes.models.word_attention import telling_reader
from probes.numbers import percent, signed
from probes.record.results import ProbeResult
from probes.studies.attention import attention_found

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
        return strongest(exact)[0]
    return all_heads(desk.geometry)[0]


def _reader(desk: Desk, looked: Head) -> int:
    """The word chosen to read from; else where this head's reading tells most, -1 for the answer's place."""
    if desk.state.reader is not None:
        return desk.state.reader
    try:
        weights = desk.look().reading.weights[looked[0]]
    except (CruxError, NoRoom):
        return -1  # what stands in the way is said where the passage would be
    return -1 if weights is None else telling_reader(weights[looked[1]])


def reading(desk: Desk, exact: ProbeResult | None) -> None:
    """The passage shaded by what the chosen head reads."""
    looked = head_looked_at(desk, exact)
    reader = _reader(desk, looked)
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
        readers = {-1: bare("heads.from_answer")} | {word.index: _named(word) for word in words}
        st.session_state["w_reader"] = reader
        st.selectbox(
            t("heads.reader"),
            list(readers),
            format_func=readers.__getitem__,
            key="w_reader",
            on_change=_choose_reader,
            label_visibility="collapsed",
            width=220,
        )
    _draw(desk, looked, reader)


def _named(word: Any) -> str:
    which = f" ({word.occurrence})" if word.occurrences > 1 else ""
    return bare("heads.from_word", word=" ".join(word.text.split())) + which


def _choose_reader() -> None:
    """Take the choice over; what a client makes up is none."""
    sent: Any = st.session_state["w_reader"]
    if type(sent) is int:
        session.change(reader=sent)


def _draw(desk: Desk, looked: Head, reader: int) -> None:
    words, (layer, head) = desk.question.passage.words, looked
    try:
        found = desk.look().reading
    except CruxError as fault:
        st.info(told(fault), icon=":material/visibility_off:")
        return
    except NoRoom as fault:
        st.info(no_room(fault), icon=":material/memory:")
        return
    whole, covered, sinks = found.weights[layer], found.covered[layer], found.sink[layer]
    if whole is None or covered is None or sinks is None:
        st.caption(t("heads.no_heads", layer=layer))
        return
    weights, sink = [float(w) for w in whole[head, reader]], float(sinks[head, reader])
    most = max([1e-6, *weights])
    notes = [
        bare("heads.reads_word", word=" ".join(w.text.split()), share=percent(weights[w.index]))
        for w in words
    ]
    passage_marks(
        desk.question.passage.text,
        [word.span for word in words],
        key=MARKS,
        label=bare("heads.passage", head=head_name(looked)),
        hint=bare("heads.press_reader"),
        lang=desk.question.passage.language,
        place=bare("heads.answer_place"),
        shades=[*(weight / most for weight in weights), 0.0],
        numbers=[*(percent(weight) if weight >= TOLD else "" for weight in weights), ""],
        notes=[*notes, bare("heads.press_answer")],
        pressable=True,
        pressed=len(words) if reader < 0 else reader,
    )
    passage = float(covered[head, reader])
    shares = {"passage": passage, "sink": sink, "rest": max(0.0, 1 - passage - sink)}
    of_all = {name: percent(min(1.0, share)) for name, share in shares.items()}
    if desk.state.reader is None and reader >= 0:
        st.caption(t("heads.reader_chosen", word=_named(words[reader])))
    st.caption(t("heads.shares", **of_all))


def no_room(fault: NoRoom) -> Markdown:
    """Why attention is not shown, with both numbers."""
    return t("heads.no_room", needed=readable(fault.needed), free=readable(fault.free))


def agreement(desk: Desk, looked: Head) -> ProbeResult | None:
    """Whether the heads read the words that matter; the record, once it is complete."""
    options = study_options.attention(desk.state)
    found = desk.measured("attention", options, len(desk.question.passage.words) + 2, "attention")
    if found is None:
        return None
    if found.data["agreement"] is None:
        st.caption(t("heads.agree_none"))
        return found
    st.vega_lite_chart(
        charts.specification(charts.agreement_map(found, desk.state.lang), ink=ink()),
        key="agreement_chart",
        alt=bare("heads.agree_alt"),
    )
    st.caption(_agreement(found, looked, desk.state.lang))
    return found


def _agreement(found: ProbeResult, looked: Head, lang: str) -> Markdown:
    own = next(r for r in found.data["agreement"]["rows"] if (r["layer"], r["head"]) == looked)
    said = [plain(attention_found(found.data, lang)), t("heads.agree_read")]
    if own["rho"] is not None:
        said.insert(0, t("heads.agrees", head=head_name(looked), rho=signed(own["rho"])))
    return Markdown(" ".join(said))
