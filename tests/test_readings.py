"""What is read off the clean run, against plain forwards with gradients; kept, counted, refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from probes import load_model, preset, run
from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.asking.readings import Attention, Gradients, Lens
from probes.errors import CapabilityError
from probes.models.local import LocalModel
from probes.record.store import Store
from probes.studies import STUDIES, Asking, Study
from probes.studies.base import Steps
from probes.text.passage import Passage


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return load_model("builtin")


@pytest.fixture(scope="module")
def question() -> Question:
    full = preset("coffee-en").question()
    passage = Passage(full.passage.text[: full.passage.sentences[1].end])
    few = AnswerSet.parse("0=never;1=once=one time;3=three times")
    return replace(full, passage=passage, preset=None, roles={}, answers=few)


def saliency(asking: Asking) -> Steps:
    """A study with gradients: what a stranger's would be."""
    words = asking.question.passage.words
    (found,) = yield [Gradients(((asking.target.answer, 1.0),), words)]
    return {"rows": [{"text": word.text, **one} for word, one in zip(words, found, strict=True)]}


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(STUDIES, "saliency", Study("saliency", (), saliency, needs=("inside",)))
    return "saliency"


def test_gradients_are_those_of_a_plain_forward(model: LocalModel, question: Question, study: str) -> None:
    data = run(study, model, question, {}).data
    layout, stock = model.layout(question), model.loaded.model
    clean = next(a for a in data["clean"]["answers"] if a["answer"] == data["target"]["label"])
    embedded = stock.get_input_embeddings()(torch.tensor([layout.ids])).detach().requires_grad_()
    total = torch.zeros(())
    for string in clean["scored"]:
        tail = stock.get_input_embeddings()(torch.tensor([string["ids"][:-1]], dtype=torch.long))
        whole = torch.cat([embedded, tail.detach()], dim=1)
        logs = stock(inputs_embeds=whole).logits[0].log_softmax(-1)
        n = len(layout.ids) - 1
        each = sum(logs[n + place, token] for place, token in enumerate(string["ids"]))
        total = total + string.get("sign", 1) * each.exp()
    (gradient,) = torch.autograd.grad(total.log(), embedded)
    spans = model.token_spans(question, question.passage.words)
    for row, ranges in zip(data["rows"], spans, strict=True):
        tokens = [i for begin, end in ranges for i in range(begin, end)]
        own, inputs = gradient[0, tokens], embedded.detach()[0, tokens]
        assert row["norm"] == pytest.approx(float(own.norm()), rel=2e-3, abs=1e-6)
        assert row["times_input"] == pytest.approx(float((own * inputs).sum()), rel=5e-3, abs=1e-5)


def test_what_was_read_is_kept_and_not_read_again(
    model: LocalModel, question: Question, study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "trials.sqlite")
    first = run(study, model, question, {}, store=store)
    assert first.data["provenance"]["readings"] == 1

    def never(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(model.inside, "gradients", never)
    again = run(study, model, question, {}, store=store)
    assert again.rows == first.rows


def test_a_reading_is_a_step_of_the_progress(model: LocalModel, question: Question, study: str) -> None:
    told: list[tuple[int, int]] = []
    run(study, model, question, {}, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2, 2)  # the clean run, and the reading


def test_a_study_may_go_on_without_a_reading_that_is_refused(
    model: LocalModel, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise CapabilityError("attention_refused", note="not this one")

    def steps(asking: Asking) -> Steps:
        try:
            yield [Attention(asking.question.passage.words)]
        except CapabilityError as fault:
            told = fault.key
        (layers,) = yield [Lens()]
        return {"rows": [{"text": told, "layers": len(layers)}]}

    monkeypatch.setitem(STUDIES, "stubborn", Study("stubborn", (), steps, needs=("inside",)))
    monkeypatch.setattr(model.inside, "word_attention", refused)
    data = run("stubborn", model, question, {}).data
    assert data["rows"] == [{"text": "attention_refused", "layers": 7}]
    with pytest.raises(CapabilityError):
        run("attention", model, question, {})
