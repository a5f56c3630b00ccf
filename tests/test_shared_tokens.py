"""Words that share a token: what is done to it is done to both, it counts once, and the record says so."""

from __future__ import annotations

import random
from functools import cache
from itertools import combinations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.locale import note_text
from probes.models.loading import Loaded
from probes.models.local import LocalModel
from probes.models.placement import Size
from probes.models.source import Source
from probes.running.runner import run
from probes.studies.control import random_sets
from probes.studies.shared_tokens import shared
from probes.text.passage import Passage
from tests.arch.tiny import Tiny

TEXT = "我走进咖啡店。"
TOGETHER = ("走进", "咖啡店")
"""Words of which the tokenizer makes one token of their inner characters: 进咖."""


def tokenizer() -> PreTrainedTokenizerFast:
    names = ["<unk>", *dict.fromkeys("我走进咖啡店。几次？零一 once;twicehow?"), "进咖"]
    core = Tokenizer(models.BPE({name: i for i, name in enumerate(names)}, [("进", "咖")], unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split(" ", "isolated")
    core.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>")


@cache
def model() -> LocalModel:
    written = tokenizer()
    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "vocab_size": len(written),
    }
    source = Source("folder", "tiny")
    return LocalModel(
        Loaded(
            Tiny("llama", sizes).build(), written, source, "tiny", "float32", "cpu", Size(0, 0, 0, "llama")
        )
    )


@cache
def question() -> Question:
    answers = AnswerSet.parse("零次;一次")
    return Question(Passage(TEXT), "几次？", answers, template="plain", swaps=(("我", "走"),))


def named(record: dict, texts: tuple[str, ...]) -> list[int]:
    return [unit["index"] for unit in record["units"] if unit["text"] in texts]


def test_units_are_told_which_others_have_a_token_of_theirs() -> None:
    spans = [[(0, 2)], [(1, 3)], [(3, 4)], [], [(2, 3), (5, 6)]]
    assert shared(spans) == [[1], [0, 4], [], [], [1]]


def test_hidden_words_name_those_that_are_hidden_with_them() -> None:
    data = run("words", model(), question(), {"mode": "hide"}).data
    rows = {row["text"]: row for row in data["rows"]}
    one, two = (rows[text] for text in TOGETHER)
    assert one["shares_tokens"] == [two["index"]]
    assert two["shares_tokens"] == [one["index"]]
    assert set(one["hidden_positions"]) & set(two["hidden_positions"])
    assert rows["我"]["shares_tokens"] == []
    (note,) = data["notes"]
    assert note == {"key": "shared_tokens", "pairs": "走进 + 咖啡店", "count": 1}
    assert "走进 + 咖啡店" in note_text(note, "zh")
    assert run("words", model(), question(), {"mode": "delete"}).data["notes"] == []


@pytest.mark.parametrize("mode", ["hide", "delete"])
def test_a_word_that_is_hidden_in_part_is_named(mode: str) -> None:
    notes = run("ask", model(), question(), {"drop": "走进", "mode": mode}).data["notes"]
    assert [note["pairs"] for note in notes] == (["走进 + 咖啡店"] if mode == "hide" else [])
    assert run("ask", model(), question(), {"drop": "走进,咖啡店", "mode": mode}).data["notes"] == []


@pytest.mark.parametrize("study", ["attention", "links", "patch"])
def test_units_that_are_read_by_tokens_are_marked(study: str) -> None:
    data = run(study, model(), question(), {}).data
    one, two = named(data, TOGETHER)
    assert data["units"][one]["shares_tokens"] == [two]
    assert [note["key"] for note in data["notes"]] == ["shared_tokens"]


def test_what_is_read_of_a_shared_token_counts_once_in_the_rest() -> None:
    data = run("attention", model(), question(), {}).data
    layout = model().layout(question())
    spans = model().token_spans(question(), question().passage.words)
    tokens = {i for ranges in spans for begin, end in ranges for i in range(begin, end)}
    weights = model().inside.attention(question())
    for row in data["rows"]:
        read = weights[row["layer"]][row["head"], len(layout.ids) - 1].double()
        others = sum(float(value) for i, value in enumerate(read) if i and i not in tokens)
        assert row["rest"] == pytest.approx(others, abs=1e-6)
        assert sum(row["weights"]) > 1 - row["rest"] - row["sink"] + 1e-4, "the words' own shares overlap"


def test_as_many_random_sets_are_drawn_as_were_asked_for() -> None:
    """There are 28 sets: 20 of them are found with any seed, though most draws repeat an earlier set."""
    lengths = [1] * 10
    for seed in range(50):
        assert len(random_sets(lengths, [0, 1], 2, 20, random.Random(seed))) == 20
    every = set(combinations(range(2, 10), 2))
    assert set(random_sets(lengths, [0, 1], 2, 1000, random.Random(1))) == every
