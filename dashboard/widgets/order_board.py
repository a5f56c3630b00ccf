"""Order & words: sentences in another order, invented words, other words, more mentions, another question."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from dashboard.widgets.before_drawing import problem
from dashboard.widgets.desk import Desk
from dashboard.widgets.markup import Markdown, plain
from dashboard.widgets.sentence_cards import moved, sentence_cards
from dashboard.widgets.study_board import measured, offer, shown, tell, told_of
from dashboard.widgets.tabs import tabs
from dashboard.widgets.take_along import Taken, below
from dashboard.wording import bare, t
from probes.errors import CruxError
from probes.numbers import percent
from probes.record.results import ProbeResult
from probes.studies import STUDIES
from probes.studies.order import order_of
from probes.studies.telling import top_of

TOLD_OF = ("order", "definition", "counterfactual", "frequency", "questions")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "order": ("moved", "shuffles", "seed"),
    "definition": ("change", "invent", "meaning"),
    "counterfactual": ("change", "to", "propose"),
    "frequency": ("mention", "added", "draws"),
    "questions": ("other", "other_answers", "other_target"),
}
"""Options of each study that stand on its tab."""


def board(here: Desk) -> None:
    """One tab a study: what it asks, its few controls, its record."""
    on_show = tabs("order_tabs", {name: t(f"order.tab_{name}") for name in TOLD_OF})
    taken: list[Taken] = []
    for name in TOLD_OF:
        if on_show[name].open:
            with on_show[name]:
                found = _tab(here, name)
            taken += [found] if found else []
    if taken:
        below(here.question, taken, [t(f"order.read_{taken[0].study}")])


def _tab(here: Desk, name: str) -> Taken | None:
    study = STUDIES[name]
    st.caption(plain(study.about(here.state.lang)))
    offer(study, FIELDS[name])
    above: Callable[[ProbeResult], None] | None = None
    try:
        settings = study.settings({**told_of(study), "target": here.state.target})
        if name == "order" and settings["moved"] != "word":
            above = _cards(here, settings)
    except CruxError as fault:
        problem(fault)
        return None
    found = measured(here, study, settings)
    if found is None:
        return None
    if above is not None:
        above(found)
    shown(here, study, found)
    return Taken(name, found, settings, partial(study.picture, found))


# ---- sentences as cards


def _cards(here: Desk, settings: Mapping[str, Any]) -> Callable[[ProbeResult], None]:
    """The units as cards to put in order; what is said of that order once it was run."""
    units = here.question.passage.units(settings["moved"])
    own = tuple(range(len(units)))
    told = settings["order"]
    order = order_of(told, len(units)) if told else own
    if (sent := moved("cards", len(units), told or "")) is not None and sent != order:
        order = sent
        tell(STUDIES["order"], "order", _written(sent))
    sentence_cards(
        [units[n].text for n in own],
        order,
        key="cards",
        label=bare("order.cards"),
        hint=bare("order.cards_hint"),
        lang=here.question.passage.language,
        revision=told or "",
    )
    with st.container(horizontal=True, gap="small"):
        _put(t("order.shuffle"), ":material/shuffle:", _shuffled(order), "cards_shuffle")
        _put(t("order.reverse"), ":material/swap_vert:", order[::-1], "cards_reverse")
        _put(t("order.back"), ":material/undo:", own, "cards_back", off=order == own)

    def say(found: ProbeResult) -> None:
        row = next((row for row in found.rows if tuple(row["order"]) == order), None)
        if row is None:
            st.markdown(t("order.as_it_is"))
            return
        then = top_of(row)
        told, share = _written(order).replace(",", " "), percent(then["probability"])
        st.markdown(t("order.in_this", order=told, answer=then["name"], share=share))

    return say


def _written(order: tuple[int, ...]) -> str:
    """As the study's option has it; the passage's own order is none."""
    return "" if order == tuple(range(len(order))) else ",".join(str(n + 1) for n in order)


def _shuffled(order: tuple[int, ...]) -> tuple[int, ...]:
    """Another order, the same each time it is drawn from this one."""
    rng = random.Random(str(order))
    found = order
    for _ in range(20):
        found = tuple(rng.sample(order, len(order)))
        if found not in (order, tuple(range(len(order)))):
            break
    return found


def _put(label: Markdown, icon: str, order: tuple[int, ...], key: str, *, off: bool = False) -> None:
    st.button(
        label,
        icon=icon,
        on_click=tell,
        args=(STUDIES["order"], "order", _written(order)),
        disabled=off,
        key=key,
    )
