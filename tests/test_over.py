"""Studies over sets of passages: means of the records alone, and where the sets come from."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from probes import load_model, preset, run
from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.asking.trials import Trial
from probes.errors import InputError, LimitError
from probes.generator import Composer, answer, queries
from probes.generator.lexicon import Tables
from probes.models.local import LocalModel
from probes.running.headline import headline
from probes.running.over import run_over
from probes.running.sets import questions_of
from probes.studies import STUDIES
from probes.studies.over_means import averaged
from probes.text.passage import Passage

HEADS = STUDIES["heads"].over
assert HEADS is not None


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return load_model("builtin")


@pytest.fixture(scope="module")
def only() -> Question:
    """The first two sentences of a preset and one string an answer."""
    full = preset("coffee-en").question()
    passage = Passage(full.passage.text[: full.passage.sentences[1].end])
    few = AnswerSet.parse("0=never;1=once;3=three times")
    return replace(full, passage=passage, preset=None, roles={}, answers=few)


def moves(model: LocalModel, question: Question) -> bool:
    """Whether the question has a counterfactual that patching can be told as a share of."""
    try:
        return abs(run("patch", model, question, {}).data["scale"]) >= 0.6931
    except InputError:
        return False


def test_over_a_set_is_the_mean(model: LocalModel, only: Question) -> None:
    questions = questions_of("3", only)
    options = {"cumulative": False, "control": 0}
    data = run_over("heads", model, questions, options, source="3").data
    alone = [run("heads", model, q, options).data["rows"][7] for q in questions]
    row = data["rows"][7]
    effects = [r["effect_log_prob"] for r in alone]
    assert row["effect_log_prob"] == pytest.approx(sum(effects) / 3)
    assert row["values"] == pytest.approx(effects)
    assert row["median"] == pytest.approx(sorted(effects)[1])
    assert row["carried_by"] == sum(abs(e) >= data["thresholds"]["nats"] for e in effects)
    assert row["effect_log_prob_low"] is None, "three passages are too few for an interval"
    assert row["flips"] == sum(r["flips"] for r in alone) / 3
    assert [p["right"] for p in data["over"]["passages"]] == [q.right for q in questions]
    told: list[tuple[int, int]] = []
    again = run_over("heads", model, questions, options, on_progress=lambda *at: told.append(at)).data
    assert again["rows"] == data["rows"]
    assert all(0 <= done <= total for done, total in told)
    assert told[-1][0] == told[-1][1] > len(data["rows"])
    with pytest.raises(InputError, match="words"):
        run_over("words", model, questions)


def record(effects: list[float], right: str = "1") -> dict[str, Any]:
    """One passage whose heads have these effects."""
    heads = [
        {"layer": 0, "head": n, "effect_log_prob": nats, "flips": nats < -1, "flips_clearly": nats < -1}
        for n, nats in enumerate(effects)
    ]
    clean = {"top": right}
    return {"rows": heads, "clean": clean, "thresholds": {"nats": 0.05, "points": 1.0}}


def test_the_strongest_is_told_on_passages_that_it_was_not_chosen_on() -> None:
    """Chosen by hand on passages 0, 2, 4 and so on; of noise alone nothing is left on the others."""
    effects = [[-3.0, -1.0, 0.0], [0.5, -2.0, 0.0], [-1.0, -1.0, 0.0], [0.1, -4.0, -9.0]]
    rows, strongest = averaged(HEADS, [record(each) for each in effects], 0)
    assert [row["effect_log_prob"] for row in rows] == pytest.approx([-0.85, -2.0, -2.25])
    assert strongest is not None
    assert (strongest["head"], strongest["chosen_on"], strongest["passages"]) == (0, 2, 2)
    assert strongest["effect_log_prob"] == pytest.approx(0.3)
    assert strongest["flips"] == 0
    assert averaged(HEADS, [record([-3.0])], 0)[1] is None, "one passage has no other half"
    noise = np.random.default_rng(0).normal(0, 1, (40, 10, 20))
    chosen = [averaged(HEADS, [record(each.tolist()) for each in one], 0) for one in noise]
    first = [min(row["effect_log_prob"] for row in rows) for rows, _ in chosen]
    apart = [strongest["effect_log_prob"] for _, strongest in chosen if strongest]
    assert np.mean(first) < -0.5
    assert abs(np.mean(apart)) < 0.2


def test_the_sentence_says_on_which_passages_and_that_values_are_skewed() -> None:
    effects = [[-0.1, -3.0 - n] for n in range(15)] + [[0.0, -40.0]]
    rows, strongest = averaged(HEADS, [record(each) for each in effects], 0)
    told = [{"right": "1", "top": "1"}] * 16
    data = {"study": "heads", "over": {"size": 16, "left_out": 0, "passages": told}, "agreement": None}
    said = headline({**data, "rows": rows, "strongest": strongest}, "en")
    assert "On 8 of them taking away head 0.1 lowers the answer most; on the other 8 it moves it by −" in said
    assert " to −" in said
    assert "skewed: 8 of 8 are more than no change, and their median is −11.00" in said
    assert "{" not in headline({**data, "rows": rows, "strongest": strongest}, "zh")


def test_patching_over_a_set_goes_by_where_the_words_stand(model: LocalModel, only: Question) -> None:
    """Each row again from the records of the passages alone; what cannot be patched is left out."""
    every = (q for q in questions_of("30", only, seed=1) if q.swaps and len(q.passage.words) < 80)
    some = list(islice((q for q in every if moves(model, q)), 2))
    lone = replace(only, swaps=(("walked into", "went by bus all the way to"),))
    missing = replace(only, swaps=(("strolled", "went"),))
    still = replace(only, swaps=(("Yesterday", "Today"),))
    told: list[tuple[int, int]] = []
    data = run_over(
        "patch",
        model,
        [*some, lone, missing, still],
        {},
        source="3",
        on_progress=lambda done, total: told.append((done, total)),
    ).data
    assert data["over"]["left_out"] == 3
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert data["over"]["size"] == 2
    found = {(row["layer"], row["words"]): row for row in data["rows"]}
    means: dict[str, list[float]] = {"answer": [], "changed": [], "after": []}
    for question in some:
        record = run("patch", model, question, {}).data
        assert record["base"]["prompt_ids"] != record["source"]["prompt_ids"]
        ((start, end),) = record["counterfactual"]["changed"]
        parts: dict[str, list[float]] = {name: [] for name in means}
        for row in (row for row in record["rows"] if row["layer"] == 1):
            if row["unit"] == "answer":
                parts["answer"].append(row["recovered"])
            elif row["start"] >= end:
                parts["after"].append(row["recovered"])
            elif row["end"] > start:
                parts["changed"].append(row["recovered"])
            else:  # what stands before the change reads the same in both runs
                assert row["recovered"] == pytest.approx(0, abs=1e-4)
        for name, values in parts.items():
            means[name] += [sum(values) / len(values)] if values else []
    for name, values in means.items():
        row = found[1, name]
        assert row["recovered"] == pytest.approx(sum(values) / len(values), abs=1e-6)
        assert row["passages"] == len(values)
    assert "after layer" in data["headline"]


def test_links_over_a_set_go_by_roles(model: LocalModel, only: Question) -> None:
    questions = questions_of("2", only, seed=3)
    assert all(set(q.roles) <= {"key", "redundant", "noise", "distractor"} for q in questions)
    data = run_over("links", model, questions, {"budget": 20}, source="2")
    rows = {(row["from"], row["to"]): row for row in data.data["rows"]}
    alone = [run("links", model, q, {"budget": 20}).data["rows"] for q in questions]
    means = []
    for question, found in zip(questions, alone, strict=True):
        wanted = [
            row["effect_log_prob"]
            for row in found
            if row["from"] == "answer"
            and (question.role_of((row["to"]["start"], row["to"]["end"])) or "other") == "noise"
        ]
        means += [sum(wanted) / len(wanted)] if wanted else []
    assert rows["answer", "noise"]["effect_log_prob"] == pytest.approx(sum(means) / len(means))
    assert rows["answer", "noise"]["passages"] == len(means)


def test_a_passage_that_cannot_be_run_is_named(model: LocalModel, only: Question) -> None:
    long = replace(only, passage=Passage("I went to the bar. " * 200))
    with pytest.raises(LimitError, match=r"Passage 2 of 2 .*I went to the bar.*tokens"):
        run_over("heads", model, [only, long], {"estimate": True, "cumulative": False, "control": 0})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_generated_counterfactual_is_one_visit_less(language: str) -> None:
    """Read anew by the generator: the place is named elsewhere in one arrival that counted for one."""
    base, found = preset(f"coffee-{language}").question(), 0
    for seed in range(25):
        composer, rng = Composer(language, seed + 2_000_003), random.Random(seed)
        story = composer.story()
        asked = next(q for q in queries(story, Tables(language), rng) if q.is_count)
        (question,) = questions_of("1", base, seed)
        assert question.passage.text == story.text
        assert question.answer_prefix.endswith(str(asked.place))
        for change, _ in question.swaps[:1]:
            (span,) = question.passage.find(change)
            without = answer(story, asked, Trial((span,)))
            assert without is None or int(without) == int(question.right or 0) - 1
            found += without is not None
    assert found > 5


def test_sets_from_files(only: Question, tmp_path: Path) -> None:
    plain = tmp_path / "some.txt"
    plain.write_text("I went to the bar.\n\nI left the bar.\n", encoding="utf-8")
    assert [q.passage.text for q in questions_of(str(plain), only)] == [
        "I went to the bar.",
        "I left the bar.",
    ]
    lines = tmp_path / "some.jsonl"
    entry = {"passage": "我去了酒吧。", "question": "我去了几次酒吧？", "right": "1"}
    swapped = {"passage": "I went to the bar.", "change": "bar", "to": "zoo"}
    lines.write_text(json.dumps(entry, ensure_ascii=False) + "\n", encoding="utf-8")
    (found,) = questions_of(str(lines), only)
    assert (found.passage.text, found.question, found.right) == tuple(entry.values())
    assert found.swaps == ()
    for named in ("once", 1):
        right = {"passage": "I went to the bar.", "answers": "0=never;1=once;2=twice", "right": named}
        lines.write_text(json.dumps(right) + "\n", encoding="utf-8")
        assert questions_of(str(lines), only)[0].right == "1"
    lines.write_text(json.dumps(swapped) + "\n", encoding="utf-8")
    assert questions_of(str(lines), only)[0].swaps == (("bar", "zoo"),)
    lines.write_text('{"text": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match="Line 1"):
        questions_of(str(lines), only)
    with pytest.raises(InputError, match="could not be read"):
        questions_of(str(tmp_path / "none.txt"), only)
