"""Near ties are told as near ties, and only changes of the answer beyond the margin are headlines."""

from __future__ import annotations

import math
from typing import Any

import pytest

from probes.asking.answers import AnswerSet, Term
from probes.asking.distribution import Distribution
from probes.record.leads import faint, flips_clearly, leads, tied, turns
from probes.running.headline import headline
from probes.studies.effects import Target, effect, limits

SETTINGS = {"points": 1.0, "nats": 0.05}
NAMES = {"2": "twice", "3": "three times", "1": "once"}


def run(**chances: float) -> dict[str, Any]:
    """A run of a record; `_2=0.23`: the answer labelled 2 has 23 %."""
    given = {label.lstrip("_"): p for label, p in chances.items()}
    whole = sum(given.values())
    answers = [
        {"answer": label, "name": NAMES[label], "probability": p, "share": p / whole}
        for label, p in given.items()
    ]
    return {
        "answers": answers,
        "coverage": whole,
        "top": max(given, key=lambda label: given[label]),
        "right": None,
    }


def distribution(**chances: float) -> Distribution:
    given = {label.lstrip("_"): p for label, p in chances.items()}
    answers = AnswerSet.of({label: [NAMES[label]] for label in given})
    terms = tuple(Term(i, "", (i,), 1) for i in range(len(given)))
    return Distribution(answers, terms, tuple(math.log(p) if p else -math.inf for p in given.values()))


CLEAN = {"_2": 0.23, "_3": 0.21, "_1": 0.09}


def row(place: dict[str, Any], effect_: float | None, **chances: float) -> dict[str, Any]:
    now = run(**chances)
    before = CLEAN["_2"]
    return {
        **place,
        **now,
        "effect_log_prob": effect_,
        "effect_probability": chances["_2"] - before,
        "flips": now["top"] != "2",
        "no_change": False,
        "estimate": False,
    }


@pytest.mark.parametrize(
    ("first", "other", "said"),
    [
        (0.23, 0.21, False),  # 2 points, 0.09 nats
        (0.52, 0.48, False),
        (0.30, 0.251, False),
        (0.30, 0.24, True),  # 6 points
        (0.03, 0.02, True),  # 0.41 nats
        (0.013, 0.012, False),
        (0.9, 0.0, True),
        (0.2, 0.2, False),
        (0.1, 0.2, False),
        (0.0, 0.0, False),
    ],
)
def test_a_lead_is_five_points_or_a_fifth_of_a_nat(first: float, other: float, said: bool) -> None:
    assert leads(first, other) is said


def test_a_near_tie_names_all_that_are_close_the_first_one_first() -> None:
    assert [a["answer"] for a in tied(run(_1=0.09, _3=0.21, _2=0.23))] == ["2", "3"]
    assert tied(run(_1=0.09, _3=0.11, _2=0.6)) == []


def test_a_near_tie_is_the_headline_in_both_languages() -> None:
    data = {"study": "ask", **run(_2=0.33, _3=0.31, _1=0.09)}
    said = headline(data, "en")
    assert said == "The model cannot decide between “twice” (33 %) and “three times” (31 %): a near tie."
    assert headline(data, "zh") == "模型在“twice”（33 %）和“three times”（31 %）之间难分高下。"


def test_so_is_one_of_few_and_one_of_three() -> None:
    said = headline({"study": "ask", **run(_2=0.12, _3=0.10, _1=0.11)}, "en")
    assert "“twice” (36 %), “once” (33 %) and “three times” (30 %): a near tie" in said
    assert "together only 33 %" in said


def test_the_right_answer_of_a_near_tie_is_not_said_twice() -> None:
    data = {"study": "ask", **run(_2=0.33, _3=0.31), "right": "3"}
    assert headline(data, "en").count("three times") == 1


def test_a_run_after_a_removal_says_its_near_tie_too() -> None:
    data = {
        "study": "ask",
        **run(_2=0.33, _3=0.36),
        "clean": run(_2=0.9, _3=0.05),
        "taken": {"mode": "delete", "texts": ["x"]},
        "control": {"n": 20, "flips": 9, "flips_clearly": 1},
    }
    said = headline(data, "en")
    assert "Without “x” it says “three times” (36 %). That is a near tie with “twice” (33 %)." in said
    assert "in 1 of 20 random sets" in said
    assert "难分高下" in headline(data, "zh")


