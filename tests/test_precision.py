"""In half precision the limits of a record know how far its numbers may be off, by float32 as the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from probes import load_model, preset, run
from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.engine.rounding import widened
from probes.models.local import LocalModel
from probes.record.leads import NATS, POINTS, raised
from probes.text.passage import Passage

HEADS = {"cumulative": False, "control": 0}


@pytest.fixture(scope="module")
def low() -> LocalModel:
    return load_model("builtin", dtype="bfloat16")


@pytest.fixture(scope="module")
def high(low: LocalModel) -> LocalModel:
    """The very weights of `low`, all computing in float32."""
    model = load_model("builtin")
    with torch.no_grad():
        pairs = zip(model.loaded.model.parameters(), low.loaded.model.parameters(), strict=True)
        for wide, narrow in pairs:
            wide.copy_(narrow)
    return model


@pytest.fixture(scope="module")
def question() -> Question:
    """Far from certain, so that nothing saturates: two sentences of a preset in a template it never saw."""
    full = preset("coffee-en").question()
    passage = Passage(full.passage.text[: full.passage.sentences[1].end])
    few = AnswerSet.parse("0=never;1=once;3=three times")
    return replace(full, passage=passage, preset=None, roles={}, answers=few, template="plain")


@pytest.fixture(scope="module")
def records(low: LocalModel, high: LocalModel, question: Question) -> list[tuple[Any, Any]]:
    """Words and heads in bfloat16, and in float32."""
    asked = (("words", {}), ("heads", HEADS))
    return [tuple(run(study, m, question, o).data for m in (low, high)) for study, o in asked]  # type: ignore[misc]


def test_float32_needs_no_bar(records: list[tuple[Any, Any]]) -> None:
    data = records[0][1]
    assert data["precision"] is None
    assert data["thresholds"] == {"points": 1.0, "nats": 0.05, "margin": {"points": POINTS, "nats": NATS}}


def test_the_bar_holds_what_it_says_and_not_much_more(records: list[tuple[Any, Any]]) -> None:
    off = [
        abs(one["effect_log_prob"] - truth["effect_log_prob"])
        for found, wanted in records
        for one, truth in zip(found["rows"], wanted["rows"], strict=True)
    ]
    bar = records[0][0]["precision"]
    assert (bar["dtype"], bar["measured"]) == ("bfloat16", True)
    assert sum(error <= bar["nats"] for error in off) >= 0.95 * len(off)
    spread = (sum(error**2 for error in off) / len(off)) ** 0.5
    assert spread < bar["nats"] < 10 * spread, "three standard deviations, told within a factor of three"


def test_nothing_is_called_a_change_that_float32_calls_none(records: list[tuple[Any, Any]]) -> None:
    for found, wanted in records:
        assert found["thresholds"]["nats"] == max(0.05, found["precision"]["nats"])
        assert found["thresholds"]["margin"]["nats"] == max(NATS, found["precision"]["nats"])
        assert found["provenance"]["options"]["nats"] == 0.05, "what was asked stays what was asked"
        pairs = zip(found["rows"], wanted["rows"], strict=True)
        assert not [a for a, b in pairs if a["no_change"] is False and b["no_change"]]
    words = zip(records[0][0]["rows"], records[0][1]["rows"], strict=True)
    naive = [abs(a["effect_log_prob"]) >= 0.05 and b["no_change"] for a, b in words]
    assert any(naive), "at the limits of float32 roundings would be called changes"


def test_limits_are_raised_and_never_lowered() -> None:
    asked = {"points": 30.0, "nats": 0.5, "seed": 0}
    assert raised(asked, None) == {**asked, "margin": {"points": POINTS, "nats": NATS}}
    assert raised(asked, {"nats": 0.4}) == {**asked, "margin": {"points": 10.0, "nats": 0.4}}
    assert raised({**asked, "nats": 0.05}, {"nats": 0.4})["nats"] == 0.4


def test_a_model_is_wide_for_a_moment_only(low: LocalModel, high: LocalModel) -> None:
    stock, truth = low.loaded.model, high.loaded.model
    before = [(p, p.data_ptr()) for p in stock.parameters()]
    ids = torch.tensor([[5, 6, 7, 8, 9, 10]])
    with torch.no_grad():
        narrow, wanted = stock(ids).logits, truth(ids).logits
        with widened(stock):
            wide = stock(ids).logits
        again = stock(ids).logits
        with pytest.raises(IndexError), widened(stock):
            stock(torch.tensor([[10**6]]))
    assert wide.dtype == torch.float32
    assert float((wide - wanted).abs().max()) < 1e-4 < float((narrow.float() - wanted).abs().max())
    assert torch.equal(narrow, again)
    assert [(p, p.data_ptr()) for p in stock.parameters()] == before
    assert {p.dtype for p in stock.parameters()} == {torch.bfloat16}
