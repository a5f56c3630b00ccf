"""Explore: headline, passage, answers, effects.

No fragment: Streamlit lets a rerun of the whole page interrupt a run that is under way, but not a rerun of a
fragment, and a press on a word or on Stop must be heard while a thousand trials are running.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import session
from dashboard.asking import options
from dashboard.ready import ready
from dashboard.session import current
from dashboard.state import within
from dashboard.widgets import answers_and_effects, prediction
from dashboard.widgets.answers_and_effects import measure_of
from dashboard.widgets.cutting import cutting
from dashboard.widgets.desk import NOTHING, Desk
from dashboard.widgets.markup import plain
from dashboard.widgets.model_picker import choice_of
from dashboard.widgets.passage_view import actions, passage_view, take_presses
from dashboard.widgets.places import Headline, Later, told_time
from dashboard.widgets.take_along import Taken, below
from dashboard.wording import t
from probes import charts
from probes.asking.question import Question
from probes.asking.trials import Mode
from probes.record.results import ProbeResult
from probes.running.headline import headline
from probes.text.passage import Span, Unit

TEN = 10
"""The strongest units that are looked for where measuring all takes long."""
MINUTES = 120.0
"""Seconds from which on measuring every unit is offered, not begun."""
MANY_UNITS = 300
"""More units than this are measured only after a press: each is a run of the model."""


def hides() -> bool:
    """Whether words are hidden: then those that share a token are worth a note."""
    return current().mode == Mode.HIDE


def before_model(question: Question, top: Headline) -> DeltaGenerator | None:
    """While the model is not at hand: the passage, of a preset as it comes with its numbers; then also where
    the loading is told.
    """
    state, visit = current(), session.visit()
    units = () if state.unit == "token" else question.passage.units(state.unit)
    found = None if visit.guessing or visit.cutting else ready(choice_of(state), question, state)
    passage_slot, action_slot = st.container(), st.container()
    with passage_slot:
        _passage(question, units, None if found is None else found["words"], {})
    if found is None:
        return None
    with action_slot:
        actions(question, units)
    left, right = st.columns([5, 7], gap="medium")
    with left.container(key="answers_now"):
        answers_and_effects.answers_view(found["ask"], None)
    with right:
        answers_and_effects.effects_controls(question, found["words"])
        answers_and_effects.effects_view(found["words"])
    top.say(plain(headline(found["words"].data, state.lang)))
    return st.container()


def _passage(
    question: Question,
    units: Sequence[Unit],
    words: ProbeResult | None,
    so_far: Mapping[Span, float | None],
) -> None:
    if session.visit().cutting and current().unit == "word":
        cutting(question)
    else:
        passage_view(question, units, words, so_far, measure_of(current()))


def board(here: Desk) -> None:
    """The passage first, coloured where its effects are known, then the answers, then the effects."""
    units = here.units(current().unit)
    passage_slot, action_slot = st.container(), st.container()
    left, right = st.columns([5, 7], gap="medium")
    bottom = st.container()
    take_presses(units)
    _forget_strange_numbers(units)
    session.write_link()  # now, because a long run may be interrupted before the page's end
    chosen = _options("words", units, ())
    words = here.known("words", chosen)
    visit = session.visit()
    if visit.guessing and not visit.revealed and not visit.cutting:
        with passage_slot:
            prediction.guess_view(here.question, units)
        with action_slot:
            prediction.switch()
        here.top.say(t("stage.guess"))
        return
    with passage_slot:
        if visit.guessing and visit.revealed and words is not None:
            prediction.score_view(words, len(units))
        _passage(here.question, units, words, _so_far(here, units, here.found_so_far("words", chosen)))
    with action_slot:
        if not visit.cutting:
            actions(here.question, units)
    with right:
        answers_and_effects.effects_controls(here.question, words)
        right_slot = st.container()
    asked_now = _answers(here, units, words, left)
    with right_slot:
        words = words or _effects(here, units, chosen)
        if words is not None:
            _found_ten(words)
            answers_and_effects.effects_view(words)
    with bottom:
        _below(here, units, words, asked_now)


def _options(
    study: str, units: Sequence[Unit], out: Collection[int], *, chance: bool = False
) -> dict[str, Any]:
    return options(current(), study, units, out, chance=chance)


def _forget_strange_numbers(units: Sequence[Unit]) -> None:
    """Drop numbers of units that this passage does not have: an old link, an edited one."""
    state = current()
    out = within(state.out, units)
    pin = None if state.pin is None else within(state.pin, units)
    if out != state.out or pin != state.pin:
        session.change(out=out, pin=pin)
        session.visit().notes.append(("out", t("stage.no_such_units", count=len(units))))


def _so_far(
    here: Desk, units: Sequence[Unit], found: Mapping[Span, float | None]
) -> Mapping[Span, float | None]:
    """Effects of a run that is not complete, which come in nats, in the measure that they are drawn in."""
    if measure_of(current()) == "nats":
        return found
    known = [here.known("ask", _options("ask", units, out)) for out in (current().out, ())]
    clean = next((record.data.get("clean", record.data) for record in known if record is not None), None)
    if clean is None:
        return {}
    target = {"top": clean["top"], "right": here.question.right}.get(current().target, current().target)
    before = next(a["probability"] for a in clean["answers"] if a["answer"] == target)
    return {span: charts.points_of(moved, before) for span, moved in found.items()}


# ---- answers


def _answers(
    here: Desk, units: Sequence[Unit], words: ProbeResult | None, left: DeltaGenerator
) -> ProbeResult:
    """The headline and the answer bars; a set of two or more is then read against random sets as well."""
    state, picture = current(), Later(left.container(key="answers_now"))
    if words is None:
        here.say(None)
    pinned = None if state.pin is None else here.quick("ask", _options("ask", units, state.pin))
    now = here.quick("ask", _options("ask", units, state.out))

    def tell(shown: ProbeResult) -> None:
        here.say(words if words and not state.out else shown)
        with picture.slot.container():
            answers_and_effects.answers_view(shown, pinned)

    fuller = _options("ask", units, state.out, chance=True)
    known = here.known("ask", fuller) if len(state.out) > 1 else None
    tell(known or now)
    if len(state.out) > 1 and known is None:
        # As it stands already: a call at which the next press may interrupt this run.
        known = here.quick("ask", fuller, on_progress=lambda done, total: here.say(now))
        tell(known)
    return known or now


# ---- effects


def _effects(here: Desk, units: Sequence[Unit], chosen: Mapping[str, Any]) -> ProbeResult | None:
    """The study of all units, with a count and a Stop; None while it is not complete."""
    picture: list[Later] = []

    def draw(so_far: Mapping[Span, float | None]) -> None:
        if not picture:  # below the count and the button
            picture.append(Later(st.container()))
        measured = _so_far(here, units, so_far)
        answers_and_effects.unfinished_view(units, measured, measure_of(current()), picture[0].slot)

    runs = here.shop.runs("words", here.choice, here.question, chosen)
    many = runs > MANY_UNITS
    ask = many or here.shop.seconds("words", here.choice, here.question, chosen, runs) > MINUTES
    offer = t("stage.many", count=len(units)) if many else NOTHING
    found = here.measured("words", chosen, runs, "words", draw, ask=ask, offer=offer)
    if found is not None:
        st.rerun()  # the chips were drawn before their numbers were known
    _offer_to_find(here, units, chosen)
    return None


def _found_ten(words: ProbeResult) -> None:
    """That only the strongest were looked for, and the way to all."""
    if "find" in words.data:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(t("stage.found_ten"))
            st.button(t("stage.measure_all"), on_click=session.change, kwargs={"find": 0}, key="find_all")


def _offer_to_find(here: Desk, units: Sequence[Unit], chosen: Mapping[str, Any]) -> None:
    """Where the whole is long: the ten strongest alone, in a fraction of the runs."""
    few = {**chosen, "find": TEN}
    runs = here.shop.runs("words", here.choice, here.question, few)
    if chosen["find"] is None and runs < len(units):
        seconds = here.shop.seconds("words", here.choice, here.question, few, runs)
        st.button(
            t("stage.find", runs=runs, time=told_time(seconds)),
            icon=":material/search:",
            on_click=session.change,
            kwargs={"find": TEN},
            key="find_ten",
        )


# ---- below


def _below(here: Desk, units: Sequence[Unit], words: ProbeResult | None, asked_now: ProbeResult) -> None:
    state = current()
    if state.model == "builtin":
        st.caption(t("details.builtin"))
    chance = len(state.out) > 1
    taken = [Taken("ask", asked_now, _options("ask", units, state.out, chance=chance))]
    if words is not None:
        groups = state.groups and bool(words.data["groups"])
        picture = partial(charts.effects, words, groups=groups, measure=measure_of(state))
        taken.insert(0, Taken("words", words, _options("words", units, ()), picture))
    below(here.question, taken, [t("details.read_text"), t(f"details.read_{state.mode}")])
