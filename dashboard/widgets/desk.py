"""What all pages about a passage share: bar, question, headline, model; and runs with a Stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import session
from dashboard.asking import question_of
from dashboard.gate import Standing
from dashboard.looks import Look
from dashboard.service import Service, service
from dashboard.session import current
from dashboard.shelf import Choice
from dashboard.state import State
from dashboard.widgets.bar import bar
from dashboard.widgets.before_drawing import load, problem
from dashboard.widgets.markup import Markdown, plain
from dashboard.widgets.model_picker import choice_of
from dashboard.widgets.notes import notes
from dashboard.widgets.own_passage import own_passage
from dashboard.widgets.places import Headline, in_line, told_time
from dashboard.widgets.question_line import asked
from dashboard.wording import t
from probes.asking.question import Question
from probes.errors import CapabilityError, CruxError
from probes.record.results import ProbeResult
from probes.running.headline import headline
from probes.studies.base import Need
from probes.text.passage import Unit

DRAWING_SHARE = 9
"""Drawing what was found so far takes at most a tenth of the time."""
NOTHING = Markdown("")
LONG = 20.0
"""Seconds that a run may take without being asked for."""
STEADY = """<style>
.st-key-headline { min-height: 3.9rem; }
@media (max-width: 640px) { .st-key-headline { min-height: 7.4rem; } }
</style>"""
"""Room for a headline of two lines (four on a phone), so that the words stay put when it changes."""
DARK_INK, LIGHT_INK = "#edebe8", "#2f2d2b"


def dark() -> bool:
    """Whether the visitor's page is dark."""
    return st.context.theme.type == "dark"


def ink() -> str:
    """The page's text colour, for charts."""
    return DARK_INK if dark() else LIGHT_INK


@dataclass
class Desk:
    """One drawing of a page, for one question and one model at hand."""

    question: Question
    shop: Service
    choice: Choice
    top: Headline
    geometry: Mapping[str, Any]

    @property
    def state(self) -> State:
        return current()

    def say(self, result: ProbeResult | None) -> None:
        """The record's sentence as the page's headline."""
        text = t("stage.asking") if result is None else plain(headline(result.data, self.state.lang))
        self.top.say(text)

    def known(self, study: str, options: Mapping[str, Any]) -> ProbeResult | None:
        """The result, where it is at hand."""
        return self.shop.known(study, self.choice, self.question, options)

    def quick(
        self, study: str, options: Mapping[str, Any], on_progress: Callable[[int, int], None] | None = None
    ) -> ProbeResult:
        """A study of a few runs, at once."""
        ways: dict[str, Any] = {
            "visitor": session.visitor(),
            "waiting": self.top.in_line,
            "on_progress": on_progress,
        }
        return self.shop.run(study, self.choice, self.question, options, **ways)

    def units(self, kind: str) -> Sequence[Unit]:
        """The passage's units as the model has them.

        Raises:
            CapabilityError: nobody knows its tokens.
        """
        found = self.shop.units(self.choice, self.question, kind)
        return () if found is None else found

    def found_so_far(self, study: str, options: Mapping[str, Any]) -> Mapping[Any, float | None]:
        """What a run of many that is not complete has found."""
        run = self.shop.identity(study, self.choice, self.question, options)
        return session.visit().effects.get(run, {})

    def look(self) -> Look:
        """What every head reads.

        Raises:
            CruxError: the model does not hand its weights out.
        """
        return self.shop.attention(self.choice, self.question, self.top.in_line, session.visitor())

    def measured(
        self,
        study: str,
        options: Mapping[str, Any],
        runs: int,
        key: str,
        draw: Callable[[Mapping[Any, float | None]], None] | None = None,
        *,
        ask: bool | None = None,
        offer: Markdown = NOTHING,
    ) -> ProbeResult | None:
        """A study of many runs: offered with its cost where it is long, with a count and a Stop.

        Args:
            runs: how many it will be, about.
            key: tells the buttons of several runs on a page apart.
            draw: shows what was found so far.
            ask: whether to offer it before it is begun; None where it is long.
            offer: what is said then; its cost, where nothing is given.

        Returns:
            None while it is not complete.
        """
        place = st.empty()  # also where nothing is run, so that what follows stands where it stood
        if found := self.known(study, options):
            return found
        visit = session.visit()
        run = self.shop.identity(study, self.choice, self.question, options)
        seconds = self.shop.seconds(study, self.choice, self.question, options, runs)
        if (seconds > LONG if ask is None else ask) and run not in visit.agreed:
            cost = {"runs": runs, "time": told_time(seconds), "memory": self._memory()}
            st.info(offer if offer else t("desk.long", **cost), icon=":material/hourglass_empty:")
            st.button(t("desk.measure"), on_click=visit.agreed.add, args=(run,), key=f"{key}_measure")
            return None
        if run in visit.stopped:
            self.shop.let_go(self.choice, run)
            told = "desk.stopped" if self.shop.keeps or "over" not in options else "desk.stopped_lost"
            st.info(t(told, done=visit.done.get(run, 0), runs=runs), icon=":material/pause:")
            st.button(t("stage.go_on"), on_click=visit.stopped.discard, args=(run,), key=f"{key}_go_on")
            if draw is not None:
                draw(visit.effects.get(run, {}))
            return None
        return self._run(study, options, runs, key, run, draw, place)

    def _memory(self) -> str:
        """What the runs take beside the model's weights."""
        return f"{max(self.shop.memory(self.choice, self.question), 1e7) / 1e9:.2f} GB"

    def _run(
        self,
        study: str,
        options: Mapping[str, Any],
        runs: int,
        key: str,
        run: Any,
        draw: Callable[[Mapping[Any, float | None]], None] | None,
        place: DeltaGenerator,
    ) -> ProbeResult:
        visit = session.visit()
        with place.container(), st.container(horizontal=True, vertical_alignment="center"):
            line = st.progress(0.0, t("desk.starting", runs=runs))
            st.button(
                t("stage.stop"),
                icon=":material/stop:",
                on_click=visit.stopped.add,
                args=(run,),
                key=f"{key}_stop",
            )
        so_far = visit.effects.setdefault(run, {})

        def waiting(standing: Standing) -> None:
            line.progress(0.0, in_line(standing) if standing.ahead else t("desk.starting", runs=runs))

        next_draw = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal next_draw
            visit.done[run] = done
            line.progress(min(1.0, done / max(total, 1)), t("stage.progress", done=done, total=total))
            now = time.monotonic()
            if draw is not None and now > next_draw:
                draw(so_far)
                next_draw = time.monotonic() + max(1.0, DRAWING_SHARE * (time.monotonic() - now))

        found = self.shop.run(
            study,
            self.choice,
            self.question,
            options,
            visitor=session.visitor(),
            waiting=waiting,
            on_progress=progress,
            effects=so_far,
        )
        visit.effects.pop(run, None)
        visit.done.pop(run, None)
        place.empty()
        return found


