"""The answer algebra against an enumeration of every continuation there is."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.asking.answers import Answer, AnswerSet
from probes.asking.distribution import Distribution
from probes.errors import InputError, LimitError

LETTERS = "ab"
LONGEST = 4


def spell(string: str) -> tuple[int, ...]:
    """A tokenizer whose tokens are letters."""
    return tuple(map(ord, string))


class Toy:
    """A "model": the probability of each next letter after each text, made up but fixed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def step(self, text: str) -> dict[str, float]:
        rng = random.Random(f"{self._seed} {text}")
        weights = [rng.random() + 0.05 for _ in LETTERS]
        return {letter: w / sum(weights) for letter, w in zip(LETTERS, weights, strict=True)}

    def probability(self, text: str) -> float:
        return math.prod(self.step(text[:i])[text[i]] for i in range(len(text)))


def by_enumeration(answers: AnswerSet, toy: Toy) -> list[float]:
    """Every continuation of LONGEST letters goes to the answer of the longest string that it begins with."""
    owner = {string: i for i, answer in enumerate(answers.answers) for string in answer.strings}
    totals = [0.0] * len(answers.answers)
    for letters in itertools.product(LETTERS, repeat=LONGEST):
        text = "".join(letters)
        begun = [text[:n] for n in range(LONGEST, 0, -1) if text[:n] in owner]
        if begun:
            totals[owner[begun[0]]] += toy.probability(text)
    return totals


def measured(answers: AnswerSet, toy: Toy) -> Distribution:
    terms = answers.terms(spell)
    return Distribution(answers, terms, tuple(math.log(toy.probability(t.string)) for t in terms))


words = st.text(LETTERS, min_size=1, max_size=LONGEST)


@settings(max_examples=300)
@given(st.dictionaries(words, st.integers(0, 2), min_size=3), st.integers(0, 50))
def test_every_continuation_belongs_to_one_answer(owners: dict[str, int], seed: int) -> None:
    by_answer: dict[int, list[str]] = {}
    for string, owner in owners.items():
        by_answer.setdefault(owner, []).append(string)
    if len(by_answer) < 2:
        return
    answers = AnswerSet(tuple(Answer(str(label), tuple(s)) for label, s in by_answer.items()))
    toy = Toy(seed)
    expected = by_enumeration(answers, toy)
    found = measured(answers, toy)
    assert found.probability == pytest.approx(expected, abs=1e-12)
    assert found.coverage == pytest.approx(sum(expected), abs=1e-12)
    assert found.coverage + found.other == pytest.approx(1)
    assert sum(found.share) == pytest.approx(1)


def test_a_string_that_extends_its_own_answer_is_dropped_and_one_of_another_is_subtracted() -> None:
    answers = AnswerSet((Answer("1", ("a", "ab")), Answer("2", ("aba",))))
    terms = answers.terms(spell)
    assert [(t.answer, t.string, t.sign) for t in terms] == [(0, "a", 1), (0, "aba", -1), (1, "aba", 1)]


def test_endings_are_put_after_every_string_and_listed_in_full() -> None:
    answers = AnswerSet((Answer("1", ("a",)), Answer("2", ("b",))), endings=(".", "!"))
    assert [t.string for t in answers.terms(spell)] == ["a.", "a!", "b.", "b!"]


def test_an_answer_with_nothing_left_has_no_log_probability() -> None:
    answers = AnswerSet((Answer("1", ("a",)), Answer("2", ("ab",))))
    found = Distribution(answers, answers.terms(spell), (math.log(0.5), math.log(0.5), math.log(0.5)))
    assert found.log_prob == (-math.inf, pytest.approx(math.log(0.5)))
    assert found.as_records()[0]["log_prob"] is None
    assert found.as_records()[0]["probability"] == 0.0


def test_tiny_probabilities_do_not_underflow() -> None:
    answers = AnswerSet((Answer("1", ("a", "b")), Answer("2", ("c",))))
    found = Distribution(answers, answers.terms(spell), (-1000.0, -1000.0, -1001.0))
    assert found.log_prob[0] == pytest.approx(-1000 + math.log(2))
    assert found.share[0] == pytest.approx(2 / (2 + math.exp(-1)))


