"""Paragraphs as what is taken away, paired and moved; and passages of paragraphs in the studies of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from probes import run
from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.record.results import ProbeResult
from probes.running.headline import headline
from probes.studies import STUDIES
from tests.rules import Ruled, Stubborn, asked, has

PARAGRAPHS = ("Anna came. It rained.", "Ben slept.", "Carl sang. He ate.", "Dora left.")
TEXT = "\n\n".join(PARAGRAPHS)


def both(passage: str) -> float:
    """Yes hangs on the first and the third paragraph."""
    return 3.0 if has("Anna", "Carl")(passage) else -3.0


def told(result: ProbeResult) -> str:
    """The headline, after both languages and the table were drawn up."""
    for lang in ("zh", "en"):
        said = headline(result.data, lang)
        assert "{" not in said
        STUDIES[result.study].tabled(result.data, lang)
        assert STUDIES[result.study].picture(result, lang).to_dict()
    return said


def passage_of(row: dict[str, Any]) -> str:
    return str(row["prompt"]).rpartition("\nQuestion:")[0]


def test_the_smallest_set_of_paragraphs_is_the_two_that_are_needed() -> None:
    result = run("minimal", Ruled(both), asked(TEXT), {"unit": "paragraph"})
    keeps = [row for row in result.rows if row["kind"] == "keeps"]
    assert [row["members"] for row in keeps] == [[0, 2]]
    assert {tuple(row["members"]) for row in result.rows if row["kind"] == "flips"} == {(0,), (2,)}
    assert result.data["core"] == [0, 2]
    left = passage_of(keeps[0])
    assert [PARAGRAPHS[n] in left for n in range(4)] == [True, False, True, False]
    assert "2 of 4 paragraphs are enough" in told(result)
    assert result.data["chance"]["above"] is None
    assert "too few sets to be told from chance" in told(result)


def test_paragraphs_that_are_needed_together_are_a_pair() -> None:
    result = run("pairs", Ruled(both), asked(TEXT), {"unit": "paragraph"})
    acting = {(r["to"]["index"], r["from"]["index"]): r["kind"] for r in result.rows if r["kind"] != "apart"}
    assert acting == {(0, 2): "together"}
    assert len(result.rows) == 6
    assert result.data["unit"] == "paragraph"
    told(result)


def test_paragraphs_are_moved_whole() -> None:
    def rule(passage: str) -> float:
        return 3.0 if passage.index("Anna") < passage.index("Dora") else -3.0

    result = run("order", Ruled(rule), asked(TEXT), {"moved": "paragraph", "shuffles": 50})
    by_hand = {order: "\n\n".join(PARAGRAPHS[n] for n in order) for order in permutations(range(4))}
    assert {tuple(row["order"]): passage_of(row) for row in result.rows} == {
        order: text for order, text in by_hand.items() if order != (0, 1, 2, 3)
    }
    for row in result.rows:
        assert row["flips"] == (row["order"].index(0) > row["order"].index(3))
    assert "paragraph" in told(result)


def test_each_question_has_paragraphs_of_its_own() -> None:
    class Two(Stubborn):
        def numbers(self, prompt: str, question: Question) -> Sequence[float]:
            word = "Anna" if "so" in question.question else "Ben"
            yes = 0.95 if has(word)(prompt.partition("\nQuestion")[0]) else 0.05
            return [yes, 1 - yes]

    options = {"other": "Who slept?", "other_answers": "b=Ben;a=Anna", "unit": "paragraph"}
    result = run("questions", Two(), asked(TEXT), options)
    assert [row["text"] for row in result.rows] == list(PARAGRAPHS)
    assert [row["no_change"] for row in result.rows] == [False, True, True, True]
    assert [row["second"]["no_change"] for row in result.rows] == [True, False, True, True]
    told(result)


def test_the_strongest_paragraph_of_many_is_found() -> None:
    many = [f"Man {n} came. He sat down." for n in range(300)]
    model = Ruled(lambda p: 2.0 if has("217")(p) else -2.0)
    result = run("words", model, asked("\n\n".join(many)), {"unit": "paragraph", "find": 1, "budget": 60})
    assert [row["index"] for row in result.rows] == [217]
    assert model.asked <= 61
    told(result)


@pytest.mark.parametrize(
    ("study", "options"),
    [
        ("definition", {"change": "Anna"}),
        ("counterfactual", {"change": "slept", "to": "woke;ran"}),
        ("frequency", {"mention": "Ben"}),
    ],
)
def test_what_replaces_or_adds_leaves_paragraphs_as_they_are(study: str, options: dict[str, Any]) -> None:
    """These take no unit: a word is replaced, sentences are added. The blank lines stay where they are."""
    answers = AnswerSet.parse("0=never;1=once")
    result = run(study, Ruled(both), replace(asked(TEXT), answers=answers), options)
    for row in result.rows:
        parts = passage_of(row).split("\n\n")
        assert len(parts) == 4
        assert [part.split()[0] for part in parts[2:]] == ["Carl", "Dora"]
    told(result)