def desk(
    draw: Callable[[Desk], None],
    controls: Callable[[], None] | None = None,
    *,
    needs: tuple[Need, ...] = ("inside",),
    by_tokens: Callable[[], bool] = lambda: True,
    meanwhile: Callable[[Question, Headline], DeltaGenerator | None] = lambda question, top: None,
) -> None:
    """Draw a page: bar, headline, question; then, with the model at hand, what `draw` makes of it. In another
    page's frame there is neither bar nor question.

    Args:
        controls: what the bar offers in the place of how words are taken away.
        needs: what the page wants of a model beside answers; one that lacks it is refused in words.
        by_tokens: whether words are hidden, or read, as whole tokens.
        meanwhile: draws what can be while the model is not at hand, and says where its loading is told; None
            for the headline's place.
    """
    alone = session.alone()
    if not alone:
        bar(controls)
    for name, value in session.visit().notes:
        st.warning(t("page.bad_link", name=name, value=value), icon=":material/link_off:")
    if session.visit().editing:
        own_passage()
    try:
        question = question_of(current(), t("asked.default"), service().limits)
    except CruxError as fault:
        problem(fault)
        return
    st.html(STEADY)
    top = Headline()
    if not alone:
        asked(question)
    shop, choice = service(), choice_of(current())
    try:
        geometry = shop.geometry(choice)
        if geometry is None:
            load(shop, choice, meanwhile(question, top) or top.instead())
            return
        session.write_link()  # now, because a long run may be interrupted before the page's end
        if "inside" in needs and not geometry:
            raise CapabilityError("inside_closed")
        notes(shop.notes(choice, question, by_tokens=by_tokens()))
        draw(Desk(question, shop, choice, top, geometry))
    except CruxError as fault:
        with top.instead():
            problem(fault)
