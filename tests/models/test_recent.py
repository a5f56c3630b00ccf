"""What is worked out for a question is worked out once, for several that are asked by turns."""

from __future__ import annotations

from dataclasses import replace

from probes import load_model
from probes.asking.question import preset
from probes.models import recent
from probes.models.local import LocalModel
from probes.models.recent import Recent


def test_equal_questions_have_one_value_and_others_their_own() -> None:
    known, made = Recent[str](), list[str]()

    def make(name: str) -> str:
        made.append(name)
        return name

    one, other = preset("coffee-en").question(), preset("coffee-zh").question()
    assert [known.of(one, lambda: make("one")), known.of(other, lambda: make("other"))] == ["one", "other"]
    assert known.of(replace(one), lambda: make("again")) == "one"
    assert known.of(replace(one, question="How often?"), lambda: make("asked")) == "asked"
    assert made == ["one", "other", "asked"]


def test_the_oldest_goes_first() -> None:
    known, base = Recent[int](), preset("coffee-en").question()
    asked = [replace(base, question=f"Question {n}?") for n in range(recent.KEPT + 1)]
    for number, question in enumerate(asked):
        known.of(question, lambda number=number: number)  # type: ignore[misc]
    assert known.of(asked[-1], lambda: -1) == recent.KEPT
    assert known.of(asked[0], lambda: -1) == -1


def test_a_model_lays_questions_out_once_that_are_asked_by_turns() -> None:
    model = load_model("builtin")
    assert isinstance(model, LocalModel)
    questions = [preset(name).question() for name in ("coffee-en", "coffee-zh")]
    first = [model.layout(question) for question in questions]
    again = [model.layout(replace(question)) for question in questions]
    assert all(one is other for one, other in zip(first, again, strict=True))
    noted = model.notes(questions[0])
    noted.append({"key": "mine"})
    assert model.notes(questions[0]) == noted[:-1]
