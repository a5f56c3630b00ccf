"""What the reader expects in a scene: an outcome, or words that are pressed where it is about words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from zlib import crc32

import streamlit as st

from dashboard import session
from dashboard.widgets.desk import Desk
from dashboard.widgets.markup import Markdown, plain
from dashboard.widgets.word_chips import pressed, word_chips
from dashboard.wording import bare, t
from probes.asking.question import preset
from probes.record.results import ProbeResult
from probes.running.headline import headline, quoted
from probes.running.lecture import SPEECH
from probes.studies.attention import units_of
from probes.text.passage import Unit

OUTCOMES = ("holds", "fails", "unsure")
WORDS: Mapping[str, Literal["hang", "spare"]] = {"L4": "hang", "L5": "spare", "L7": "spare"}
"""Scenes in which words are pressed: those that the answer hangs on, or those that can be spared."""
MOST = 5
"""Words that may be pressed as those that the answer hangs on: among all of them are the right ones."""
Foreseen = str | tuple[int, ...]
"""An outcome, or the numbers of the words that were pressed."""


@dataclass(frozen=True)
class Checked:
    """Pressed words beside what the model does: a sentence, and whether they were well chosen."""

    told: Markdown
    right: bool


def key_of(scene: str, here: Desk) -> tuple[object, ...]:
    """Under which the visitor's prediction is kept."""
    return (here.choice, here.question.passage.text, here.question.question, scene)


def foreseen(scene: str, here: Desk) -> Foreseen | None:
    """What the visitor predicted; None as long as nothing was."""
    return session.visit().foreseen.get(key_of(scene, here))


def told(scene: str, here: Desk, what: Foreseen) -> Markdown:
    """A prediction in words."""
    if isinstance(what, str):
        return t(f"lecture.outcome_{what}")
    return plain(quoted(units_of([here.question.passage.words[n] for n in what]), here.state.lang))


def predict(scene: str, here: Desk) -> None:
    """The choice of outcomes, or the button that hands in the words that are pressed."""
    kept, key = session.visit().foreseen, key_of(scene, here)
    if scene not in WORDS:
        names = {name: bare(f"lecture.outcome_{name}") for name in OUTCOMES}
        chosen = st.segmented_control(
            t("lecture.predict"), OUTCOMES, format_func=names.__getitem__, key=f"lecture_predict_{scene}"
        )
        if chosen is not None:
            kept[key] = chosen
            st.rerun()
        return
    words = _pressed(scene, here)
    many = WORDS[scene] == "hang" and len(words) > MOST
    st.markdown(t(f"lecture.press_{scene}", most=MOST))
    st.caption(t("lecture.pressed_many", most=MOST) if many else t("lecture.pressed", count=len(words)))
    if st.button(
        t("lecture.reveal"),
        icon=":material/visibility:",
        disabled=many or not words,
        key="lecture_reveal",
        type="primary",
    ):
        kept[key] = words
        st.rerun()


def text_of(scene: str, here: Desk) -> None:
    """What the scene is about, to read, and to press words in, before one predicts."""
    if scene in WORDS:
        _chips(scene, here)
        return
    text = preset(SPEECH[here.state.lang]).text if scene == "L16" else here.question.passage.text
    with st.container(border=True, key="lecture_text"):
        st.markdown(plain(text))
    st.caption(t("lecture.first"))


def _chips(scene: str, here: Desk) -> None:
    passage = here.question.passage
    word_chips(
        passage.text,
        [word.span for word in passage.words],
        set(_pressed(scene, here)),
        key=f"lecture_words_{scene}",
        label=bare("lecture.words"),
        hint=bare("lecture.words_hint"),
        revision=_revision(passage.words),
        lang=passage.language,
        look="pick" if WORDS[scene] == "hang" else "strike",
    )


def _pressed(scene: str, here: Desk) -> tuple[int, ...]:
    words = here.question.passage.words
    return tuple(sorted(pressed(f"lecture_words_{scene}", _revision(words), len(words)) or ()))


def _revision(words: Sequence[Unit]) -> int:
    """Another for other words: what was pressed in one passage means nothing in the next."""
    return crc32(repr([(*word.span, word.text) for word in words]).encode())


def check(scene: str, here: Desk, words: tuple[int, ...]) -> Checked | None:
    """The pressed words beside what the model does without them; None while it is not measured."""
    study, options, runs = _study(scene, here, words)
    found = here.measured(study, options, runs, f"lecture_words_{scene}")
    return None if found is None else _judged(scene, here, words, found)


def checked(scene: str, here: Desk, words: tuple[int, ...]) -> Checked | None:
    """The same where it is at hand."""
    study, options, _ = _study(scene, here, words)
    found = here.known(study, options)
    return None if found is None else _judged(scene, here, words, found)


def _study(scene: str, here: Desk, words: tuple[int, ...]) -> tuple[str, dict[str, object], int]:
    units = here.question.passage.words
    target = "top" if here.question.right is None else "right"
    if WORDS[scene] == "hang":
        return "words", {"mode": "delete", "unit": "word", "target": target}, len(units) + 1
    at = ",".join("-".join(map(str, units[n].span)) for n in words)
    return "ask", {"mode": "delete", "target": target, "at": at, "control": 0}, 2


def _judged(scene: str, here: Desk, words: tuple[int, ...], found: ProbeResult) -> Checked:
    data, lang = found.data, here.state.lang
    if WORDS[scene] == "spare":
        right = data["flips"] is False
        return Checked(t(f"lecture.spared_{right}", told=plain(headline(data, lang))), right)
    rows = [row for row in data["rows"] if row["effect_log_prob"] is not None]
    strongest = sorted(rows, key=lambda row: row["effect_log_prob"])[: len(words)]
    hits = sum(row["index"] in words for row in strongest)
    named = quoted(strongest, lang)
    right = bool(strongest) and strongest[0]["index"] in words
    return Checked(t("lecture.hung", hits=hits, count=len(words), words=named), right)
