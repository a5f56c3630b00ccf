"""Every text exists in both languages, asks for the same values, and is used."""

from __future__ import annotations

import ast
import string
from pathlib import Path

import pytest

from dashboard.asking import RANDOM_SETS
from dashboard.wording import TEXTS
from probes.locale import TEXTS as PROBES

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "dashboard").rglob("*.py"))
CHOSEN = (
    "bar.mode_",
    "bar.unit_",
    "asked.template_",
    "details.fact_",
    "details.read",
    "details.measured",
    "details.take",
    "details.record_",
    "hosting.",
    "models.can_",
    "models.confirm_",
    "models.yes_",
    "models.fact_",
    "models.coming_",
    "models.d",
)
CHOSEN += (
    "passage.hint_",
    "passage.unit_",
    "inside.how_",
    "inside.at_",
    "closeup.",
    "layers.",
    "heads.tab_",
    "over.in_each_",
)
CHOSEN += (
    "lecture.story_",
    "lecture.outcome_",
    "lecture.press_",
    "lecture.spared_",
    "lecture.good_",
    "inside.",
    "order.tab_",
    "order.read_",
    "smallest.note_",
    "pairs.arc_",
    "pairs.sum_",
    "pairs.col_",
    "streamlit.",
    "numbers.measure_",
    "passage.points",
    "passage.nats",
    "tour.at_",
    "class.trouble_",
)
"""Beginnings of keys that are put together from a name."""
KEYS = list(TEXTS.keys())
SHARED = [key for key in list(PROBES.keys()) if key.startswith(("charts.", "errors.page"))]


def placeholders(text: str) -> set[str]:
    """Those that are shown; a number that only chooses between `|word|words` is no text."""
    found = [(name, spec or "") for _, name, spec, _ in string.Formatter().parse(text) if name]
    shown = {name for name, spec in found if not spec.startswith("|")}
    return shown.union(*(placeholders(spec) for _, spec in found))


def calls() -> list[tuple[str, set[str]]]:
    """Every `t("key", name=...)`, and `bare`, that is written out in the page's code."""
    found = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("t", "bare")
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    found.append((first.value, {k.arg for k in node.keywords if k.arg}))
    return found


def test_the_search_finds_calls() -> None:
    assert len(calls()) > 80
    assert RANDOM_SETS > 0


@pytest.mark.parametrize("key", KEYS)
def test_both_languages_ask_for_the_same_values(key: str) -> None:
    en, zh = TEXTS.raw(key, "en"), TEXTS.raw(key, "zh")
    assert en.strip()
    assert zh.strip()
    assert placeholders(en) == placeholders(zh)


@pytest.mark.parametrize(
    "key",
    [key for key in KEYS if not key.endswith(("fact_crux", "bar.preset", "picture_about", "so_far"))],
)
def test_chinese_is_chinese(key: str) -> None:
    zh = TEXTS.raw(key, "zh")
    assert any("\u4e00" <= c <= "\u9fff" for c in zh) or zh in ("nat", "、")


@pytest.mark.parametrize(("key", "given"), calls(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_call_has_its_text_and_its_values(key: str, given: set[str]) -> None:
    wanted = {name for _, name, _, _ in string.Formatter().parse(TEXTS.raw(key, "en")) if name}
    assert wanted <= given or not given  # `**values` is not looked into


def test_no_text_is_left_over() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    code = code.replace("'", '"')
    unused = [key for key in KEYS if f'"{key}"' not in code and not key.startswith(CHOSEN)]
    assert unused == []


@pytest.mark.parametrize("key", SHARED)
def test_charts_and_limits_speak_both(key: str) -> None:
    assert placeholders(PROBES.raw(key, "en")) == placeholders(PROBES.raw(key, "zh"))
