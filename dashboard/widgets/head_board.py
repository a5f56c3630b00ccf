"""The map of heads to press, the heads taken away, and the answers clean and now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import session, study_options
from dashboard.session import bound, choose
from dashboard.state import HOWS, PLACES
from dashboard.values import Head
from dashboard.widgets.answers_and_effects import target_name, targets
from dashboard.widgets.desk import Desk, ink
from dashboard.widgets.made import picture
from dashboard.widgets.wide import FINGER, wide
from dashboard.wording import bare, t
from probes import charts
from probes.asking.interventions import Ablation
from probes.numbers import nats
from probes.record.results import ProbeResult
from probes.running.headline import headline

STRONGEST = 5
MAP = "heads_map"


def head_controls() -> None:
    """For the bar: what is put in a head's place, and where."""
    ways = {how: t(f"inside.how_{how}") for how in HOWS}
    choose("how", HOWS, t("inside.how"), ways.__getitem__, help=t("inside.how_help"))
    places = {place: t(f"inside.at_{place}") for place in PLACES}
    st.selectbox(
        t("inside.at"), PLACES, format_func=places.__getitem__, width=190, help=t("inside.at_help"),
        **bound("place"),
    )  # fmt: skip


def all_heads(geometry: Mapping[str, Any]) -> list[Head]:
    """Every head of the model, as (layer, head)."""
    return [(layer, head) for layer, n in enumerate(geometry["heads"]) for head in range(n or 0)]


def forget_strange_heads(desk: Desk) -> None:
    """Drop heads and layers that this model does not have: an old link, an edited one."""
    state, there = desk.state, set(all_heads(desk.geometry))
    layers = desk.geometry["layers"]
    kept = tuple(head for head in state.ablated if head in there)
    shown = tuple(layer for layer in state.shown if layer < layers and desk.geometry["heads"][layer])
    look = state.look if state.look in there else None
    window = state.window if state.window is None or state.window[1] < layers else None
    words = len(desk.question.passage.words)
    changes: dict[str, Any] = {"ablated": kept, "shown": shown, "look": look, "window": window}
    changes["reader"] = None if state.reader is None or state.reader >= words else state.reader
    strange = [name for name, value in changes.items() if value != getattr(state, name)]
    if strange:
        session.change(**changes)
        note = t("inside.no_such_heads", layers=layers, heads=len(there))
        session.visit().notes.extend((name, note) for name in strange)
        for _ in strange:
            st.warning(note, icon=":material/link_off:")


def head_name(head: Head) -> str:
    """5.3, as the command line and the link say."""
    return f"{head[0]}.{head[1]}"


# ---- the map


def head_map(desk: Desk) -> ProbeResult | None:
    """The map: an estimate at once, the exact numbers as they come; None while they are not complete.

    What is drawn is a picture until it is complete, because a press starts the page anew.
    """
    above = st.container()
    exact = desk.known("heads", study_options.heads(desk.state))
    if exact is not None:
        _pressable(desk, exact)
        return exact
    with above, st.spinner(t("heads.estimating"), show_time=True):
        estimate = desk.quick("heads", study_options.heads(desk.state, estimate=True))
    slot = st.empty()

    def draw(so_far: Mapping[Any, float | None]) -> None:
        mixed = _with_exact(estimate, so_far)
        chart = charts.heads_map(mixed, desk.state.lang, chosen=desk.state.ablated)
        with slot.container():
            st.vega_lite_chart(charts.specification(chart, ink=ink()))
            st.caption(t("heads.estimated"))

    draw({})
    count = len(all_heads(desk.geometry))
    with above:
        found = desk.measured("heads", study_options.heads(desk.state), count, "heads", draw)
    if found is not None:
        slot.empty()
        _pressable(desk, found)
    return found


def _with_exact(estimate: ProbeResult, so_far: Mapping[Any, float | None]) -> ProbeResult:
    """The estimated rows, those that were measured meanwhile in their exact number."""
    found = {(c.layer, c.head): value for c, value in so_far.items() if isinstance(c, Ablation)}
    rows = []
    for row in estimate.data["rows"]:
        value = found.get((row["layer"], row["head"]))
        rows.append(row if value is None else {**row, "effect_log_prob": value, "estimate": False})
    return ProbeResult(estimate.study, {**estimate.data, "rows": rows})


