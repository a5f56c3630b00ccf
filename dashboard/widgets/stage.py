"""The page's picture: headline, passage, answers, effects.

No fragment: Streamlit lets a rerun of the whole page interrupt a run that is under way, but not a rerun of a
fragment, and a press on a word or on Stop must be heard while a thousand trials are running.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import session
from dashboard.asking import options, question_of
from dashboard.service import Service, service
from dashboard.session import current
from dashboard.shelf import Choice
from dashboard.state import within
from dashboard.widgets import answers_and_effects as numbers
from dashboard.widgets.before_drawing import load, problem
from dashboard.widgets.cutting import cutting
from dashboard.widgets.details import details
from dashboard.widgets.markup import Markdown, plain
from dashboard.widgets.model_picker import choice_of
from dashboard.widgets.notes import notes
from dashboard.widgets.passage_view import actions, passage_view, take_presses
from dashboard.widgets.places import Headline, Later
from dashboard.widgets.question_line import asked
from dashboard.wording import t
from probes.asking.question import Question
from probes.asking.trials import Mode
from probes.errors import CruxError
from probes.record.results import ProbeResult
from probes.running.headline import headline
from probes.text.passage import Span, Unit

MANY_UNITS = 300
"""More units than this are measured only after a press: each is a run of the model."""
STEADY = """<style>
.st-key-headline { min-height: 3.9rem; }
@media (max-width: 640px) { .st-key-headline { min-height: 7.4rem; } }
</style>"""
"""Room for a headline of two lines (four on a phone), so that the words stay put when it changes."""


def stage() -> None:
    """Draw what is known at once, then fill in what has to be computed."""
    try:
        question = question_of(current(), t("asked.default"), service().limits)
    except CruxError as fault:
        problem(fault)
        return
    st.html(STEADY)
    top = Headline()
    asked(question)
    scene = Scene(question, service(), choice_of(current()), top)
    scene.draw()


@dataclass
class Scene:
    """One drawing of the stage, for one question and one model."""

    question: Question
    shop: Service
    choice: Choice
    top: Headline

    def draw(self) -> None:
        """The passage first, coloured where its effects are known, then the answers, then the effects."""
        notes_slot, passage_slot, action_slot = st.container(), st.container(), st.container()
        left, right = st.columns([5, 7], gap="medium")
        bottom = st.container()
        try:
            units = self.shop.units(self.choice, self.question, current().unit)
            if units is None:
                self._passage(passage_slot, self._units_without_model())
                load(self.shop, self.choice, self.top.instead())
                return
            with notes_slot:
                hides = current().mode == Mode.HIDE
                notes(self.shop.notes(self.choice, self.question, by_tokens=hides))
            self._prepare(units, passage_slot, action_slot)
            words = self._known("words", units)
            with right:
                numbers.effects_controls(self.question, words)
                running, right_slot = st.container(), st.container()
            asked_now = self._answers(units, words, left)
            with right_slot:
                words = words or self._effects(units, running)
                if words is not None:
                    numbers.effects_view(words)
        except CruxError as fault:
            with self.top.instead():
                problem(fault)
            return
        with bottom:
            details(self.question, self.choice, words, asked_now, units)

    def _prepare(
        self, units: Sequence[Unit], passage_slot: DeltaGenerator, action_slot: DeltaGenerator
    ) -> None:
        """Take over what was pressed, and draw the passage with what is known of its units."""
        take_presses(units)
        _forget_strange_numbers(units)
        session.write_link()  # now, because a long run may be interrupted before the page's end
        words = self._known("words", units)
        self._passage(passage_slot, units, words, session.visit().effects.get(self._run_of(units)))
        with action_slot:
            if not session.visit().cutting:
                actions(self.question, units)

    def _units_without_model(self) -> Sequence[Unit]:
        unit = current().unit
        return () if unit == "token" else self.question.passage.units(unit)

    def _passage(
        self,
        slot: DeltaGenerator,
        units: Sequence[Unit],
        words: ProbeResult | None = None,
        so_far: Mapping[Span, float | None] | None = None,
    ) -> None:
        with slot:
            if session.visit().cutting and current().unit == "word":
                cutting(self.question)
            else:
                passage_view(self.question, units, words, so_far or {})

    # ---- answers

    def _answers(self, units: Sequence[Unit], words: ProbeResult | None, left: DeltaGenerator) -> ProbeResult:
        """The headline and the answer bars; a set of two or more is then read against random sets as well."""
        state = current()
        picture = Later(left)
        if words is None:
            self.top.say(t("stage.asking"))
        pinned = None if state.pin is None else self._ask(units, state.pin)
        now = self._ask(units, state.out)
        fuller = self._options("ask", units, state.out, chance=True)
        known = self.shop.known("ask", self.choice, self.question, fuller) if len(state.out) > 1 else None
        self._tell(picture, known or now, words, pinned)
        if len(state.out) > 1 and known is None:

            def progress(done: int, total: int) -> None:
                # As it stands already: a call at which the next press may interrupt this run.
                self.top.say(_title(now))

            known = self.shop.run(
                "ask", self.choice, self.question, fuller, waiting=self.top.in_line, on_progress=progress
            )
            self._tell(picture, known, words, pinned)
        return known or now

    def _tell(
        self,
        picture: Later,
        now: ProbeResult,
        words: ProbeResult | None,
        pinned: ProbeResult | None,
    ) -> None:
        self.top.say(_title(words if words and not current().out else now))
        with picture.slot.container():
            numbers.answers_view(now, pinned)

    def _ask(self, units: Sequence[Unit], out: Collection[int]) -> ProbeResult:
        chosen = self._options("ask", units, out)
        return self.shop.run("ask", self.choice, self.question, chosen, waiting=self.top.in_line)

    # ---- effects

    def _effects(self, units: Sequence[Unit], running: DeltaGenerator) -> ProbeResult | None:
        """Run the study of all units, with a count and a Stop in `running`; None while it is not complete."""
        visit = session.visit()
        run = self._run_of(units)
        if len(units) > MANY_UNITS and run not in visit.agreed:
            st.info(t("stage.many", count=len(units)), icon=":material/hourglass_empty:")
            st.button(
                t("stage.measure", count=len(units)), on_click=visit.agreed.add, args=(run,), key="measure"
            )
            return None
        if run in visit.stopped:
            so_far = visit.effects.get(run, {})
            st.info(t("stage.stopped", done=len(so_far), count=len(units)), icon=":material/pause:")
            st.button(t("stage.go_on"), on_click=visit.stopped.discard, args=(run,), key="go_on")
            numbers.unfinished_view(units, so_far, st.empty())
            return None
        self._measure(units, run, running)
        st.rerun()  # the chips were drawn before their numbers were known

    def _measure(self, units: Sequence[Unit], run: Hashable, running: DeltaGenerator) -> None:
        visit, picture = session.visit(), Later(st.container())
        with running, st.container(horizontal=True, vertical_alignment="center"):
            bar = st.progress(0.0, t("stage.starting", count=len(units)))
            st.button(
                t("stage.stop"), icon=":material/stop:", on_click=visit.stopped.add, args=(run,), key="stop"
            )
        so_far = visit.effects.setdefault(run, {})

        def in_line(ahead: int) -> None:
            told = t("stage.in_line", ahead=ahead) if ahead else t("stage.starting", count=len(units))
            bar.progress(0.0, told)

        def progress(done: int, total: int) -> None:
            bar.progress(done / total, t("stage.progress", done=done, total=total))
            numbers.unfinished_view(units, so_far, picture.slot)

        chosen = self._options("words", units, ())
        self.shop.run(
            "words", self.choice, self.question, chosen, waiting=in_line, on_progress=progress, effects=so_far
        )
        visit.effects.pop(run, None)

    def _run_of(self, units: Sequence[Unit]) -> Hashable:
        return self.shop.identity("words", self.choice, self.question, self._options("words", units, ()))

    def _known(self, study: str, units: Sequence[Unit]) -> ProbeResult | None:
        return self.shop.known(study, self.choice, self.question, self._options(study, units, ()))

    def _options(
        self, study: str, units: Sequence[Unit], out: Collection[int], *, chance: bool = False
    ) -> dict[str, Any]:
        return options(current(), study, units, out, chance=chance)


def _title(result: ProbeResult) -> Markdown:
    return plain(headline(result.data, current().lang))


def _forget_strange_numbers(units: Sequence[Unit]) -> None:
    """Drop numbers of units that this passage does not have: an old link, an edited one."""
    state = current()
    out = within(state.out, units)
    pin = None if state.pin is None else within(state.pin, units)
    if out != state.out or pin != state.pin:
        session.change(out=out, pin=pin)
        session.visit().notes.append(("out", t("stage.no_such_units", count=len(units))))
