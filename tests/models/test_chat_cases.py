"""Chat templates that were used wrongly once, on one tiny model: right values are of plain forwards."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.asking.trials import Trial
from probes.errors import InputError
from probes.models.loading import load
from probes.models.local import LocalModel
from probes.models.source import resolve
from probes.text.passage import Passage

CASES = Path(__file__).parents[1] / "cases"
MODEL = CASES / "chat_answer_space" / "ch_llama2"
TEXT = "I walked into the coffee shop. Then I left it again and went home."


def asked(**changes: str) -> Question:
    return Question(Passage(TEXT), "How many?", AnswerSet.parse("once;twice"), **changes)


def scored(model: LocalModel) -> dict[str, float]:
    (prepared,) = model.prepare(asked(), [Trial()])
    (found,) = [log_probs for _, log_probs in model.score([prepared])]
    return {term.string: value for term, value in zip(model.layout(asked()).terms, found, strict=True)}


@pytest.fixture
def with_template(tmp_path: Path):
    """The model with the chat template of a case."""

    def make(case: str) -> LocalModel:
        folder = Path(shutil.copytree(MODEL, tmp_path / case))
        shutil.copy(CASES / case / "chat_template.jinja", folder)
        return LocalModel(load(resolve(str(folder)), device="cpu"))

    return make


def test_the_space_that_the_template_writes_before_an_answer() -> None:
    model = LocalModel(load(resolve(str(MODEL)), device="cpu"))
    assert scored(model) == pytest.approx({" once": -9.129, " twice": -16.246}, abs=1e-3)


def test_a_system_prompt_without_a_role_is_refused(with_template) -> None:
    model = with_template("chat_drops_system")
    with pytest.raises(InputError, match="no place for this system prompt"):
        model.layout(asked(system="Answer like a pirate."))
    assert model.layout(asked()).frame.system is None


def test_a_list_of_parts_is_passed_where_it_is_wanted(with_template) -> None:
    model = with_template("chat_drops_text")
    prompt = f"<|user|>{TEXT}\n\nHow many?<|end|>\n<|assistant|>\n"
    expected = {}
    for string in ("once", "twice"):
        ids = model.tokenizer(prompt, add_special_tokens=False).input_ids
        more = model.tokenizer(string, add_special_tokens=False).input_ids
        with torch.no_grad():
            steps = model.loaded.model(torch.tensor([ids + more])).logits.log_softmax(-1)[0, len(ids) - 1 :]
        expected[string] = sum(float(steps[i, token]) for i, token in enumerate(more))
    assert scored(model) == pytest.approx(expected, abs=1e-5)


def test_a_text_that_would_be_read_twice_is_refused(with_template) -> None:
    with pytest.raises(InputError, match="more than once"):
        with_template("chat_text_twice").layout(asked())
