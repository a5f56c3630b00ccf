"""Places on the page that are filled late, so that what stood there before a rerun stays until then."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.gate import Standing
from dashboard.widgets.markup import Markdown
from dashboard.wording import t


class Later:
    """Room for one thing, which may be replaced by another.

    `st.empty()` clears what stood there the moment it is made; this one when it is first filled.
    """

    def __init__(self, within: DeltaGenerator) -> None:
        self._within = within
        self._slot: DeltaGenerator | None = None

    @property
    def slot(self) -> DeltaGenerator:
        """Where the one thing goes."""
        if self._slot is None:
            self._slot = self._within.empty()
        return self._slot


class Headline:
    """The line on top; while somebody is in front it says so, and after that what it said before."""

    def __init__(self) -> None:
        self._place = Later(st.container(key="headline"))
        self._said = Markdown("")

    def say(self, text: Markdown) -> None:
        """Show `text`, as Markdown."""
        self._said = text
        self._place.slot.subheader(text, anchor=False)

    def in_line(self, standing: Standing) -> None:
        """As the line tells it: where this visitor stands; nobody in front when the wait is over."""
        if standing.ahead:
            self._place.slot.subheader(in_line(standing), anchor=False)
        elif self._said:
            self.say(self._said)
        else:
            self._place.slot.empty()

    def instead(self) -> DeltaGenerator:
        """Room for something else in the headline's place."""
        self._said = Markdown("")
        return self._place.slot.container()


def in_line(standing: Standing) -> Markdown:
    """Where somebody who waits stands, and how long it will be."""
    if standing.own:
        return t("stage.in_line_own")
    if standing.seconds is None or standing.seconds < 1:
        return t("stage.in_line", ahead=standing.ahead)
    return t("stage.in_line_long", ahead=standing.ahead, time=told_time(standing.seconds))


def told_time(seconds: float) -> Markdown:
    """A length of time, roughly."""
    if seconds < 90:
        return t("desk.seconds", n=max(5, round(seconds / 5) * 5))
    return t("desk.minutes", n=round(seconds / 60))
