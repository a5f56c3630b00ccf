"""Models that only sample, on the studies that search and compare: what chance draws is not told as found."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from probes import run
from probes.asking.answers import AnswerSet
from probes.asking.distribution import Distribution
from probes.asking.question import Question
from probes.errors import InputError
from probes.record.results import ProbeResult
from probes.running.headline import headline
from tests.rules import Stubborn, asked, has

TEXT = "I went to the shop and sat. Then Ben slept there.\n\nThe shop is red. Anna came and ate it all."
SAMPLES = 40
SHARES = (0.2, 0.65, 0.15)
"""What the model answers, whatever the passage says; the second is on top."""


class Deaf(Stubborn):
    """Says what it says whatever it reads; what is known of it are forty samples."""

    def __init__(self, seed: int, shares: Callable[[str], Sequence[float]] = lambda _: SHARES) -> None:
        super().__init__()
        self.seed, self.shares = seed, shares
        self.name = f"deaf:{seed}"

    def numbers(self, prompt: str, question: Question) -> Sequence[float]:
        rng = random.Random(f"{self.seed}{prompt}")
        shares = self.shares(prompt.rpartition("\nQuestion:")[0])
        drawn = rng.choices(range(3), shares, k=SAMPLES)
        return [drawn.count(place) for place in range(len(question.answers.answers))]

    def distribution(self, question: Question, numbers: Sequence[float]) -> Distribution:
        return Distribution.drawn(question.answers, [int(n) for n in numbers], SAMPLES)


QUESTION = replace(asked(TEXT), answers=AnswerSet.parse("0=never;1=once;2=twice"))


def sets(result: ProbeResult) -> int:
    found = [row for row in result.rows if row["kind"] == "keeps"]
    return int(bool(found) and not result.data["survives"] and "nothing is found" not in said(result))


def pairs(result: ProbeResult) -> int:
    return sum(bool(row["again"] and row["again"]["above"]) for row in result.rows if row["kind"] != "apart")


def orders(result: ProbeResult) -> int:
    return sum(row["flips_clearly"] for row in result.rows)


def learnt(result: ProbeResult) -> int:
    gain = result.data["gain_over_other"]
    return int(gain["low"] is not None and gain["low"] > 0)


def counted(result: ProbeResult) -> int:
    return int("does not clearly follow" not in said(result))


def changed(result: ProbeResult) -> int:
    return sum(row["flips_clearly"] or row["no_change"] is False for row in result.rows)


def either(result: ProbeResult) -> int:
    return sum(row["no_change"] is False or row["second"]["no_change"] is False for row in result.rows)


def said(result: ProbeResult) -> str:
    return headline(result.data, "en")


STUDIES: dict[str, tuple[dict[str, Any], Callable[[ProbeResult], int]]] = {
    "minimal": ({"budget": 300}, sets),
    "pairs": ({}, pairs),
    "order": ({"moved": "word", "shuffles": 20}, orders),
    "definition": ({"change": "went"}, learnt),
    "counterfactual": ({"change": "went", "to": "ran;looked;came;flew;sang"}, changed),
    "frequency": ({"mention": "shop"}, counted),
    "questions": ({"other": "Who?", "other_answers": "a=Anna;b=Ben;c=Carl"}, either),
    "words": ({"find": 5, "budget": 18}, changed),
}
SEEDS = 8


@pytest.mark.parametrize("study", STUDIES)
def test_what_forty_samples_draw_by_chance_is_not_told_as_found(study: str) -> None:
    """A finding is one at 95 %, as the note on samples says: of all that is asked (a row of `questions` asks
    twice), at most a twentieth and two more may be told.
    """
    options, found = STUDIES[study]
    claims = tried = 0
    for seed in range(SEEDS):
        try:
            result = run(study, Deaf(seed), QUESTION, options)
        except InputError as fault:
            assert fault.key == "minimal.not_standing"  # noqa: PT017
            continue
        once = {"minimal": 1, "definition": 1, "frequency": 1, "questions": 2 * len(result.rows)}
        tried += once.get(study, len(result.rows))
        assert "known_samples" in [note["key"] for note in result.data["notes"]]
        claims += found(result)
    assert tried
    assert claims <= 0.05 * tried + 2


def hears(passage: str) -> Sequence[float]:
    """Once for those who read that I went and sat."""
    return (0.05, 0.9, 0.05) if has("went", "sat")(passage) else (0.9, 0.05, 0.05)


@pytest.mark.parametrize("study", ["minimal", "pairs", "order", "counterfactual", "questions", "words"])
def test_what_is_there_is_found_in_forty_samples_too(study: str) -> None:
    """So that the test above does not hold because nothing is ever found."""
    options, found = STUDIES[study]
    rule = hears if study != "order" else lambda p: hears(p if p.find("went") < p.find("sat") else "")
    assert found(run(study, Deaf(1, rule), QUESTION, options)) >= 1
