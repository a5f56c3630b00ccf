"""The lecture in scenes: what it says, what the reader expects of the model, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import session
from dashboard.state import SCENES
from dashboard.widgets.desk import Desk, ink
from dashboard.widgets.markup import Markdown, plain
from dashboard.wording import bare, t
from probes import charts
from probes.asking.question import preset
from probes.locale import say
from probes.numbers import signed
from probes.record.results import ProbeResult
from probes.running.lecture import SPEECH, runs_of
from probes.running.lecture_telling import passage_name

END = "end"
OUTCOMES = ("holds", "fails", "unsure")
LOOKS = {
    "holds": (":material/check_circle:", "green"),
    "fails": (":material/cancel:", "red"),
    "unsure": (":material/help:", "orange"),
    "none": (":material/remove_circle:", "gray"),
}
"""A verdict's sign and colour; its word stands beside them."""
TRY: Mapping[str, tuple[str, dict[str, str]]] = {
    "L1": ("views/explore.py", {}),
    "L2": ("views/order.py", {"tab": "frequency"}),
    "L3": ("views/order.py", {"tab": "counterfactual"}),
    "L4": ("views/explore.py", {}),
    "L5": ("views/pairs.py", {}),
    "L6": ("views/order.py", {"tab": "questions"}),
    "L7": ("views/smallest.py", {}),
    "L8": ("views/explore.py", {}),
    "L9": ("views/heads.py", {"tab": "agree"}),
    "L10": ("views/links.py", {}),
    "L11": ("views/order.py", {"tab": "definition"}),
    "L12": ("views/study.py", {"study": "baselines"}),
    "L13": ("views/models.py", {}),
    "L14": ("views/order.py", {"tab": "order"}),
    "L15": ("views/layers.py", {}),
    "L16": ("views/study.py", {"study": "focus"}),
}
"""Where a claim can be tried by hand: the page, and what it is opened with."""


def board(here: Desk) -> None:
    """One scene, or the reader's score at the end."""
    scene = here.state.scene or SCENES[0]
    _steps(scene)
    if scene == END:
        here.top.say(t("lecture.score_title"))
        _score(here)
        return
    here.top.say(t("lecture.quoted", says=say(f"lecture.{scene}_says", here.state.lang)))
    left, right = st.columns([5, 6], gap="large")
    with left:
        _told(scene, here)
        foreseen = _prediction(scene, here)
        below = st.container()
    with right:
        if foreseen is None:
            _text(scene, here)
            return
        row = _measured(scene, here, foreseen)
    if row is not None:
        with below:
            _by_hand(scene, here, row)


def _steps(scene: str) -> None:
    """Back and forward, by press or by arrow key, and how far one is."""
    at = SCENES.index(scene)
    with st.container(horizontal=True, vertical_alignment="center", key="lecture_steps"):
        st.button(
            t("lecture.back"),
            icon=":material/arrow_back:",
            shortcut="ArrowLeft",
            disabled=at == 0,
            on_click=_go,
            args=(at - 1,),
            key="lecture_back",
        )
        st.button(
            t("lecture.next"),
            icon=":material/arrow_forward:",
            icon_position="right",
            shortcut="ArrowRight",
            disabled=at + 1 == len(SCENES),
            on_click=_go,
            args=(at + 1,),
            key="lecture_next",
            type="primary",
        )
        st.caption(t("lecture.place", at=at + 1, all=len(SCENES)))


def _go(at: int) -> None:
    session.change(scene="" if at == 0 else SCENES[at])


def _told(scene: str, here: Desk) -> None:
    """The scene's story, and what is measured for it."""
    with st.container(key="lecture_story"):
        st.markdown(t(f"lecture.story_{scene}"))
    st.caption(t("lecture.measured", what=say(f"lecture.{scene}_measured", here.state.lang)))


def _text(scene: str, here: Desk) -> None:
    """What the scene is about, to read before one predicts."""
    text = preset(SPEECH[here.state.lang]).text if scene == "L16" else here.question.passage.text
    with st.container(border=True, key="lecture_text"):
        st.markdown(plain(text))
    st.caption(t("lecture.first"))


def _foreseen_key(scene: str, here: Desk) -> tuple[object, ...]:
    return (here.choice, here.question.passage.text, here.question.question, scene)


