"""The sentence on top says what the record says, in both languages, and no more."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from probes.numbers import nats, percent, signed, strength
from probes.record.results import ProbeResult
from probes.running.headline import headline
from tests.dashboard import inside_records


def run(**probabilities: float) -> dict[str, Any]:
    total = sum(probabilities.values())
    answers = [
        {"answer": label, "name": f"<{label}>", "probability": p, "share": p / total}
        for label, p in probabilities.items()
    ]
    top = max(probabilities, key=lambda label: probabilities[label])
    return {"answers": answers, "coverage": total, "top": top, "right": "one"}


def ask(**probabilities: float) -> dict[str, Any]:
    return {"study": "ask", **run(**probabilities)}


def word(text: str, effect: float | None, flips: bool, still: bool = False, **p: float) -> dict[str, Any]:
    row = {
        "text": text,
        "occurrence": 1,
        "occurrences": 1,
        "effect_log_prob": effect,
        "effect_probability": -0.1,
    }
    return {**row, "flips": flips, "no_change": still, **run(**p)}


def words(*rows: dict[str, Any], mode: str = "delete", unit: str = "word") -> dict[str, Any]:
    clean = run(one=0.9, two=0.05)
    return {"study": "words", "clean": clean, "rows": list(rows), "mode": mode, "unit": unit}


def test_a_right_answer_is_said_plainly() -> None:
    assert headline(ask(one=0.9, two=0.05), "en") == "The model says “<one>” (90 %)."
    assert headline(ask(one=0.9, two=0.05), "zh") == "模型回答“<one>”（90 %）。"


def test_a_wrong_answer_names_the_right_one() -> None:
    assert headline(ask(one=0.2, two=0.7), "en").endswith("The right answer, “<one>”, gets 20 %.")


def test_low_coverage_speaks_of_the_listed_answers() -> None:
    said = headline(ask(one=0.03, two=0.01), "en")
    assert "Of the listed answers" in said
    assert "(75 %)" in said
    assert "only 4 %" in said
    assert "在列出的答案里" in headline(ask(one=0.03, two=0.01), "zh")


@pytest.mark.parametrize(
    ("mode", "en", "zh"),
    [("delete", "Without", "去掉"), ("hide", "hidden", "遮住"), ("replace", "replaced", "换掉")],
)
def test_the_strongest_flip_is_named_with_its_mode(mode: str, en: str, zh: str) -> None:
    data = words(
        word("a", -0.01, flips=False, still=True, one=0.9, two=0.05),
        word("b", -3.0, flips=True, one=0.1, two=0.8),
        word("c", -9.0, flips=False, one=0.5, two=0.4),
        mode=mode,
    )
    said = headline(data, "en")
    assert "“b”" in said
    assert "“<two>” (80 %)" in said
    assert en in said
    assert "1 of 3 words hardly changes" in said
    assert zh in headline(data, "zh")


def near_certain(*leads: float) -> dict[str, Any]:
    """Words without which an answer that is 8.0 nats ahead keeps its probability, and what its lead does."""
    rows = [
        {**word(f"w{n}", -0.001, flips=False, still=True, one=0.999, two=0.0003), "effect_lead": lead}
        for n, lead in enumerate(leads)
    ]
    return {**words(*rows), "clean": run(one=0.9995, two=0.9995 / math.exp(8.0))}


def test_words_that_move_only_the_lead_are_not_said_to_change_nothing() -> None:
    said = headline(near_certain(-3.0, 0.25, -0.1, 0.0), "en")
    assert "4 of 4 words hardly change its probability." in said
    wanted = "2 of these still move its lead (8.0 nats) by 0.2 nats or more"
    assert said.endswith(f"{wanted}, “w0” most (−3.0).")
    assert "8.0 nat" in headline(near_certain(-3.0, 0.0), "zh")
    assert "its lead" not in headline(near_certain(-0.1, 0.1), "en")


TARGETS = {
    "“<two>”": {"kind": "answer", "label": "two", "text": "<two>"},
    "“<one>” against “<two>”": {
        "kind": "contrast", "label": "one", "text": "<one>", "against": "two", "against_text": "<two>"
    },
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_headline_names_a_target_that_is_not_the_answer_on_top(name: str, lang: str) -> None:
    data = words(
        word("b", -1.5, flips=False, one=0.6, two=0.3), word("c", 0.0, False, True, one=0.9, two=0.1)
    )
    assert "<two>" not in headline(data, lang)
    said = headline({**data, "target": TARGETS[name]}, lang)
    if lang == "en":
        assert f"Effects are measured on {name}." in said
        assert f"“b” moves {name} most" in said
    else:
        assert said.count("“<two>”") >= 3
    assert "“<two>”" not in headline({**data, "target": {"kind": "answer", "label": "one"}}, lang)


@pytest.mark.parametrize("study", ["heads", "links", "layers", "lens", "patch"])
def test_so_do_the_headlines_of_what_is_inside(study: str) -> None:
    data = {**deepcopy(getattr(inside_records, study)().data)}
    assert "measured on" not in headline(data, "en")
    data["target"] = {"kind": "answer", "label": "2", "text": "twice"}
    assert "Effects are measured on “twice”." in headline(data, "en")
    assert "影响在“twice”上衡量。" in headline(data, "zh")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("top", "once", ""),
        ("right", "once", " Effects are measured on the right answer."),
        ("3", "three times", " Effects are measured on “three times”."),
        ("3", None, " Effects are measured on “3”."),
    ],
)
def test_so_does_the_headline_of_a_set(name: str, text: str | None, said: str) -> None:
    data = {**inside_records.over("heads").data}
    data["target"] = {"name": name, "kind": "answer", "text": text, "against_text": None}
    assert f"answered right.{said} 1 more was left out" in headline(data, "en")


@pytest.mark.parametrize(
    ("site", "head", "unit", "said"),
    [
        ("block", None, 2, "The state of “walked” after layer 4 brings back 90 %"),
        ("attention", None, 2, "The state of “walked” as put out by the attention of layer 4 brings"),
        ("mlp", None, 2, "The state of “walked” as put out by the feed-forward part of layer 4 brings"),
        ("head", 3, 2, "The state of “walked” as put out by head 4.3 brings back"),
        ("head", 3, "answer", "The state of the answer's place as put out by head 4.3 brings back"),
    ],
)
def test_a_patch_names_its_site_and_its_head(site: str, head: int | None, unit: Any, said: str) -> None:
    data = {**deepcopy(inside_records.patch().data), "site": site}
    rows = [{**row, "site": site, "head": head, "recovered": 0.1} for row in data["rows"]]
    place = next(i for i, row in enumerate(rows) if (row["layer"], row["unit"]) == (4, unit))
    rows[place] = {**rows[place], "recovered": 0.9}
    data["rows"] = rows
    assert said in headline(data, "en")
    if head is not None:
        assert "头 4.3" in headline(data, "zh")


def test_pairs_left_out_are_said_to_be_untested() -> None:
    said = headline(inside_records.links().data, "en")
    assert "3 pairs of words that move less when hidden were not tested" in said
    assert "weaker" not in said


def test_one_of_several_equal_words_is_told_from_the_others() -> None:
    again = {**word("b", -3.0, flips=True, one=0.1, two=0.8), "occurrence": 12, "occurrences": 13}
    assert "“b¹²”" in headline(words(again), "en")
    assert "“b¹²”" in headline(words(again), "zh")


@pytest.mark.parametrize("study", [inside_records.links, inside_records.patch])
def test_words_inside_are_told_from_their_equals_too(study: Callable[[], ProbeResult]) -> None:
    data = deepcopy(study().data)
    for unit in data["units"]:
        unit |= {"occurrence": 3, "occurrences": 4}
    assert "³”" in headline(data, "en")
    assert "³”" in headline(data, "zh")


def test_where_nothing_flips_the_greatest_effect_is_named() -> None:
    data = words(
        word("a", 0.2, flips=False, one=0.9, two=0.05),
        word("b", -1.5, flips=False, one=0.6, two=0.3),
        unit="sentence",
    )
    said = headline(data, "en")
    assert "No single sentence changes the answer; “b” moves the answer most (−1.50 nats)." in said
    assert "0 of 2 sentences" in said


def test_of_one_unit_or_one_change_the_sentence_is_singular() -> None:
    first, other = word("a", -3.0, True, one=0.1, two=0.8), word("b", 0.0, False, True, one=0.9, two=0.05)
    said = headline(words(first, other, first), "en")
    assert said.endswith("1 other changes the answer too. 1 of 3 words hardly changes its probability.")
    alone = headline(words(first, unit="sentence"), "en")
    assert alone.endswith("Without “a” it says “<two>” (80 %).")
    assert headline(words(other, unit="sentence"), "zh").endswith("（0.00 nat）。")


def test_a_set_names_its_words_and_its_chance() -> None:
    data = {
        **ask(one=0.1, two=0.8),
        "clean": run(one=0.9, two=0.05),
        "taken": {"mode": "delete", "texts": ["a", "b", "c", "d", "e\nf"]},
        "control": {"n": 20, "flips": 1},
    }
    said = headline(data, "en")
    assert "“a”, “b”, “c”, “d” and 1 more" in said
    assert "The answer changes in 1 of 20 random sets" in said
    data["taken"]["occurrences"] = [[1, 1], [2, 3], [1, 2], [1, 1], [1, 1]]
    assert "“a”, “b²”, “c¹”, “d” and 1 more" in headline(data, "en")


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0 %"),
        (0.004, "<1 %"),
        (0.5, "50 %"),
        (0.99, "99 %"),
        (0.992, "99.2 %"),
        (0.9996, ">99.9 %"),
        (1, "100 %"),
    ],
)
def test_percent_never_says_all_or_nothing_of_what_is_not(share: float, said: str) -> None:
    assert percent(share) == said


@pytest.mark.parametrize(
    ("value", "said"), [(1.234, "+1.23"), (-1.236, "−1.24"), (0.001, "0.00"), (-0.001, "0.00")]
)
def test_signed_numbers(value: float, said: str) -> None:
    assert signed(value) == said


@pytest.mark.parametrize(
    ("effect", "moved", "said", "size"),
    [
        (-1.5, -0.2, "−1.50", 1.5),
        (None, -0.2, "−∞", float("inf")),
        (None, 0.2, "+∞", float("inf")),
        (None, 0.0, "?", 0.0),
    ],
)
def test_an_effect_without_a_number_says_which_way_it_went(
    effect: float | None, moved: float, said: str, size: float
) -> None:
    row = {"effect_log_prob": effect, "effect_probability": moved}
    assert nats(row) == said
    assert strength(row) == size


@pytest.mark.parametrize(
    ("rho", "said"),
    [
        (0.1, "hardly correlates with"),
        (0.38, "correlates weakly with"),
        (-0.5, "correlates moderately, the other way round, with"),
        (0.7, "correlates strongly with"),
        (0.9, "correlates very strongly with"),
    ],
)
def test_a_correlation_is_called_what_it_is(rho: float, said: str) -> None:
    data = deepcopy(dict(inside_records.attention().data))
    data["agreement"]["mean"]["rho"] = rho
    assert said in headline(data, "en")
    assert "{" not in headline(data, "zh")


def test_attention_is_read_against_chance() -> None:
    data = deepcopy(dict(inside_records.attention().data))
    agreement = data["agreement"]
    best = max(row["rho"] for row in agreement["rows"])
    english = headline(data, "en")
    assert (
        "ρ = +0.38 over 53 words. Shifted along the passage it seldom does so as much (p = 0.04)" in english
    )
    assert "Of the 4 words whose removal changes something, 1 is among the 4 read most" in english
    assert "by chance it would be 0.3." in english
    assert f"(ρ = {signed(best)}); the best of 16 unrelated heads passes +0.45 in one case of 20" in english
    agreement |= {"best_by_chance": 0.95, "mean": {"rho": 0.38, "found": 1.0, "p": 0.06}}
    english = headline(data, "en")
    assert "(p = 0.06): this may be chance." in english
    assert "is no better than the best of 16 unrelated heads may be by chance" in english
    agreement |= {"words": 12, "best_by_chance": None}
    assert "So few words cannot tell it from chance." in headline(data, "en")
    data["reader"] = 2
    assert "What “walked” reads" in headline(data, "en")
