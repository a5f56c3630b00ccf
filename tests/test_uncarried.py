"""A word that no token of the model carries is n/a wherever it stands; its neighbours have their tokens."""

from __future__ import annotations

from functools import cache

import pytest

from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.models.loading import Loaded
from probes.models.local import LocalModel
from probes.models.placement import Size
from probes.models.source import Source
from probes.numbers import nats
from probes.running.headline import headline
from probes.running.runner import run
from probes.text.passage import Passage
from tests.arch.tiny import Tiny
from tests.models.test_offsets import letters
from tests.oracle import log_prob_hidden

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "vocab_size": 48,
}
TEXT = "i saw 😀 mary go."
GONE = ("effect_log_prob", "effect_probability", "kl", "flips", "no_change")


@cache
def model() -> LocalModel:
    """A tiny Llama whose tokenizer drops what is no letter of its own."""
    loaded = Loaded(
        Tiny("llama", SIZES).build(),
        letters(),
        Source("folder", "tiny"),
        "tiny",
        "float32",
        "cpu",
        Size(0, 0, 0, "llama"),
    )
    return LocalModel(loaded)


@cache
def question() -> Question:
    return Question(
        Passage(TEXT), "who?", AnswerSet.parse("once;twice"), template="plain", swaps=(("mary", "home"),)
    )


def of_the_face(rows, name="text"):
    return next(row for row in rows if row[name] == "😀")


def test_a_hidden_word_behind_it_is_exactly_its_tokens():
    record = run("ask", model(), question(), {"drop": "mary", "mode": "hide"}).data
    names = model().tokenizer.convert_ids_to_tokens(record["prompt_ids"])
    hidden = record["taken"]["hidden_positions"]
    assert "".join(names[i] for i in hidden).strip("▁") == "mary"
    ids = tuple(record["prompt_ids"])
    for run_, positions in ((record["clean"], frozenset()), (record, frozenset(hidden))):
        terms = [t for answer in run_["answers"] for t in answer["scored"]]
        assert terms
        for term in terms:
            expected = log_prob_hidden(model().loaded.model, ids, tuple(term["ids"]), positions, layers=2)
            assert term["log_prob"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("mode", ["hide", "delete"])
def test_among_words_it_is_null(mode):
    record = run("words", model(), question(), {"mode": mode})
    row = of_the_face(record.data["rows"])
    assert row["tokens"] == 0
    assert all(
        (row[name] is None) == (row["prompt_ids"] == record.data["clean"]["prompt_ids"]) for name in GONE
    )
    others = [row for row in record.data["rows"] if row["text"] != "😀"]
    assert all(row[name] is not None for row in others for name in GONE)
    if mode == "hide":
        assert [row[name] for name in GONE] == [None] * 5
        assert nats(row) == "n/a"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_alone_it_is_null_and_said(lang):
    record = run("ask", model(), question(), {"drop": "😀", "mode": "hide"}, lang=lang)
    assert [record.data[name] for name in GONE] == [None] * 5
    assert "n/a" in headline(record.data, lang)
    assert record.to_json()


def test_its_links_and_states_are_null():
    links = run("links", model(), question(), {"budget": 400}).data
    touched = [
        r for r in links["rows"] if "😀" in (r["to"]["text"], r["from"] != "answer" and r["from"]["text"])
    ]
    assert touched
    assert all(row[name] is None for row in touched for name in GONE)
    assert all(row["kl"] is not None for row in links["rows"] if row not in touched)
    for direction in ("denoising", "noising"):
        patch = run("patch", model(), question(), {"direction": direction}).data
        rows = [row for row in patch["rows"] if row["text"] == "😀"]
        assert rows
        assert all(row["recovered"] is None and row["kl"] is None for row in rows)
        assert all(row["recovered"] is not None for row in patch["rows"] if row["text"] != "😀")


def test_its_attention_correlates_with_nothing():
    found = run("attention", model(), question(), {"mode": "hide"}).data
    words = [unit["text"] for unit in found["units"]]
    assert found["effects"][words.index("😀")] is None
    assert {row["weights"][words.index("😀")] for row in found["rows"]} == {None}
    assert None not in [row["weights"][words.index("mary")] for row in found["rows"]]
    assert found["mean"][words.index("😀")] is None
    assert found["agreement"] is None or found["agreement"]["words"] == len(words) - 1
