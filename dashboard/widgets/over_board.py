"""The same study over many passages: on one, no single part of the model may decide."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from dashboard import session
from dashboard.session import bound
from dashboard.state import SETS
from dashboard.widgets.before_drawing import problem
from dashboard.widgets.desk import Desk
from dashboard.widgets.markup import Markdown, plain
from dashboard.widgets.take_along import Taken
from dashboard.wording import bare, t
from probes import charts
from probes.errors import CruxError
from probes.intervals import CARRIERS, FEWEST
from probes.running.headline import headline
from probes.studies import STUDIES
from probes.studies.over_picture import over_rows


def over_view(here: Desk, study: str, options: Mapping[str, Any]) -> Taken | None:
    """Means with intervals over generated passages, once they are asked for."""
    most, smallest = here.shop.limits.runs, {**options, "over": SETS[0]}
    runs = here.shop.runs(study, here.choice, here.question, smallest) / SETS[0]
    sizes = [size for size in SETS if most is None or size * runs <= most]
    if not sizes:
        st.info(t("over.too_large", runs=round(SETS[0] * runs), most=most), icon=":material/block:")
        return None
    if here.state.over not in sizes:
        session.change(over=sizes[-1])
    st.selectbox(t("over.size"), sizes, width=180, help=t("over.size_help"), **bound("over"))
    chosen = {**options, "over": here.state.over}
    try:
        found = here.measured(study, chosen, round(runs * here.state.over), f"over_{study}", ask=True)
    except CruxError as fault:
        problem(fault)
        return None
    if found is None:
        return None
    said = headline(found.data, here.state.lang)
    st.markdown(f"**{plain(said)}**")
    over, picture = STUDIES[study].over, STUDIES[study].pictured(found, here.state.lang)
    assert over is not None
    st.vega_lite_chart(
        charts.specification(picture), key=f"over_{study}", alt=bare("over.alt", headline=said)
    )
    _, rest = over_rows(over, found)
    st.caption(_how_to_read(strongest=bool(found.data.get("strongest")), rest=rest))
    return Taken(study, found, chosen, partial(STUDIES[study].pictured, found))


def _how_to_read(*, strongest: bool, rest: int) -> Markdown:
    told = [t("over.read", fewest=FEWEST, carriers=CARRIERS)]
    told += [t("over.order")] if strongest else []
    told += [t("over.rest", count=rest)] if rest else []
    return Markdown(" ".join(told))
