"""What a real model would write in the place of a word, and how fluent that is: against plain forwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from probes import load_model, preset, run
from probes.models.proposals import proposals
from probes.text.passage import Passage
from tests.oracle import log_prob

pytestmark = pytest.mark.real


def test_proposals_are_words_ranked_by_how_the_sentence_reads_on(smollm2: Path) -> None:
    model, question = load_model(str(smollm2)), preset("coffee-en").question()
    (span,) = question.passage.find("walked")
    found = proposals(model, question, span, 3)
    words = [word for word, _ in found]
    assert len(set(words)) == 3
    assert "walked" not in words
    assert all(len(Passage(word).words) == 1 for word in words)
    assert [fluency for _, fluency in found] == sorted((fluency for _, fluency in found), reverse=True)
    layout = model.layout(question)
    before = layout.frame.before + question.passage.text[: span[0]]
    rest = " into the coffee shop and ordered a latte, then found"

    def likely(word: str) -> float:
        ids = model.tokenizer(before.rstrip(" "), add_special_tokens=False).input_ids
        whole = model.tokenizer(before + word + rest, add_special_tokens=False).input_ids
        assert whole[: len(ids)] == ids
        return log_prob(model.loaded.model, ids, whole[len(ids) :])

    for word, fluency in found:
        assert fluency == pytest.approx(likely(word) - likely("walked"), abs=1e-3)
    result = run("counterfactual", model, question, {"change": "walked", "propose": 3, "fluency": 100})
    mine = [(row["text"], row["fluency"]) for row in result.rows if row["from"] == "model"]
    assert [word for word, _ in mine] == words
    assert result.data["unfit"] == 0