def _prediction(scene: str, here: Desk) -> str | None:
    """What the reader expects of the model; None as long as nothing was chosen."""
    kept, key = session.visit().foreseen, _foreseen_key(scene, here)
    if key in kept:
        st.markdown(t("lecture.foreseen", what=bare(f"lecture.outcome_{kept[key]}")))
        return kept[key]
    names = {name: bare(f"lecture.outcome_{name}") for name in OUTCOMES}
    chosen = st.segmented_control(
        t("lecture.predict"),
        OUTCOMES,
        format_func=lambda name: names[name],
        key=f"lecture_predict_{scene}",
    )
    if chosen is not None:
        kept[key] = chosen
        st.rerun()
    return None


def _measured(scene: str, here: Desk, foreseen: str) -> Mapping[str, Any] | None:
    """The verdict, its figures, and whether it was foreseen; None while it is not there."""
    options = {"claims": scene}
    found = here.measured("lecture", options, runs_of(scene), f"lecture_{scene}")
    if found is None:
        return None
    row: Mapping[str, Any] = found.data["rows"][0]
    lang, verdict = here.state.lang, row["verdict"]
    icon, colour = LOOKS[verdict]
    st.badge(plain(say(f"lecture.verdict_{verdict}", lang)), icon=icon, color=colour)  # type: ignore[arg-type]
    if verdict in ("holds", "fails"):
        st.markdown(plain(say(f"lecture.{scene}_{verdict}", lang)))
    else:
        st.markdown(plain(say(f"lecture.reason_{row['reason']}", lang, fault=row["fault"])))
    if verdict != "none":
        agrees = t("lecture.agrees") if foreseen == verdict else t("lecture.differs")
        st.caption(agrees)
    if row["variants"]:
        _figures(row, lang)
    return row


def _figures(row: Mapping[str, Any], lang: str) -> None:
    low, high = row["interval"]
    told = {
        "mean": signed(row["mean"]),
        "low": "–" if low is None else signed(low),
        "high": "–" if high is None else signed(high),
        "sign": {"above": ">", "below": "<"}[row["side"]],
        "threshold": f"{row['threshold']:g}",
        "agree": row["agree"],
        "n": row["n"],
    }
    picture = charts.specification(charts.claim_figures(row, lang, passage_name), ink=ink())
    st.vega_lite_chart(picture, key=f"lecture_{row['id']}_chart", alt=bare("lecture.figures", **told))
    st.caption(t("lecture.figures", **told))


def _by_hand(scene: str, here: Desk, row: Mapping[str, Any]) -> None:
    """The page on which it can be tried, and the commands that make the figures again."""
    page, query = TRY[scene]
    if st.button(t("lecture.try"), icon=":material/experiment:", key=f"lecture_try_{scene}"):
        changes: dict[str, Any] = dict(query)
        if scene == "L16":
            changes["preset"] = f"crux-{here.state.lang}"
        session.change(**changes)
        st.switch_page(page)
    if row["commands"]:
        with st.expander(t("lecture.again"), icon=":material/terminal:"):
            st.code("\n".join(dict.fromkeys(row["commands"])), language="bash")


def _score(here: Desk) -> None:
    """The reader's predictions beside the verdicts, of the scenes that were predicted."""
    rows: list[dict[str, Markdown]] = []
    right = asked = 0
    for scene in SCENES[:-1]:
        foreseen = session.visit().foreseen.get(_foreseen_key(scene, here))
        found = here.known("lecture", {"claims": scene})
        if foreseen is None or found is None:
            continue
        row = found.data["rows"][0]
        if row["verdict"] != "none":
            asked, right = asked + 1, right + (row["verdict"] == foreseen)
        rows.append(_scored(scene, row, foreseen, here.state.lang))
    if not rows:
        st.info(t("lecture.score_none"), icon=":material/info:")
        return
    st.markdown(t("lecture.score", right=right, asked=asked))
    st.table(rows)
    known = (here.known("lecture", {"claims": scene}) for scene in SCENES[:-1])
    _take([one for one in known if one is not None])


def _scored(scene: str, row: Mapping[str, Any], foreseen: str, lang: str) -> dict[str, Markdown]:
    return {
        t("lecture.col_claim"): plain(f"{scene} {say(f'lecture.{scene}_says', lang)}"),
        t("lecture.col_foreseen"): t(f"lecture.outcome_{foreseen}"),
        t("lecture.col_verdict"): plain(say(f"lecture.verdict_{row['verdict']}", lang)),
    }


def _take(found: Sequence[ProbeResult]) -> None:
    """All verdicts so far as one file."""
    rows = [one.data["rows"][0] for one in found]
    whole = ProbeResult("lecture", {**found[0].data, "rows": rows})
    st.download_button(
        t("lecture.take"),
        whole.to_json(),
        file_name="crux-lecture.json",
        mime="application/json",
        icon=":material/download:",
        on_click="ignore",
        key="lecture_take",
    )