def test_kl_is_the_textbook_sum_over_answers_and_everything_else() -> None:
    answers = AnswerSet((Answer("1", ("a",)), Answer("2", ("b",))))
    terms = answers.terms(spell)
    p, q = (0.6, 0.3, 0.1), (0.2, 0.5, 0.3)
    one = Distribution(answers, terms, tuple(map(math.log, p[:2])))
    two = Distribution(answers, terms, tuple(map(math.log, q[:2])))
    assert one.kl_to(two) == pytest.approx(sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)))
    assert one.kl_to(one) == 0


def test_kl_grows_with_every_step_towards_nothing() -> None:
    answers = AnswerSet((Answer("1", ("a",)), Answer("2", ("b",))))
    terms = answers.terms(spell)
    clean = Distribution(answers, terms, (math.log(0.6), math.log(0.3)))
    falling = [Distribution(answers, terms, (lp, math.log(0.3))) for lp in (-1.0, -20.0, -50.0, -math.inf)]
    divergences = [clean.kl_to(ablated) for ablated in falling]
    assert divergences == sorted(divergences)
    assert math.isfinite(divergences[-1])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("1=once", "answers_few"),
        ("1=once;1=twice", "answers_label_twice"),
        ("1=;2=two", "answers_empty"),
        ("=once;2=two", "answers_empty"),
        ("", "answers_few"),
    ],
)
def test_answers_that_make_no_set_are_refused(text: str, key: str) -> None:
    with pytest.raises(InputError) as fault:
        AnswerSet.parse(text)
    assert fault.value.key == key


def test_parsing_takes_full_width_signs_and_a_bare_label() -> None:
    answers = AnswerSet.parse("0=零次=没有；1＝一次；many")
    assert [(a.label, a.strings, a.name) for a in answers.answers] == [
        ("0", ("零次", "没有"), "零次"),
        ("1", ("一次",), "一次"),
        ("many", ("many",), "many"),
    ]


def test_one_string_for_two_answers_is_refused() -> None:
    answers = AnswerSet((Answer("1", ("a",)), Answer("2", ("b", "a"))))
    with pytest.raises(InputError, match="same token sequence"):
        answers.terms(spell)


# ---- at any length


def test_terms_of_nested_strings_are_those_of_a_plain_search() -> None:
    """Every string's nearest ancestor, looked for among all the others."""
    strings = ["a", "ab", "abc", "abcd", "abd", "b", "ba", "bab", "c", "cab", "a b", "a bc"]
    owner = {string: number % 4 for number, string in enumerate(strings)}
    table = {str(label): [s for s in strings if owner[s] == label] for label in range(4)}
    expected = []
    for string in strings:
        above = [other for other in strings if other != string and string.startswith(other)]
        nearest = max(above, key=len, default=None)
        if nearest is None or owner[nearest] != owner[string]:
            expected.append((owner[string], string, 1))
            expected += [(owner[nearest], string, -1)] if nearest else []
    found = AnswerSet.of(table).terms(lambda string: tuple(map(ord, string)))
    assert sorted((t.answer, t.string, t.sign) for t in found) == sorted(expected)


@pytest.mark.parametrize("letter", ["a", "あ", "ア", "ก", "😀", "中", ".", "1", "🇨"])
def test_one_long_answer(letter: str) -> None:
    """What is not linear would not come back."""
    answers = AnswerSet.of({"0": ["x", letter], "1": [letter * 190_000]})
    terms = answers.terms(lambda string: tuple(map(ord, string)))
    assert [(t.answer, len(t.ids), t.sign) for t in terms] == [
        (0, 1, 1),
        (0, 1, 1),
        (0, 190_000, -1),
        (1, 190_000, 1),
    ]


def test_many_answers() -> None:
    """What is not linear would not come back."""
    answers = AnswerSet.of({str(n): [str(n)] for n in range(20_000)})
    terms = answers.terms(lambda string: tuple(map(ord, string)))
    found = Distribution(answers, terms, tuple(-20.0 - len(term.string) for term in terms))
    assert len(found.as_records()) == 20_000


@pytest.mark.parametrize(
    ("strings", "endings", "characters"),
    [(["b" * 200_000], (), 200_001), (["b"], ("." * 150_000,), 300_002), (["b"], (".",) * 60_000, 240_000)],
)
def test_more_characters_than_can_be_read(strings: list[str], endings: tuple, characters: int) -> None:
    answers = (Answer("0", ("a",)), Answer("1", tuple(strings)))
    with pytest.raises(LimitError, match=f"{characters:,}.*200,000"):
        AnswerSet(answers, endings)
