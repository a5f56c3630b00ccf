"""What is known of a model that is loaded: sizes, self-check, capabilities; the built-in one's card."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.session import current
from dashboard.state import State
from dashboard.widgets.facts import reason_text
from dashboard.widgets.markup import Markdown, plain
from dashboard.widgets.model_picker import light, short_name
from dashboard.wording import t
from probes.locale import say
from probes.models.base import AnswerModel
from probes.models.local import LocalModel
from probes.models.memory import bytes_free, readable
from probes.models.placement import Size
from probes.models.source import BUILTIN
from probes.numbers import figure

CARD_SPLIT = "# 内置模型"
WHOLE = """<style>
.st-key-findings :is(th, td):not(:first-child) {
    &, & * { white-space: nowrap; }
}
</style>"""
"""Names, figures and their units stay on one line; on a narrow screen a table moves under the finger."""


def loaded_model(state: State, model: AnswerModel | None) -> None:
    """The model in use: a sentence and its figures."""
    name = short_name(state.model)
    if model is None:
        st.subheader(t("models.not_loaded", name=name), anchor=False)
        return
    about = model.describe()
    if not isinstance(model, LocalModel):
        st.subheader(t("models.elsewhere", name=name), anchor=False)
        st.markdown(t("models.elsewhere_can"))
        return
    icon, colour, word = light(about)
    st.subheader(f":{colour}[{icon}] {t('models.headline', name=name, light=word)}", anchor=False)
    _figures(about, model.loaded.size)


def examined(model: AnswerModel | None) -> None:
    """What its self-check found, and what can be done with it."""
    if not isinstance(model, LocalModel):
        return
    about = model.describe()
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(f"#### {t('models.check')}")
        st.caption(t("models.check_about"))
        _findings(about["anatomy"]["findings"])
    with right:
        st.markdown(f"#### {t('models.can')}")
        st.markdown(_capabilities(about["anatomy"]["capabilities"]))


def _figures(about: dict[str, Any], size: Size) -> None:
    layers = about["anatomy"]["layers"]
    heads = max((layer["heads"] or 0 for layer in layers), default=0)
    window = t("models.tokens", count=about["window"]) if about["window"] else t("models.no_window")
    figures = {
        "architecture": about["architecture"],
        "parameters": f"{about['parameters']:,}",
        "shape": f"{len(layers)} × {heads}",
        "window": window,
        "precision": f"{about['dtype']} · {about['device']}",
        "memory": f"{readable(size.bytes_needed)} / {readable(bytes_free(about['device']))}",
    }
    with st.grid(6, min_column_width=150):
        for name, value in figures.items():
            with st.container(gap=None):
                st.caption(t(f"models.fact_{name}"))
                st.markdown(f"**{plain(str(value))}**")


def _findings(findings: list[dict[str, Any]]) -> None:
    rows = [
        {
            t("models.col_check"): _tried(finding["name"]),
            t("models.col_result"): _verdict(finding["ok"]),
            t("models.col_value"): figure(finding["value"]),
        }
        for finding in findings
    ]
    with st.container(key="findings"):
        st.table(rows)


def _tried(name: str) -> str:
    return say(f"checks.{name}", current().lang)


def _verdict(ok: bool) -> str:
    return (
        f":green[:material/check:] {t('models.passed')}"
        if ok
        else f":red[:material/close:] {t('models.failed')}"
    )


def _capabilities(capabilities: dict[str, Any]) -> Markdown:
    lines = []
    for name, capability in capabilities.items():
        said = t(f"models.can_{name}")
        if capability["ok"]:
            lines.append(f":green[:material/check:] {said}")
        else:
            lines.append(f":red[:material/close:] {said}: {plain(reason_text(capability['reason']))}")
    return Markdown("  \n".join(lines))


def builtin_card() -> None:
    """The model card that is kept beside the weights, in the visitor's language."""
    english, _, chinese = (BUILTIN / "MODEL_CARD.md").read_text(encoding="utf-8").partition(CARD_SPLIT)
    body = english.partition("\n")[2] if current().lang == "en" else chinese
    st.markdown(body.replace("\n## ", "\n##### "))