def _pressable(desk: Desk, exact: ProbeResult) -> None:
    visit = session.visit()
    run = desk.shop.identity("heads", desk.choice, desk.question, study_options.heads(desk.state))
    key = f"{MAP}_{visit.head_revision}_{abs(hash(run))}"
    base = visit.head_bases.setdefault(key, desk.state.ablated)
    lang = desk.state.lang
    drawn = picture(
        [exact],
        lambda: charts.heads_map(exact, lang, chosen=base, select=True),
        *("heads", lang, base),
        ink=ink(),
    )
    said = headline(exact.data, lang)
    with wide("heads_wide", desk.geometry["layers"], FINGER):
        st.vega_lite_chart(
            drawn,
            key=key,
            on_select=lambda: _take_presses(key, desk.geometry),
            selection_mode=[charts.SELECTION],
            alt=bare("heads.map_alt", headline=said),
        )


def _take_presses(key: str, geometry: Mapping[str, Any]) -> None:
    chosen = pressed_heads(st.session_state.get(key) or {}, set(all_heads(geometry)))
    fresh = [head for head in chosen if head not in session.current().ablated]
    session.change(ablated=chosen, **({"look": fresh[-1]} if fresh else {}))


def pressed_heads(sent: Mapping[str, Any], there: Collection[Head]) -> tuple[Head, ...]:
    """The cells that are pressed, whatever a client posted."""
    selection = sent.get("selection")
    points = selection.get(charts.SELECTION) if isinstance(selection, Mapping) else None
    found: set[Head] = set()
    for point in points if isinstance(points, (list, tuple)) else ():
        layer, head = (point.get("layer"), point.get("head")) if isinstance(point, Mapping) else (None, None)
        if type(layer) is int and type(head) is int and (layer, head) in there:
            found.add((layer, head))
    return tuple(sorted(found))


# ---- what is taken away


def _ablate(heads: Sequence[Head]) -> None:
    """From anywhere but the map, which is drawn anew then."""
    session.redraw_heads()
    session.change(ablated=tuple(sorted(set(heads))), **({"look": heads[-1]} if heads else {}))


def ablated_list(desk: Desk, exact: ProbeResult | None) -> None:
    """The heads that are taken away: each can be put back; any can be added by keyboard."""
    state, key = desk.state, "w_ablated"
    st.session_state[key] = [head_name(head) for head in state.ablated]
    names = {head_name(head): head for head in all_heads(desk.geometry)}
    effects = {} if exact is None else {(r["layer"], r["head"]): nats(r) for r in exact.data["rows"]}

    def label(name: str) -> str:
        effect = effects.get(names[name])
        return name if effect is None else f"{name} ({effect})"

    def changed() -> None:
        _ablate([names[name] for name in st.session_state[key] if name in names])

    st.multiselect(
        t("heads.ablated"),
        list(names),
        format_func=label,
        key=key,
        on_change=changed,
        placeholder=t("heads.choose"),
        help=t("heads.ablated_help"),
    )


def ablated_buttons(desk: Desk, exact: ProbeResult | None) -> None:
    """All back, or the strongest away."""
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            t("heads.put_back"),
            on_click=_ablate,
            args=([],),
            disabled=not desk.state.ablated,
            key="heads_back",
        )
        if exact is not None:
            first = strongest(exact)
            for count in (1, STRONGEST):
                st.button(
                    t("heads.strongest", count=count),
                    on_click=_ablate,
                    args=(first[:count],),
                    key=f"heads_strongest_{count}",
                )


def strongest(exact: ProbeResult) -> list[Head]:
    """The heads whose removal lowers the target most, the first few."""
    none = float("-inf")
    rows = sorted(
        exact.data["rows"], key=lambda r: none if r["effect_log_prob"] is None else r["effect_log_prob"]
    )
    return [(row["layer"], row["head"]) for row in rows[:STRONGEST]]


def target_choice(desk: Desk, record: ProbeResult | None, width: int = 300) -> None:
    """On which answer effects are measured."""
    options = targets(desk.question)
    if desk.state.target not in options:
        options.append(desk.state.target)
    names = {option: target_name(option, desk.question, record) for option in options}
    st.selectbox(
        t("numbers.target"),
        options,
        format_func=names.__getitem__,
        label_visibility="collapsed",
        width=width,
        **bound("target"),
    )