def test_the_study_says_by_how_much_an_answer_flips() -> None:
    clean, target = distribution(_2=0.23, _3=0.21), Target("top", 0)
    near = effect(clean, distribution(_2=0.20, _3=0.21), target, SETTINGS)
    assert near["flips"]
    assert not near["flips_clearly"]
    assert near["flips_by"] == pytest.approx(math.log(0.21 / 0.20))
    far = effect(clean, distribution(_2=0.05, _3=0.40), target, SETTINGS)
    assert far["flips_clearly"]
    assert far["flips_by"] == pytest.approx(math.log(8))
    same = effect(clean, distribution(_2=0.5, _3=0.1), target, SETTINGS)
    assert (same["flips"], same["flips_by"], same["flips_clearly"]) == (False, 0.0, False)
    gone = effect(clean, distribution(_2=0.0, _3=0.4), target, SETTINGS)
    assert (gone["flips_by"], gone["flips_clearly"]) == (None, True)
    assert same["effect_lead"] == pytest.approx(math.log(5) - math.log(0.23 / 0.21))
    assert near["effect_lead"] == pytest.approx(math.log(0.20 / 0.21) - math.log(0.23 / 0.21))
    assert gone["effect_lead"] is None
    pair = effect(clean, distribution(_2=0.5, _3=0.1), Target("3:2", 1, 0), SETTINGS)
    assert pair["effect_lead"] == pytest.approx(pair["effect_log_prob"])
    assert limits(SETTINGS) == {**SETTINGS, "margin": {"points": 5.0, "nats": 0.2}}


def test_a_record_that_does_not_say_is_read_by_its_rows() -> None:
    record = {"clean": run(**CLEAN)}
    assert not flips_clearly(row({}, -0.1, _2=0.20, _3=0.21), record)
    assert flips_clearly(row({}, -1.0, _2=0.08, _3=0.21), record)
    assert not flips_clearly({**row({}, -1.0, _2=0.08, _3=0.21), "flips_clearly": False}, record)


@pytest.mark.parametrize(
    ("nats", "points", "said"),
    [(-0.09, -2.0, True), (-0.1, -9.0, False), (-0.3, -1.0, False), (None, -3.0, False), (None, 0.0, True)],
)
def test_an_effect_is_faint_in_points_as_in_nats(nats: float | None, points: float, said: bool) -> None:
    assert faint({"effect_log_prob": nats, "effect_probability": points / 100}) is said


def heads(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"study": "heads", "clean": run(**CLEAN), "rows": list(rows), "cumulative": None}


def test_heads_that_swap_a_near_tie_flip_nothing() -> None:
    swapping = [row({"layer": 0, "head": n}, -0.09, _2=0.21, _3=0.22) for n in range(38)]
    staying = [row({"layer": 1, "head": n}, -0.01, _2=0.228, _3=0.21) for n in range(232)]
    said = headline(heads(*swapping, *staying), "en")
    assert "flip" not in said
    assert "None of the 270 heads lowers the answer by 5 percentage points or 0.2 nats" in said
    assert "38 change which answer comes first, but stay under the margin" in said
    assert "270 个头中没有一个" in headline(heads(*swapping, *staying), "zh")


def test_a_head_beyond_the_margin_is_told_apart_from_those_under_it() -> None:
    clear = row({"layer": 2, "head": 1}, -1.2, _2=0.07, _3=0.4)
    said = headline(heads(clear, row({"layer": 0, "head": 0}, -0.09, _2=0.21, _3=0.22)), "en")
    assert "Without head 2.1" in said
    assert "1 of 2 heads" in said
    assert "One changes which answer comes first" in said


def test_links_and_words_under_the_margin_are_no_headlines() -> None:
    unit = {"index": 0, "text": "w", "occurrence": 1, "occurrences": 1, "start": 0, "end": 1}
    faint_row = row({**unit, "from": "answer", "to": unit}, -0.09, _2=0.21, _3=0.21)
    link = {"study": "links", "clean": run(**CLEAN), "rows": [faint_row], "units": [unit], "left_out": 0}
    assert "The only link cut does not move the answer" in headline(link, "en")
    assert "−0.09" not in headline(link, "en")
    words = {"study": "words", "clean": run(**CLEAN), "rows": [faint_row], "mode": "delete", "unit": "word"}
    assert "No single word moves the answer by 5 percentage points or 0.2 nats" in headline(words, "en")
    layer = row({"layer": 3, "part": "mlp"}, -0.09, _2=0.21, _3=0.22)
    parts = {"study": "layers", "clean": run(**CLEAN), "rows": [layer]}
    assert "No part alone lowers the answer" in headline(parts, "en")


def test_heads_together_turn_the_answer_where_they_do_so_clearly() -> None:
    near, far = {"_2": 0.21, "_3": 0.22}, {"_2": 0.05, "_3": 0.5}
    steps = [row({"k": k}, -0.1, **chances) for k, chances in ((1, near), (2, near), (3, far))]
    kept = [row({"k": k}, -0.1, **chances) for k, chances in ((1, far), (2, near), (3, near))]
    assert turns({"remove": steps, "keep": kept}, {"clean": run(**CLEAN)}) == (3, 2)
    assert turns({"remove": steps[:2], "keep": kept[:1]}, {"clean": run(**CLEAN)}) == (None, None)
