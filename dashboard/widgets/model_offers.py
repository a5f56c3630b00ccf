"""The models that can be loaded, a card each: sizes, memory, languages, licence; one press."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import session
from dashboard.reaching import look_around
from dashboard.service import Service, service
from dashboard.session import bound, current
from dashboard.shelf import Choice
from dashboard.state import DEVICES, DTYPES
from dashboard.widgets.markup import Markdown, plain
from dashboard.widgets.model_load import go_on, is_stopped
from dashboard.widgets.model_picker import names_offered, short_name
from dashboard.wording import bare, t, told
from probes.errors import CruxError
from probes.models.catalog import CatalogEntry
from probes.models.hubs import Hub, forget_reach, hub_named, hubs
from probes.models.kinds import kind_of
from probes.models.memory import readable
from probes.models.offers import Offer, chinese_first

Reached = Sequence[tuple[Hub, bool | None]]


def next_choice(spec: str, revision: str = "", hub: str = "") -> Choice:
    """A model as it would be loaded from this page."""
    visit = session.visit()
    # a link may name one that there is not here
    known = set() if service().limits.hosted else {one.name for one in hubs()}
    chosen = hub or (current().hub if current().hub in known else "")
    return Choice(spec, revision, visit.device, visit.dtype, chosen)


def come(choice: Choice) -> None:
    """Let it come: the one in use stays until it is loaded."""
    session.visit().coming = choice
    go_on(choice)


def ways(hosted: bool) -> Reached:
    """Where models are downloaded from, and how the next one is to run; which hubs can be reached."""
    if hosted:
        st.caption(t("models.hosted"))
        return ()
    reached = look_around()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _hub(reached)
        visit = session.visit()
        for name, options in (("dtype", DTYPES), ("device", DEVICES)):
            st.session_state[f"w_next_{name}"] = getattr(visit, name)
            st.selectbox(
                t(f"models.{name}"),
                options,
                key=f"w_next_{name}",
                on_change=_take_over,
                args=(name,),
                width=150,
            )
    if reached and all(found is False for _, found in reached):
        hosts = ", ".join(hub.host for hub, _ in reached)
        st.warning(t("models.no_hub", hosts=hosts), icon=":material/cloud_off:")
        st.button(t("models.try_again"), on_click=forget_reach, icon=":material/refresh:")
    return reached


def _hub(reached: Reached) -> None:
    marks = {True: bare("models.hub_yes"), False: bare("models.hub_no"), None: bare("models.hub_asked")}
    labels = {hub.name: f"{_title(hub)} · {marks[found]}" for hub, found in reached}
    options = bound("hub")
    if current().hub not in labels:
        st.session_state[options["key"]] = next(iter(labels))
    st.selectbox(
        t("models.hub"),
        list(labels),
        format_func=labels.__getitem__,
        help=t("models.hub_help"),
        width=330,
        **options,
    )


def _title(hub: Hub) -> str:
    return bare("models.modelscope") if hub.protocol == "modelscope" else hub.host


def _take_over(name: str) -> None:
    setattr(session.visit(), name, st.session_state[f"w_next_{name}"])


def offers(shop: Service, reached: Reached) -> None:
    """A press for a Chinese-capable model, then a card for each."""
    found: list[tuple[str, Offer | CruxError]] = []
    for name in names_offered(current()):
        if kind_of(name):  # it answers from elsewhere: nothing of it is loaded
            continue
        try:
            found.append((name, shop.files.offer(next_choice(name))))
        except CruxError as fault:
            found.append((name, fault))
    known = [one for _, one in found if isinstance(one, Offer)]
    if not shop.limits.hosted:
        _press_chinese(shop, known, reached)
    if current().lang != "zh":  # the list has Chinese-capable ones first
        found.sort(key=lambda pair: _bytes(pair[1]))
    with st.grid(min_column_width=300, key="offers"):
        for name, one in found:
            with st.container(border=True, height="stretch", key=f"offer_{_css(name)}"):
                if isinstance(one, Offer):
                    _card(shop, name, one, reached)
                else:
                    st.markdown(f"**{plain(short_name(name))}**")
                    st.caption(told(one))


def _bytes(one: Offer | CruxError) -> int:
    return one.entry.bytes if isinstance(one, Offer) and one.entry else 0


def _css(name: str) -> str:
    return "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in name)[:60]


# ---- one press


def _press_chinese(shop: Service, known: Sequence[Offer], reached: Reached) -> None:
    """One button: rather what is here, from the hub that was chosen, or one that can be reached."""
    in_use = next((one for one in known if one.name == current().model), None)
    if in_use and in_use.entry and in_use.chinese and shop.loaded(next_choice(in_use.name)):
        return
    one, hub = chinese_first(known), _first_reached(reached)
    if one is None or one.entry is None or not (one.here or hub):
        return
    values = {"model": one.name, "size": readable(one.entry.bytes)}
    if one.here or hub is None:
        label = t("models.chinese_here", **values)
    else:
        label = t("models.chinese_from", **values | {"host": _title(hub)})
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            label,
            type="primary" if current().lang == "zh" else "secondary",
            icon=":material/translate:",
            key="load_chinese",
            on_click=come,
            args=(next_choice(one.name, hub=hub.name if hub and not one.here else ""),),
        )
        st.caption(t("models.chinese_about"))


def _first_reached(reached: Reached) -> Hub | None:
    chosen = [hub for hub, found in reached if found and hub.name == current().hub]
    return next((hub for hub in (*chosen, *(hub for hub, found in reached if found))), None)


# ---- a card


def _card(shop: Service, name: str, one: Offer, reached: Reached) -> None:
    choice, state = next_choice(name), current()
    in_use = name == state.model and shop.loaded(choice) is not None
    coming = shop.files.under_way(choice) and not is_stopped(choice)
    st.markdown(f"**{plain(short_name(name))}** {_marks(one, in_use, coming)}")
    if entry := one.entry:
        licence = t("models.gated", licence=entry.licence) if entry.gated else plain(entry.licence)
        st.caption(f"{plain(entry.repo)}  \n{plain(entry.spoken(4))} · {licence}")
        st.markdown(_note(entry))
        figures = {
            "parameters": f"{entry.parameters / 1e6:,.0f} M",
            "size": readable(entry.bytes),
            "window": f"{entry.window:,}",
        }
        st.caption(t("models.download_line", **figures))
    elif name == "builtin":
        st.markdown(t("models.builtin_about"))
    st.markdown(_memory(one))
    reason = "" if in_use else _in_the_way(one, reached)
    if reason:
        st.caption(reason)
    st.space("stretch")
    st.button(
        t("models.in_use") if in_use else t("models.load"),
        key=f"load_{_css(name)}",
        disabled=in_use or bool(reason) or not one.fits,
        on_click=come,
        args=(choice,),
        icon=":material/check:" if in_use else ":material/play_arrow:",
    )


def _note(entry: CatalogEntry) -> Markdown:
    """The catalogue's own words, which name commands in backticks."""
    return Markdown(entry.note[current().lang])


