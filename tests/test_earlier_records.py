"""Records made before each study had its own file still open: sentence, table, picture, CSV, both languages.

`earlier_records/` holds one of each study, and one of a set of passages where the study has those, as that
release wrote them (its built-in model, "I walked into the coffee shop. Then I walked home.").
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from probes.record.results import ProbeResult
from probes.running.headline import headline
from probes.studies import STUDIES

FOLDER = Path(__file__).parent / "earlier_records"
SINGLE = ("ask", "words", "heads", "links", "attention", "layers", "lens", "patch")
SETS = ("heads", "links", "attention", "layers", "lens", "patch")
LANGUAGES = ("en", "zh")


def record(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert data["schema"] == 1
    return data


def test_every_record_kept_is_read_here() -> None:
    names = {*SINGLE, *(f"{name}-set" for name in SETS)}
    assert {path.stem for path in FOLDER.glob("*.json")} == names


@pytest.mark.parametrize("name", [*SINGLE, *(f"{name}-set" for name in SETS)])
def test_sentence_table_and_csv(name: str) -> None:
    data = record(name)
    study = STUDIES[data["study"]]
    opening = data["headline"].split(".")[0]
    assert headline(data, "en").startswith(opening)
    for lang in LANGUAGES:
        assert headline(data, lang)
        assert len(study.tabled(data, lang).rows) == len(data.get("rows", [])) + len(data.get("groups", []))
    rows = list(csv.DictReader(io.StringIO(ProbeResult(study.name, data).to_csv())))
    assert len(rows) == len(data.get("rows", data.get("answers"))) + len(data.get("groups", []))


@pytest.mark.parametrize("name", SINGLE)
def test_picture(name: str) -> None:
    data = record(name)
    for lang in LANGUAGES:
        assert STUDIES[name].picture(ProbeResult(name, data), lang).to_dict()["layer"]


def test_what_an_earlier_record_does_not_say_is_left_out() -> None:
    """No word on chance where it was not drawn; no number where it was not counted."""
    told = headline(record("attention"), "en")
    assert "ρ = +0.09 over 10 words" in told
    assert "chance" not in told
    words = STUDIES["words"].tabled(record("words"), "en")
    lead = [name for name, _ in words.columns].index("lead")
    assert {row[lead] for row in words.rows} == {"n/a"}
