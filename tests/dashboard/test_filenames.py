"""Names of files to take along: they say what is in them, and nobody's words get into them unchecked."""

from __future__ import annotations

import re

import pytest

from dashboard.filenames import file_name
from dashboard.state import State


def test_a_name_says_study_passage_and_model() -> None:
    state = State(preset="coffee-zh", model="HuggingFaceTB/SmolLM2-135M-Instruct", lang="zh")
    assert file_name("words", State(), "csv") == "crux-words-coffee-en-builtin.csv"
    assert file_name("heads-over", state, "png") == "crux-heads-over-coffee-zh-SmolLM2-135M-Instruct.png"
    assert file_name("ask", State(text="My secret."), "json") == "crux-ask-own-builtin.json"


@pytest.mark.parametrize(
    "model",
    [
        "../../etc/passwd",
        "a\\b\\..",
        "x" * 500,
        "",
        "....",
        "m.exe\n\r\0",
        "模型",
        "a/b\u202etxt.exe",
        "*?<>|:\"'",
        "~",
    ],
)
def test_whatever_a_model_is_called_the_name_is_plain(model: str) -> None:
    name = file_name("words", State(model=model), "csv")
    assert re.fullmatch(r"crux-words-coffee-en-[A-Za-z0-9][A-Za-z0-9._-]{0,39}\.csv", name)
    assert ".." not in name
