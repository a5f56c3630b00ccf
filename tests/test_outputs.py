"""Every study by every engine, in every form that it can be had in."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from probes import load_model
from probes.cli import main
from probes.commands import shared
from probes.models.local import LocalModel
from probes.studies import STUDIES

FEWER = {
    "words": ["--mode", "hide"],
    "heads": ["--control", "2"],
    "links": ["--budget", "2"],
    "layers": ["--reference-size", "2"],
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
