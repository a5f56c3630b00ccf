"""The passage as words to press, and what can be done with those that were pressed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import session
from dashboard.asking import noise_units, preset_of
from dashboard.session import current
from dashboard.widgets import prediction
from dashboard.widgets.made import made
from dashboard.widgets.markup import Markdown
from dashboard.widgets.word_chips import Scores, pressed, word_chips
from dashboard.wording import bare, t
from probes.asking.question import Question
from probes.charts import Measure, effect_in, measured_in, scale_of, smallest
from probes.numbers import lengths_of, nats, percent, signed_if_known
from probes.record.leads import flips_clearly
from probes.record.results import ProbeResult
from probes.running.headline import quoted
from probes.studies.attention import units_of
from probes.text.passage import Span, Unit

CHIPS = "passage"


def passage_view(
    question: Question,
    units: Sequence[Unit],
    words: ProbeResult | None,
    so_far: Mapping[Span, float | None],
    measure: Measure = "nats",
) -> None:
    """The passage; each unit coloured and numbered by what taking it away alone does, once that is known.

    `so_far`: the effects that a run which is not complete has found, in `measure`.
    """
    state, visit = current(), session.visit()
    word_chips(
        question.passage.text,
        [unit.span for unit in units],
        state.out,
        key=CHIPS,
        label=bare("passage.label", unit=bare(f"passage.unit_{state.unit}")),
        hint=_hint(units),
        revision=visit.revision,
        lang=question.passage.language,
        scores=effect_scores(words, len(units), measured_in(words, measure))
        if words
        else _scores_so_far(units, so_far, measure)
        if so_far
        else None,
        notes=made([words], lambda: _notes(words, len(units)), "notes", state.lang, state.preset, state.text)
        if words
        else None,
        glosses=_glosses(question, units),
        look="veil" if state.mode == "hide" else "strike",
    )


def _hint(units: Sequence[Unit]) -> str:
    """What a press does, said of the chosen unit; or why there is nothing to press."""
    state = current()
    if not units and state.unit == "token":
        return t("passage.no_tokens")
    key = f"passage.hint_{state.mode}" if units else "passage.no_units"
    return t(key, unit=t(f"passage.unit_{state.unit}"))


def take_presses(units: Sequence[Unit]) -> None:
    """Take over what was pressed in the browser; before anything is drawn."""
    sent = pressed(CHIPS, session.visit().revision, len(units))
    if sent is not None:
        session.remove(sent, by_chip=True)


DIGITS: Mapping[Measure, int] = {"nats": 2, "points": 1}


def effect_scores(words: ProbeResult, count: int, measure: Measure) -> Scores:
    """Of all units, `count`; nothing of those that were not measured."""
    scale = scale_of(words, measure)
    effects: list[float | None] = [None] * count
    quiet = [True] * count
    for row in words.data["rows"]:
        known = row["effect_probability"] is not None
        effects[row["index"]] = effect_in(measure, row, scale) if known else None
        quiet[row["index"]] = row["no_change"] is not False
    return Scores(effects, quiet, scale, bare(f"passage.{measure}"), DIGITS[measure])


def _scores_so_far(units: Sequence[Unit], so_far: Mapping[Span, float | None], measure: Measure) -> Scores:
    scale = max([smallest(measure), *(abs(size) for size in so_far.values() if size is not None)])
    found_so_far = [so_far.get(unit.span, 0.0) for unit in units]
    effects = [
        None if unit.span not in so_far else -scale if found is None else found
        for unit, found in zip(units, found_so_far, strict=True)
    ]
    unit, digits = bare(f"passage.{measure}"), DIGITS[measure]
    return Scores(effects, [False] * len(effects), scale, unit, digits)


def _notes(words: ProbeResult, count: int) -> list[str]:
    """A sentence on each unit: what taking it away alone does to the target, and what is answered then; that
    it was not measured, where only the strongest were.
    """
    notes = [bare("passage.note_unmeasured")] * count
    for row in words.data["rows"]:
        notes[row["index"]] = _note(words.data, row)
    return notes


def _note(data: Any, row: Any) -> str:
    target = data["target"]
    before, after = (
        next(a["probability"] for a in run["answers"] if a["answer"] == target["label"])
        for run in (data["clean"], row)
    )
    then = next(a for a in row["answers"] if a["answer"] == row["top"])
    gloss = _gloss_of(row["text"])
    return bare(
        "passage.note_flips"
        if flips_clearly(row, data)
        else "passage.note_same"
        if row["no_change"]
        else "passage.note_uncarried"
        if row["effect_probability"] is None
        else "passage.note_untold"
        if row["no_change"] is None
        else "passage.note_moves",
        word=" ".join(row["text"].split()) + (f" ({gloss})" if gloss else ""),
        nats=nats(row),
        answer=target["text"],
        before=percent(before),
        after=percent(after),
        then=then["name"],
        rank=row["rank"],
        of=row["rank_of"],
        lengths=lengths_of(row),
        lead=signed_if_known(row.get("effect_lead")),
    )


def _gloss_of(text: str) -> str:
    base = preset_of(current())
    return base.gloss.get(text, "") if base and current().lang == "en" else ""


def _glosses(question: Question, units: Sequence[Unit]) -> list[str] | None:
    """English under Chinese words, for readers of English, where the preset has it."""
    base = preset_of(current())
    if current().lang != "en" or base is None or not base.gloss or current().unit != "word":
        return None
    return [base.gloss.get(unit.text, "") for unit in units]


# ---- what can be done


def actions(question: Question, units: Sequence[Unit]) -> None:
    """One row: what is taken away, undo, redo, put back, the preset's noise words, pin, edit words."""
    state, visit = current(), session.visit()
    noise = noise_units(question, units)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="actions"):
        st.button(
            t("passage.undo"),
            icon=":material/undo:",
            on_click=session.undo,
            disabled=not visit.past,
            key="undo",
        )
        st.button(
            t("passage.redo"),
            icon=":material/redo:",
            on_click=session.redo,
            disabled=not visit.future,
            key="redo",
        )
        st.button(
            t("passage.put_back"),
            on_click=session.remove,
            args=(frozenset(),),
            disabled=not state.out,
            key="put_back",
        )
        if noise:
            st.button(
                t("passage.noise", count=len(noise)),
                on_click=session.remove,
                args=(noise,),
                key="noise",
                disabled=state.out == noise,
                help=t("passage.noise_help"),
            )
        _pin_button()
        prediction.switch()
        st.toggle(
            t("passage.cut"),
            key="w_cutting",
            value=visit.cutting,
            on_change=_cutting,
            disabled=state.unit != "word",
        )
        st.caption(_taken(units))


def _taken(units: Sequence[Unit]) -> Markdown:
    """The words that are out, by name; what is pinned."""
    state = current()
    parts = []
    for key, numbers in (("passage.taken", state.out), ("passage.pinned", state.pin)):
        named = units_of([units[i] for i in sorted(numbers or ())])
        if named:
            parts.append(t(key, count=len(named), words=quoted(named, state.lang)))
        elif numbers is not None and key == "passage.pinned":
            parts.append(t("passage.pinned_clean"))
    return Markdown(" ".join(parts)) if parts else t("passage.nothing_taken")


def _pin_button() -> None:
    state = current()
    if state.pin is None:
        st.button(
            t("passage.pin"),
            icon=":material/keep:",
            on_click=session.change,
            kwargs={"pin": state.out},
            key="pin",
            help=t("passage.pin_help"),
        )
    else:
        st.button(
            t("passage.unpin"),
            icon=":material/keep_off:",
            on_click=session.change,
            kwargs={"pin": None},
            key="pin",
        )


def _cutting() -> None:
    visit = session.visit()
    visit.cutting = st.session_state["w_cutting"]
    visit.picked = frozenset()
