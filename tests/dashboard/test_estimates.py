"""An estimate follows the work of its own study, not whatever ran last."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.estimates import Effort, Speeds
from dashboard.limits import Limits
from dashboard.service import Service
from dashboard.shelf import Choice
from probes.asking.question import preset

SMALL, LARGE = 2_000_000, 135_000_000


def work(study: str, runs: int, *, model: str = "m", tokens: int = 100, **options: Any) -> Effort:
    size = LARGE if model == "large" else SMALL
    return Effort.of(study, model, options, operations=2.0 * size * tokens, runs=runs)


def test_before_anything_ran_it_follows_size_prompt_and_runs() -> None:
    new = Speeds()
    one = new.seconds(work("heads", 24))
    assert 0.01 < one < 1
    assert new.seconds(work("heads", 48)) == pytest.approx(2 * one)
    assert new.seconds(work("heads", 24, tokens=300)) == pytest.approx(3 * one)
    assert new.seconds(work("heads", 24, model="large")) == pytest.approx(one * LARGE / SMALL)


def test_the_same_work_is_estimated_at_what_it_took() -> None:
    seen = Speeds()
    seen.learn(work("heads", 270, model="large"), 135.0)
    assert seen.seconds(work("heads", 270, model="large")) == pytest.approx(135)
    assert seen.seconds(work("heads", 540, model="large", tokens=200)) == pytest.approx(4 * 135)


def test_what_ran_in_between_does_not_move_it() -> None:
    seen = Speeds()
    seen.learn(work("heads", 270, model="large"), 135.0)
    seen.learn(work("links", 400, model="large"), 2000.0)
    seen.learn(work("heads", 24), 0.2)
    seen.learn(work("heads", 270, model="large", ablate_mode="mean"), 999.0)
    seen.learn(work("ask", 1, model="large"), 60.0)  # one run, with all that is done once
    assert seen.seconds(work("heads", 270, model="large")) == pytest.approx(135)


def test_another_study_is_estimated_from_those_of_the_same_model() -> None:
    seen = Speeds()
    seen.learn(work("words", 60, model="large"), 600.0)
    slow = seen.seconds(work("layers", 60, model="large"))
    assert slow == pytest.approx(600)
    assert Speeds().seconds(work("layers", 60, model="large")) < slow
    assert seen.seconds(work("layers", 60)) == Speeds().seconds(work("layers", 60))


def test_it_follows_a_machine_that_has_become_slower() -> None:
    seen = Speeds()
    for seconds in (10.0, 40.0, 40.0, 40.0, 40.0):
        seen.learn(work("words", 60), seconds)
    assert 30 < seen.seconds(work("words", 60)) < 40


@pytest.mark.parametrize("study", ["minimal", "order", "lens"])
def test_a_study_of_fewer_runs_than_it_might_be_is_estimated_at_what_it_took(study: str) -> None:
    shop, choice, question = Service(None, Limits()), Choice(), preset("gym-en").question()
    shop.model(choice)
    options = {"unit": "sentence"} if study == "minimal" else {}
    took = shop.run(study, choice, question, options).data["provenance"]["seconds"]
    runs = shop.runs(study, choice, question, options)
    assert shop.seconds(study, choice, question, options, runs) == pytest.approx(took, rel=0.1)


def test_a_few_runs_say_nothing_of_another_study() -> None:
    seen = Speeds()
    seen.learn(work("ask", 2, model="large"), 60.0)
    assert seen.seconds(work("ask", 2, model="large")) == pytest.approx(60)
    assert seen.seconds(work("words", 60, model="large")) == Speeds().seconds(
        work("words", 60, model="large")
    )
