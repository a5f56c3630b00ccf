"""A model that only answers runs every study that only needs answers, and is refused by the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from probes import run
from probes.answers import AnswerSet
from probes.errors import CapabilityError
from probes.headline import headline
from probes.passage import Passage
from probes.question import Question
from probes.store import Store
from probes.studies import STUDIES
from tests.fake_models import Counting

QUESTION = Question(
    Passage("I walked into the shop. Then I walked home."),
    "How often?",
    AnswerSet.parse("0=never;1=once;2=twice"),
    right="1",
)
OPTIONS = {"ask": {"drop": "walked#2"}, "words": {"control": 3}}


@pytest.mark.parametrize("study", [name for name, study in STUDIES.items() if not study.needs])
def test_what_needs_answers_alone_runs(study: str, tmp_path: Path) -> None:
    model, store = Counting(), Store(tmp_path / "trials.sqlite")
    result = run(study, model, QUESTION, OPTIONS[study], store=store)
    assert result.data["clean"]["top"] == "2"
    assert result.data["noise_floor"] is None
    for lang in ("en", "zh"):
        assert headline(result.data, lang)
        STUDIES[study].tabled(result.data, lang)
        assert STUDIES[study].picture(result, lang).to_dict()
    assert json.loads(result.to_json())
    assert result.to_csv()
    asked = model.asked
    again = run(study, model, QUESTION, OPTIONS[study], store=store)
    assert model.asked == asked, "what is known is not asked again"
    assert again.rows == result.rows


def test_its_effects_are_what_it_does() -> None:
    rows = {(r["text"], r["occurrence"]): r for r in run("words", Counting(), QUESTION, {}).rows}
    for place in (("walked", 1), ("walked", 2)):
        assert rows[place]["top"] == "1"
        assert rows[place]["flips"]
    assert rows["shop", 1]["no_change"]


@pytest.mark.parametrize("study", [name for name, study in STUDIES.items() if study.needs])
def test_what_needs_more_is_refused(study: str) -> None:
    model = Counting()
    with pytest.raises(CapabilityError) as refused:
        run(study, model, QUESTION, {})
    assert refused.value.key == "inside_closed"
    assert model.asked == 0


def test_what_it_cannot_do_is_refused_in_words() -> None:
    with pytest.raises(CapabilityError):
        run("words", Counting(), QUESTION, {"mode": "hide"})
    with pytest.raises(CapabilityError):
        run("ask", Counting(), QUESTION, {"ablate_heads": "0.0"})
