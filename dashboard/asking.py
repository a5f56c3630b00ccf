"""From what a visitor chose to a `Question`, and to the options of a study."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from dashboard.limits import Limits
from dashboard.state import State
from probes.asking.question import Preset, Question, answer_set, preset, standard_answers
from probes.text.passage import Passage, Span, Unit

OWN = Limits()
RANDOM_SETS = 20
"""Random sets of words that a set of two or more is read against."""


def preset_of(state: State) -> Preset | None:
    """The preset on show; None where the passage is the visitor's own."""
    return None if state.text else preset(state.preset)


@lru_cache(maxsize=64)
def _passage(
    text: str, dictionary: tuple[str, ...], joins: tuple[Span, ...], splits: tuple[int, ...]
) -> Passage:
    return Passage(text, dictionary=dictionary, joins=joins, splits=splits)


def passage_of(state: State) -> Passage:
    """The passage on show, with the words joined and split by hand.

    Raises:
        InputError: it is empty or too long, or a join or split makes no sense in it.
    """
    base = preset_of(state)
    if base is None:
        return _passage(state.text, (), state.joins, state.splits)
    return _passage(base.text, base.dictionary, state.joins, state.splits)


def question_of(state: State, default_question: str, limits: Limits = OWN) -> Question:
    """The question as it is to be put.

    Args:
        default_question: asked about a visitor's own passage until they write another.
        limits: what the page allows.

    Raises:
        InputError: a part of it cannot be used.
        LimitError: a part of it is longer, or more, than the page allows.
    """
    limits.check_state(state)
    passage = passage_of(state)
    base = preset_of(state)
    if base is None:
        language = "zh" if passage.language == "zh" else "en"
        asked = state.question or default_question
        question = Question(passage, asked, standard_answers("count", language), language=language)
    else:
        question = _of_preset(base.id, passage)
    given = {"question": state.question, "answer_prefix": state.prefix, "instruction": state.instruction}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if state.answers is not None:
        changes["answers"] = answer_set(state.answers, question.language)
        labels = {answer.label for answer in changes["answers"].answers}
        changes |= {name: None for name in ("right", "tempting") if getattr(question, name) not in labels}
    question = replace(question, template=state.template, **changes)
    limits.check_question(question)
    return question


@lru_cache(maxsize=64)
def _of_preset(name: str, passage: Passage) -> Question:
    return replace(preset(name).question(), passage=passage)


def noise_units(question: Question, units: Sequence[Unit]) -> frozenset[int]:
    """The units that lie whole inside words which, says the preset, can be left out."""
    return frozenset(unit.index for unit in units if question.role_of(unit.span) == "noise")


def options(
    state: State, study: str, units: Sequence[Unit], out: Collection[int], *, chance: bool = False
) -> dict[str, Any]:
    """The options of `study` for this state, `out` taken away together.

    Args:
        chance: whether a set of two or more is also read against random sets (more runs).
    """
    chosen: dict[str, Any] = {"mode": state.mode, "target": state.target}
    if study == "words":
        chosen |= {"unit": state.unit, "find": state.find or None}
    if study == "ask":
        places = (units[i].span for i in sorted(out))
        chosen |= {
            "at": ",".join(f"{a}-{b}" for a, b in places) or None,
            "control": RANDOM_SETS if chance else 0,
        }
    return chosen
