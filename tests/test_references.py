"""Reference passages: about the place asked for, mixed in their answers, and said to be what they are."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest

from probes import load_model, preset, run
from probes.asking.answers import AnswerSet
from probes.asking.interventions import Reference
from probes.asking.question import Question
from probes.cli import main
from probes.locale import LANGUAGES
from probes.models.local import LocalModel
from probes.models.reference_passages import plan_of, written
from probes.record.reference_wording import reference_text
from probes.running.sets import questions_of
from probes.text.passage import Passage
from tests import inside_oracle, oracle
from tests.inside_oracle import Put

LABELS = [str(count) for count in range(6)]
QUICK = {"cumulative": False, "control": 0}
EVERY_HEAD = ",".join(f"{layer}.{head}" for layer in range(6) for head in range(4))


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return load_model("builtin")


def rights(question: Question, size: int, seed: int = 0) -> Counter[str | None]:
    told, passed = written(plan_of(question), Reference(size, seed), lambda text: False)
    assert len({one.text for one in told}) == size
    assert not passed
    return Counter(one.right for one in told)


@pytest.mark.parametrize("name", ["coffee-en", "library-en", "coffee-zh", "cinema-zh"])
def test_references_tell_of_the_asked_place_with_each_answer_as_often(name: str) -> None:
    question = preset(name).question()
    plan = plan_of(question)
    assert plan.place is not None
    assert plan.place in question.question
    told, _ = written(plan, Reference(), lambda text: False)
    assert all(plan.place.casefold() in one.text.casefold() for one in told)
    assert rights(question, 18) == dict.fromkeys(LABELS, 3)
    spread = rights(question, 10, seed=5).values()
    assert sorted(spread) == [1, 1, 2, 2, 2, 2]


def test_answers_share_the_references_evenly_however_they_divide_the_counts() -> None:
    question = preset("coffee-en").question()
    two = replace(question, answers=AnswerSet.parse("no=never;yes=once=twice=three times"), right=None)
    assert rights(two, 12) == {"no": 6, "yes": 6}
    few = replace(question, answers=AnswerSet.parse("1=once;3=three times"), right=None)
    assert rights(few, 12) == {"1": 6, "3": 6}
    none = replace(question, answers=AnswerSet.parse("yes;no"), right=None)
    assert rights(none, 12) == {None: 12}
    assert rights(preset("crux-en").question(), 4) == {None: 4}


def test_what_the_model_answers_to_them_is_recorded(model: LocalModel) -> None:
    for name in ("coffee-en", "coffee-zh"):
        question = short(preset(name).question())
        found = run("layers", model, question, {"ablate_mode": "mean", "reference_size": 6}).data["reference"]
        assert found["place"] == plan_of(question).place
        assert found["right"] == dict.fromkeys(LABELS, 1)
        assert found["answers"] == {label: found["tops"].count(label) for label in LABELS}
        assert sum(found["answers"].values()) == found["size"] == len(found["prompts"]) == 6
        assert max(found["answers"].values()) <= 2, "mixed for the model too"
        terms = model.layout(question).terms
        for prompt, top in list(zip(found["prompts"], found["tops"], strict=True))[::4]:
            ids = model.tokenizer(prompt, add_special_tokens=False).input_ids
            each = [oracle.log_prob(model.loaded.model, ids, term.ids) for term in terms]
            assert LABELS[terms[each.index(max(each))].answer] == top


def short(question: Question) -> Question:
    """With one string an answer."""
    said = [f"{answer.label}={answer.name}" for answer in question.answers.answers]
    return replace(question, answers=AnswerSet.parse(";".join(said)))


def test_nothing_of_the_passage_left_is_no_answer_in_particular(model: LocalModel) -> None:
    """With every head's output from elsewhere, the answer is the references': each of them as often."""
    for name in ("library-en", "coffee-zh"):
        question = short(preset(name).question())
        for mode, low, high in (("resample", 0.15, 0.19), ("mean", 0.0, 0.9)):
            found = run("ask", model, question, {"ablate_heads": EVERY_HEAD, "ablate_mode": mode}).data
            chances = [answer["probability"] for answer in found["answers"]]
            assert low < min(chances)
            assert max(chances) < high
            assert chances[0] < 0.2, "where nothing was told, a mean of other places says never"


def test_mean_ablation_flips_passages_of_either_kind(model: LocalModel) -> None:
    """A single head with a mixed mean in its place may change a "never" as well as a "twice"."""
    found = questions_of("24", preset("coffee-en").question(), 3)
    options = {"ablate_mode": "mean", "reference_size": 6, **QUICK}
    for kind in (lambda right: right == "0", lambda right: right != "0"):
        asked = [short(question) for question in found if kind(question.right)][:4]
        runs = (run("heads", model, question, options).data["rows"] for question in asked)
        assert any(row["flips"] for rows in runs for row in rows)


def test_resampling_averages_the_runs_with_each_reference(model: LocalModel) -> None:
    full = preset("coffee-en").question()
    passage = Passage(full.passage.text[: full.passage.sentences[1].end])
    few = AnswerSet.parse("0=never;1=once;3=three times")
    question = replace(full, passage=passage, answers=few, preset=None, roles={})
    options = {"ablate_mode": "resample", "positions": "answer", "reference_size": 3}
    data = run("heads", model, question, {**options, **QUICK}).data
    layout, stock = model.layout(question), model.loaded.model
    n, longest = len(layout.ids), max((term.ids for term in layout.terms), key=len)[:-1]
    place = (3, 1)
    row = next(r for r in data["rows"] if (r["layer"], r["head"]) == place)
    chances: list[list[float]] = []
    for prompt in data["reference"]["prompts"]:
        ids = model.tokenizer(prompt, add_special_tokens=False).input_ids
        seen = inside_oracle.values(stock, [*ids, *longest], [("head", place[0])])["head", place[0]]
        value = seen[:, 32 * place[1] : 32 * (place[1] + 1)]
        chances.append([])
        for term in layout.terms:
            length = len(term.ids)
            at, rows = tuple(range(n - 1, n - 1 + length)), value[len(ids) - 1 : len(ids) - 1 + length]
            log = inside_oracle.log_prob(stock, layout.ids, term.ids, [Put("head", *place, at, rows)])
            chances[-1].append(math.exp(log))
    clean = data["clean"]["answers"]
    target = [answer["answer"] for answer in clean].index(data["target"]["label"])
    changes = [math.log(each[target] / clean[target]["probability"]) for each in chances]
    assert [one["effect_log_prob"] for one in row["resampled"]] == pytest.approx(changes, abs=2e-4)
    assert row["effect_log_prob"] == pytest.approx(sum(changes) / 3, abs=2e-4)
    means = [sum(column) / 3 for column in zip(*chances, strict=True)]
    assert [answer["probability"] for answer in row["answers"]] == pytest.approx(means, abs=1e-4)
    share = means[target] - clean[target]["probability"]
    assert row["effect_probability"] == pytest.approx(share, abs=1e-4)


def test_both_languages_say_which_references_and_what_they_answer(
    model: LocalModel, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"ablate_heads": "3.1", "ablate_mode": "resample", "reference_size": 4}
    related = run("ask", model, preset("coffee-en").question(), asked).data
    reference = related["ablated"]["reference"]
    names = {answer["answer"]: answer["name"] for answer in related["clean"]["answers"]}
    in_turn = ", ".join(names[top] for top in reference["tops"])
    assert "coffee shop" in reference_text(related, "en")
    assert in_turn in reference_text(related, "en")
    assert "coffee shop" in reference_text(related, "zh")
    elsewhere = related | {
        "ablated": related["ablated"]
        | {"reference": reference | {"place": None, "answers": {"0": 4}, "right": None, "tops": ["0"] * 4}}
    }
    for lang in LANGUAGES:
        told = reference_text(elsewhere, lang)
        assert "coffee shop" not in told
        assert "never 4" in told
        assert "“never”" in told, "said to be put in"
    main(
        [
            "ask",
            "--preset",
            "coffee-en",
            "--ablate-heads",
            "3.1",
            "--ablate-mode",
            "mean",
            "--reference-size",
            "6",
            "--no-cache",
        ]
    )
    printed = " ".join(capsys.readouterr().out.split())
    assert "The references' answers: never 1, once 1, twice 1" in printed