def _marks(one: Offer, in_use: bool, coming: bool) -> Markdown:
    marks = []
    if in_use:
        marks.append(f":green-badge[:material/check_circle: {t('models.in_use')}]")
    if one.here:
        marks.append(f":blue-badge[:material/hard_drive: {t('models.here')}]")
    if coming:
        marks.append(f":violet-badge[:material/downloading: {t('models.coming')}]")
    if one.chinese:
        marks.append(f":gray-badge[{t('models.speaks_chinese')}]")
    return Markdown(" ".join(marks))


def _memory(one: Offer) -> Markdown:
    """What it needs against what is free, and what would do where it does not fit."""
    if one.size is None:
        return t("models.memory_unknown")
    values = {
        "needed": readable(one.size.bytes_needed),
        "free": readable(one.size.bytes_free),
        "dtype": one.dtype,
    }
    if one.size.fits:
        return t("models.memory_fits", **values)
    if one.halved is not None:
        return t("models.memory_halved", **values | {"less": readable(one.halved)})
    return t("models.memory_short", **values)


def _in_the_way(one: Offer, reached: Reached) -> Markdown:
    """Why it cannot be had at the moment; nothing where it can."""
    if one.here or not reached or (one.entry and one.entry.wheel):
        return Markdown("")
    hub = hub_named(next_choice(one.name).hub)
    if dict(reached).get(hub) is False:
        alone = not any(found for _, found in reached)  # it is said above
        return t("models.not_here") if alone else t("models.out_of_reach", host=hub.host)
    if one.entry and one.entry.gated and hub.protocol == "huggingface" and not hub.token:
        return t("models.account", host=hub.host)
    return Markdown("")
