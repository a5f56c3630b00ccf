"""Every study by every engine, in every form it can be had in; and what each engine could get wrong."""

from __future__ import annotations

import copy
import csv
import json
import math
from pathlib import Path

import pytest
import torch

from probes import load_model, run
from probes.asking.answers import AnswerSet
from probes.asking.question import Question
from probes.cli import main
from probes.commands import shared
from probes.models.local import LocalModel
from probes.studies import STUDIES
from probes.text.passage import Passage
from tests import inside_oracle

FEWER = {
    "words": ["--mode", "hide"],
    "heads": ["--control", "2"],
    "links": ["--budget", "2"],
    "layers": ["--reference-size", "2"],
    "minimal": ["--lead", "0"],
    "order": ["--moved", "word", "--shuffles", "3"],
    "definition": ["--change", "walked", "--words", "2"],
    "counterfactual": ["--change", "walked", "--to", "ran; looked"],
    "frequency": ["--mention", "bar", "--draws", "2"],
    "questions": ["--other", "Who walked?", "--other-answers", "0=I;1=you"],
    "focus": ["--tokens", "6", "--mode", "replace"],
    "patch": ["--change", "walked into", "--to", "walked past"],
}


@pytest.fixture(scope="module", params=["auto", "batches", "reference"])
def model(request: pytest.FixtureRequest) -> LocalModel:
    return load_model("builtin", engine=request.param)


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_by_every_engine_in_every_form(
    model: LocalModel,
    study: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(shared, "load", lambda *_: model)
    passage, record, rows = (tmp_path / name for name in ("passage.txt", "record.json", "rows.csv"))
    passage.write_text("I walked into the bar.", encoding="utf-8")
    asked = ["--passage", str(passage), "--question", "How often?", "--answers", "0=never;1=once"]
    files = ["--json", str(record), "--csv", str(rows)]
    main([study, *asked, *FEWER.get(study, []), *files, "--no-cache", "--lang", "en"])
    data = json.loads(record.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert {report["how"] for report in data["provenance"]["engine"]} == {
        {"auto": "tree"}.get(model.how, model.how)
    }
    with rows.open(encoding="utf-8", newline="") as lines:
        assert len(list(csv.DictReader(lines))) >= len(data.get("rows", data.get("answers")))
    assert data["headline"].split()[0] in capsys.readouterr().out


def test_a_string_less_one_that_goes_on_from_it_is_what_it_is_in_float64(model: LocalModel) -> None:
    """P("three") less P("three times"), nearly all of it: P(prefix) * (1 - P(next | prefix)) in float64."""
    visits = ("I walked into", "On Monday I went to", "On Friday I went to")
    text = " ".join(f"{visit} the bar. Then I went home." for visit in visits)
    question = Question(
        Passage(text),
        "How many times did I go to the bar?",
        AnswerSet.parse("bare=three;times=three times;other=never"),
    )
    layout = model.layout(question)
    ids = {term.string.strip(): term.ids for term in layout.terms}
    (three,), (_, times) = ids["three"], ids["three times"]
    exact = copy.deepcopy(model.loaded.model).double()

    def bare() -> float:
        with torch.no_grad():
            logits = exact(torch.tensor([[*layout.ids, three]]), use_cache=False).logits[0, -2:]
        begins, goes_on = logits.log_softmax(-1)[[0, 1], [three, times]].tolist()
        return begins + math.log(-math.expm1(goes_on))

    assert bare() < -7  # a thousandth of what is subtracted: its last digits are all that is left
    assert run("ask", model, question).data["answers"][0]["log_prob"] == pytest.approx(bare(), abs=1e-4)
    heads = run("heads", model, question, {"cumulative": False, "control": 0}).rows
    with inside_oracle.changing(exact, "head", 4, lambda rows: rows[:, :32].zero_()):
        without = bare()
    row = next(row for row in heads if (row["layer"], row["head"]) == (4, 0))
    assert row["answers"][0]["log_prob"] == pytest.approx(without, abs=1e-4)
