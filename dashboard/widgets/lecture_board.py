"""The lecture in scenes: what it says, what the reader expects of the model, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from dashboard import session
from dashboard.state import SCENES, to_link
from dashboard.widgets import lecture_guess
from dashboard.widgets.desk import Desk, ink
from dashboard.widgets.lecture_guess import Foreseen
from dashboard.widgets.markup import Markdown, plain
from dashboard.wording import bare, t
from probes import charts
from probes.locale import say
from probes.numbers import signed
from probes.record.results import ProbeResult
from probes.running.lecture import place_name, runs_of
from probes.running.lecture_telling import passage_name

END = "end"
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
    _scene(scene, here)


def scene_alone(here: Desk) -> None:
    """One scene and nothing else, as another page shows it in a frame; the score is none."""
    scene = here.state.scene or SCENES[0]
    scene = SCENES[0] if scene == END else scene
    _scene(scene, here)
    whole = urlencode(to_link(here.state))
    st.link_button(
        t("lecture.whole"), f"?{whole}", icon=":material/open_in_new:", type="tertiary", key="lecture_whole"
    )


def _scene(scene: str, here: Desk) -> None:
    here.top.say(t("lecture.quoted", says=say(f"lecture.{scene}_says", here.state.lang)))
    left, right = st.columns([5, 6], gap="large")
    expected = lecture_guess.foreseen(scene, here)
    with left:
        _told(scene, here)
        if expected is None:
            lecture_guess.predict(scene, here)
        else:
            what = lecture_guess.told(scene, here, expected)
            st.markdown(t("lecture.foreseen", what=what))
        below = st.container()
    with right:
        if expected is None:
            lecture_guess.text_of(scene, here)
            return
        row = _measured(scene, here, expected)
    if row is None:
        return
    with below:
        if isinstance(expected, tuple) and (checked := lecture_guess.check(scene, here, expected)):
            st.markdown(plain(checked.told))
        if not session.alone():
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


def _measured(scene: str, here: Desk, expected: Foreseen) -> Mapping[str, Any] | None:
    """The verdict, its figures, and how good the prediction was; None while it is not there."""
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
    if isinstance(expected, str) and verdict != "none":
        st.caption(t("lecture.agrees") if expected == verdict else t("lecture.differs"))
    if row["variants"]:
        if all(one["passage"] != place_name(here.question) for one in row["variants"]):
            st.caption(t("lecture.elsewhere"))
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
        expected, found = lecture_guess.foreseen(scene, here), here.known("lecture", {"claims": scene})
        if expected is None or found is None:
            continue
        verdict: str = found.data["rows"][0]["verdict"]
        good: bool | None = None
        if isinstance(expected, tuple):
            seen = lecture_guess.checked(scene, here, expected)
            good = None if seen is None else seen.right
        elif verdict != "none":
            good = verdict == expected
        asked, right = asked + (good is not None), right + bool(good)
        rows.append(_scored(scene, here, expected, verdict, good))
    if not rows:
        st.info(t("lecture.score_none"), icon=":material/info:")
        return
    st.markdown(t("lecture.score", right=right, asked=asked))
    st.table(rows)
    known = (here.known("lecture", {"claims": scene}) for scene in SCENES[:-1])
    _take([one for one in known if one is not None])


def _scored(
    scene: str, here: Desk, expected: Foreseen, verdict: str, good: bool | None
) -> dict[str, Markdown]:
    lang = here.state.lang
    return {
        t("lecture.col_claim"): plain(f"{scene} {say(f'lecture.{scene}_says', lang)}"),
        t("lecture.col_foreseen"): lecture_guess.told(scene, here, expected),
        t("lecture.col_verdict"): plain(say(f"lecture.verdict_{verdict}", lang)),
        t("lecture.col_good"): t(f"lecture.good_{good}"),
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
