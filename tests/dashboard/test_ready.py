"""The first page before there is a model: what comes with Crux is what the model says today."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard import service as services
from dashboard.limits import Limits
from dashboard.ready import STUDIES, first_options, ready
from dashboard.service import Service
from dashboard.shelf import STAYS, Choice
from dashboard.state import State, to_link
from dashboard.widgets import desk
from probes import load_model, run
from probes.asking.question import preset, presets
from probes.errors import LimitError
from probes.locale import LANGUAGES
from probes.running.headline import headline
from tests.dashboard.test_page import opened, title


def _same(now: Any, kept: Any, where: str) -> None:
    """Whether `kept` says of each thing that it has what is said `now`."""
    if isinstance(kept, dict):
        for name in kept.keys() - {"provenance", "noise_floor"}:
            _same(now[name], kept[name], f"{where}.{name}")
    elif isinstance(kept, list):
        assert len(now) == len(kept), where
        for number, (one, other) in enumerate(zip(now, kept, strict=True)):
            _same(one, other, f"{where}[{number}]")
    elif isinstance(kept, float):
        assert now == pytest.approx(kept, rel=1e-4, abs=1e-4), where
    else:
        assert now == kept, where


@pytest.mark.parametrize("name", ["coffee-zh", "coffee-en", "crux-zh", "gym-en"])
def test_it_is_what_the_model_says_today(name: str) -> None:
    question, model = preset(name).question(), load_model("builtin")
    found = ready(STAYS, question, State(lang="en"))
    assert found is not None
    for study in STUDIES:
        now = run(study, model, question, first_options(study)).data
        kept = found[study].data
        fingerprints = [one["provenance"]["model"]["fingerprint"] for one in (now, kept)]
        assert fingerprints[0] == fingerprints[1], "python -m scripts.ready"
        _same(now, kept, study)
        assert [headline(now, lang) for lang in LANGUAGES] == [headline(kept, lang) for lang in LANGUAGES]


def test_there_is_one_for_every_preset_as_it_comes_and_for_nothing_else() -> None:
    for name in presets():
        assert ready(STAYS, preset(name).question(), State(preset=name)) is not None
    question = preset("coffee-en").question()
    for changed in ({"mode": "hide"}, {"unit": "sentence"}, {"out": frozenset({3})}, {"target": "right"}):
        assert ready(STAYS, question, State(**changed)) is None
    assert ready(Choice("SmolLM2"), question, State()) is None


class Away(Service):
    """Its model is still being loaded."""

    def loaded(self, choice: Choice) -> None:
        return None


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_preset_is_drawn_before_its_model_is_there(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_shared", [Away(None, Limits())])
    monkeypatch.setattr(desk, "load", lambda shop, choice, place: place.caption("is being loaded"))
    at = opened(lang=lang, passage=f"coffee-{lang}")
    found = ready(STAYS, preset(f"coffee-{lang}").question(), State())
    assert found is not None
    assert title(at) == headline(found["words"].data, lang)
    assert len(at.get("vega_lite_chart")) == 2
    assert any(one.value == "is being loaded" for one in at.caption)
    own = opened(**to_link(State(lang=lang, text="I walked into the bakery and bought a roll.")))
    assert not own.get("vega_lite_chart")
    assert not own.subheader


def test_the_first_visitor_finds_what_the_page_asks_first() -> None:
    shop = Service(None, Limits())
    shop.warm()
    for name in ("coffee-zh", "coffee-en"):
        for study in STUDIES:
            assert shop.known(study, STAYS, preset(name).question(), first_options(study)) is not None


def test_a_model_that_cannot_be_loaded_stops_no_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise LimitError("over_many", source="1", most=1)

    shop = Service(None, Limits())
    monkeypatch.setattr(shop, "run", refused)
    shop.warm()
