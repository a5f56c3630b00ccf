"""A study's options: what they take, what they refuse, and that every one has its words."""

from __future__ import annotations

from typing import Any

import pytest

from probes.errors import InputError
from probes.locale import LANGUAGES
from probes.studies import STUDIES, study_named


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_option_is_explained(lang: str) -> None:
    for study in STUDIES.values():
        for option in study.options:
            assert study.option_help(option.name, lang)


def test_defaults_are_valid_values() -> None:
    for study in STUDIES.values():
        settings = study.settings({})
        assert study.settings(settings) == settings


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"mode": "burn"}, "option_value"),
        ({"points": -1}, "option_value"),
        ({"points": "many"}, "option_value"),
        ({"control": 10**6}, "option_value"),
        ({"groups": "yes"}, "option_value"),
        ({"target": 3}, "option_value"),
        ({"seed": None}, "option_value"),
        ({"nats": float("nan")}, "option_value"),
        ({"colour": "red"}, "option_unknown"),
    ],
)
def test_wrong_options_are_refused(given: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError) as fault:
        study_named("words").settings(given)
    assert fault.value.key == key


def test_an_unknown_study_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InputError, match="ask, words"):
        study_named("dreams")
