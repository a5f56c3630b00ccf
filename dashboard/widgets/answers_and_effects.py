"""The two pictures under the passage: the answers, and the effect of taking each unit away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import session
from dashboard.session import bound, choose, current
from dashboard.state import MEASURES, State
from dashboard.widgets.made import picture
from dashboard.widgets.notes import known_note
from dashboard.wording import bare, t
from probes import charts
from probes.asking.question import Question
from probes.models.prompting import TAKES
from probes.numbers import percent
from probes.record.results import ProbeResult
from probes.running.headline import FEW, headline, top_of
from probes.text.passage import Span, Unit

FIRST_ROWS = 20
IN_VIEW = """<style>@media (max-width: 640px) {
.st-key-answers_now [data-testid="stElementContainer"]:has([data-testid="stVegaLiteChart"]) {
  position: fixed; bottom: 0; left: 0; right: 0; z-index: 90; padding: 0.25rem 0.5rem;
  background: light-dark(#ffffff, #171614); border-top: 1px solid light-dark(#d9d8d5, #3a3835);
}
.st-key-answers_now svg.marks { width: 100%; height: auto; max-height: 32vh; }
[data-testid="stMainBlockContainer"] { padding-bottom: 36vh; }
}</style>"""
"""On a phone the passage fills the screen: what a press does to the answers is shown over its lower end."""


def answers_view(result: ProbeResult, pinned: ProbeResult | None) -> None:
    """Probabilities of the answers, what they leave to everything else, and what the model says by itself."""
    lang, data = current().lang, result.data
    drawn = picture([result, pinned], lambda: charts.answers(result, lang, pinned=pinned), "answers", lang)
    said = headline(data, lang)
    if current().out:
        st.html(IN_VIEW)
    st.vega_lite_chart(drawn, key="answers_chart", alt=bare("numbers.answers_alt", headline=said))
    if data["greedy"] is None:  # nothing is written out while words are hidden
        st.caption(t("numbers.coverage", coverage=percent(data["coverage"])))
    else:
        _goes_on(data)
    known_note(data)
    chance = data.get("control")
    if chance:
        st.caption(
            t(
                "numbers.chance",
                n=chance["n"],
                tokens=chance["tokens"],
                rank=chance["rank"],
                all=chance["n"] + 1,
                low=charts.nats_text(chance["low"]),
                high=charts.nats_text(chance["high"]),
                mine=charts.nats_text(data["effect_log_prob"]),
            )
        )
    if data.get("clean", data)["coverage"] < FEW:
        _suggest(data)


def _goes_on(data: Mapping[str, Any]) -> None:
    """What the model wrote by itself; the words put in its mouth stand apart."""
    prefix, text = data["answer_prefix"].strip(), data["greedy"]
    coverage = percent(data["coverage"])
    if prefix and data["prompt"].endswith(prefix):
        st.caption(t("numbers.greedy_after", prefix=prefix, text=text, coverage=coverage))
    else:
        st.caption(t("numbers.greedy", text=text, coverage=coverage))


def _suggest(data: Mapping[str, Any]) -> None:
    """Where most of the probability goes to none of the listed answers: what helps with this model."""
    coverage, template = percent(data["coverage"]), data["template"]
    if "answer_prefix" not in TAKES[template]:
        few = t("numbers.few_no_prefix", coverage=coverage, template=template)
        st.warning(few, icon=":material/info:")
        return
    st.warning(t("numbers.few", coverage=coverage), icon=":material/info:")
    if prefix := suggested_prefix(data):
        st.button(t("numbers.try_prefix", prefix=prefix), on_click=session.change, kwargs={"prefix": prefix})


def suggested_prefix(data: Mapping[str, Any]) -> str | None:
    """The model's own words up to the first listed answer in them; None where it names none."""
    said = data["greedy"] or ""
    found = [said.find(s.strip()) for a in data["answers"] for s in a["strings"] if s.strip() in said]
    if not found or min(found) == 0:
        return None
    return (data["answer_prefix"] + said[: min(found)]).strip() or None


def effects_view(words: ProbeResult) -> None:
    """The ranked effects, and in words what counts as no change."""
    state = current()
    groups = state.groups and bool(words.data["groups"])
    rows = charts.effect_rows(words, groups=groups)
    key = "w_all_rows"
    everything = bool(st.session_state.get(key, False))
    most = None if everything else FIRST_ROWS
    how: dict[str, Any] = {"most": most, "groups": groups, "measure": measure_of(state)}
    drawn = picture(
        [words], lambda: charts.effects(words, state.lang, **how), "effects", state.lang, *how.values()
    )
    said = headline(words.data, state.lang)
    st.vega_lite_chart(drawn, key="effects_chart", alt=bare("numbers.effects_alt", headline=said))
    limits = words.data["thresholds"]
    st.caption(
        t(
            "numbers.no_change",
            points=f"{limits['points']:.3g}",
            nats=f"{limits['nats']:.3g}",
            noise=_tiny(words.data["noise_floor"]),
        )
    )
    if precision := words.data.get("precision"):
        st.caption(t("numbers.precision", dtype=precision["dtype"], nats=f"{precision['nats']:.2g}"))
    if len(rows) > FIRST_ROWS:
        st.toggle(t("numbers.all_rows", count=len(rows)), key=key)


def measure_of(state: State) -> charts.Measure:
    """In what effects are drawn: percentage points, which everybody reads, or nats."""
    return "nats" if state.measure == "nats" or ":" in state.target else "points"


def unfinished_view(
    units: Sequence[Unit], so_far: Mapping[Span, float | None], measure: charts.Measure, slot: DeltaGenerator
) -> None:
    """The strongest effects found so far, in `measure`, while the run goes on."""
    rows = [
        (charts.named(unit.text, unit.occurrence, unit.occurrences), so_far[unit.span])
        for unit in units
        if unit.span in so_far
    ]
    if rows:
        chart = charts.unfinished(rows, current().lang, most=FIRST_ROWS, measure=measure)
        slot.vega_lite_chart(charts.specification(chart))


def effects_controls(question: Question, words: ProbeResult | None) -> None:
    """On what effects are measured, in what unit they are drawn, and whether equal words are ranked too."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        options = targets(question)
        state = current()
        if state.target not in options:
            options.append(state.target)
        names = {option: target_name(option, question, words) for option in options}
        st.selectbox(
            t("numbers.target"),
            options,
            format_func=names.__getitem__,
            label_visibility="collapsed",
            width=230,
            **bound("target"),
        )
        if ":" not in state.target:  # two answers against each other have log-odds, no probability
            choose(
                "measure",
                MEASURES,
                t("numbers.measure"),
                lambda name: t(f"numbers.measure_{name}"),
                label_visibility="collapsed",
                help=t("numbers.measure_help"),
            )
        if words is None or words.data["groups"]:
            st.toggle(t("numbers.groups"), help=t("numbers.groups_help"), **bound("groups"))


def targets(question: Question) -> list[str]:
    """What effects can be measured on, as the study's option names it."""
    found = ["top"]
    if question.right:
        found.append("right")
    if question.right and question.tempting:
        found.append("right:tempting")
    return found + [answer.label for answer in question.answers.answers]


def target_name(name: str, question: Question, words: ProbeResult | None) -> str:
    """A target for people: 'effect on the answer “once”'."""
    names = {answer.label: answer.name for answer in question.answers.answers}
    if name == "top":
        return (
            bare("numbers.target_top", answer=top_of(words.data["clean"])["name"])
            if words
            else bare("numbers.target_top_plain")
        )
    if name == "right":
        return bare("numbers.target_right", answer=names.get(question.right or "", ""))
    if name == "right:tempting":
        pair = {
            "right": names.get(question.right or "", ""),
            "tempting": names.get(question.tempting or "", ""),
        }
        return bare("numbers.target_contrast", **pair)
    return bare("numbers.target_answer", answer=names.get(name, name))


def _tiny(value: float | None) -> str:
    return "–" if value is None else "0" if value == 0 else f"{value:.0e}"
