"""Pairs of words: arcs on the passage, a map, and the four runs of the pair that is chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.widgets.desk import Desk
from dashboard.widgets.markup import plain
from dashboard.widgets.passage_marks import Arc, passage_marks
from dashboard.widgets.study_board import own_page
from dashboard.wording import bare, t
from probes import charts
from probes.numbers import percent, signed_if_known
from probes.record.results import ProbeResult
from probes.studies import STUDIES

MOST_ARCS = 12
CHOSEN = "w_pair"


def board(here: Desk) -> None:
    """What acts on what; one pair's four runs; the map and the table; options."""
    own_page(here, STUDIES["pairs"], t("pairs.waits"), t("pairs.read_text"), _acting)


def _acting(here: Desk, found: ProbeResult) -> None:
    """Arcs on the passage, and the four runs of one pair."""
    acting = [row for row in found.rows if row["kind"] != "apart"]
    _arcs(here, found.data, acting, _picked(len(acting)))
    if acting:
        _four_runs(found.data, acting)


def _arcs(here: Desk, data: Mapping[str, Any], acting: Sequence[Mapping[str, Any]], picked: int) -> None:
    """The passage with an arc for each of the strongest pairs; a press on one chooses it."""
    strong = acting[:MOST_ARCS]
    reach = max([charts.SMALLEST_SCALE, *(abs(row["interaction"]) for row in strong)])
    drawn = []
    for row in strong:
        one, other = sorted((row["from"]["index"], row["to"]["index"]))
        instead = row["kind"] == "instead"
        drawn.append(Arc(other, one, abs(row["interaction"]) / reach, instead, _sentence(row, data)))
    passage_marks(
        here.question.passage.text,
        [(unit["start"], unit["end"]) for unit in data["units"]],
        key="pair_arcs",
        label=bare("pairs.passage"),
        hint=bare("pairs.hint" if drawn else "pairs.hint_none", count=len(drawn)),
        lang=here.question.passage.language,
        notes=[_note(unit["index"], drawn, data) for unit in data["units"]],
        arcs=drawn,
        choose=_choose,
        chosen=picked if picked < len(drawn) else None,
        arcs_label=bare("pairs.arcs"),
    )


def _choose(arc: int) -> None:
    """Arcs are the first of the pairs that can be chosen from the list."""
    st.session_state[CHOSEN] = arc


def _picked(count: int) -> int:
    """Which of the pairs is chosen: the strongest, where the choice was one of another record."""
    picked = st.session_state.get(CHOSEN)
    if type(picked) is not int or picked >= count:
        st.session_state.pop(CHOSEN, None)
        return 0
    return picked


def _note(index: int, drawn: Sequence[Arc], data: Mapping[str, Any]) -> str:
    own = [arc.label for arc in drawn if index in (arc.reader, arc.read)]
    return " ".join(own) or bare("pairs.no_arc", word=_name(index, data))


def _name(index: int, data: Mapping[str, Any]) -> str:
    unit = data["units"][index]
    return charts.named(unit["text"], unit["occurrence"], unit["occurrences"])


def _sentence(row: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    one, other = (_name(row[end]["index"], data) for end in ("to", "from"))
    nats = signed_if_known(row["interaction"])
    return bare(f"pairs.arc_{row['kind']}", one=one, other=other, nats=nats)


# ---- one pair


def _four_runs(data: Mapping[str, Any], acting: Sequence[Mapping[str, Any]]) -> None:
    """The passage as it stands, without one, without the other, without both: what is answered to each."""
    names = [_sentence(row, data) for row in acting]
    picked = st.selectbox(t("pairs.which"), range(len(acting)), format_func=names.__getitem__, key=CHOSEN)
    row = acting[picked or 0]
    one, other = (data["units"][row[end]["index"]] for end in ("to", "from"))
    label = data["target"]["label"]
    clean = next(a["probability"] for a in data["clean"]["answers"] if a["answer"] == label)
    both = next(a["probability"] for a in row["answers"] if a["answer"] == label)
    answers = {a["answer"]: a["name"] for a in data["clean"]["answers"]}
    runs = [
        (bare("pairs.as_it_is"), clean, 0.0, data["clean"]["top"]),
        *(_alone(unit, clean, data) for unit in (one, other)),
        (bare("pairs.without_both"), both, row["effect_log_prob"], row["top"]),
    ]
    columns = [bare(f"pairs.col_{name}") for name in ("run", "probability", "nats", "says")]
    cells = [(name, percent(share), signed_if_known(nats), answers[top]) for name, share, nats, top in runs]
    st.table([dict(zip(columns, map(plain, row_), strict=True)) for row_ in cells])
    nats, odds = (signed_if_known(row[name]) for name in ("interaction", "interaction_odds"))
    st.caption(t(f"pairs.sum_{row['kind']}", nats=nats, odds=odds))


def _alone(
    unit: Mapping[str, Any], clean: float, data: Mapping[str, Any]
) -> tuple[str, float, float | None, str]:
    """The run without one word: its name, the answer's probability, the change, what is answered."""
    alone = unit["alone"]
    share = max(0.0, clean + alone["effect_probability"])
    what = bare("pairs.without", what=_name(unit["index"], data))
    return what, share, alone["effect_log_prob"], str(alone["top"])
