"""What examining a model gave is remembered, for that very model only."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from probes.cli import main
from probes.engine import findings
from probes.engine.execute import Engine
from probes.engine.findings import Findings
from probes.engine.jobs import Job
from probes.models import load_model, remembered
from tests.arch.configs import CONFIGURATIONS

TEXT = tuple(3 + (7 * i) % 90 for i in range(14))
JOBS = [Job(TEXT, ((20,), (31, 40))), Job(TEXT[:4] + TEXT[5:], ((20,), (31, 40)))]


@pytest.fixture
def examinations(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each time that a model was examined."""
    seen: list[object] = []
    examine = findings.examine

    def counted(*given: object) -> object:
        seen.append(given)
        return examine(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(findings, "examine", counted)
    return seen


def opened(folder: Path) -> Engine:
    return load_model(str(folder), device="cpu").engine  # type: ignore[attr-defined,no-any-return]


def test_the_same_model_is_examined_once(folder: Path, examinations: list[object]) -> None:
    first, second = opened(folder), opened(folder)
    assert len(examinations) == 1
    assert second.findings == first.findings
    assert dict(second.run(JOBS)) == dict(first.run(JOBS))


def changed_weights(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] *= 2
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def changed_configuration(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 0.1}))


@pytest.mark.parametrize("change", [changed_weights, changed_configuration])
def test_another_model_at_the_same_place_is_examined(
    folder: Path, examinations: list[object], change: Callable[[Path], None]
) -> None:
    opened(folder)
    change(folder)
    opened(folder)
    assert len(examinations) == 2


def test_another_precision_is_examined(folder: Path, examinations: list[object]) -> None:
    for dtype in ("float32", "bfloat16", "float32"):
        assert load_model(str(folder), device="cpu", dtype=dtype).engine  # type: ignore[attr-defined]
    assert len(examinations) == 2


@pytest.mark.parametrize(
    "spoilt",
    [
        "",
        "{",
        "[]",
        '{"anatomy": {"layers": [{"nonsense": 1}]}}',
        '{"anatomy": {"layers": [], "capabilities": []}}',
    ],
)
def test_a_broken_note_is_no_harm(folder: Path, cache: Path, examinations: list[object], spoilt: str) -> None:
    opened(folder)
    (note,) = (cache / "findings").iterdir()
    note.write_text(spoilt)
    opened(folder)
    opened(folder)
    assert len(examinations) == 2


def test_a_check_is_never_from_memory(folder: Path, examinations: list[object]) -> None:
    opened(folder)
    for times in (2, 3):
        main(["models", "check", str(folder), "--device", "cpu"])
        assert len(examinations) == times


def test_what_broke_off_is_not_remembered(
    folder: Path, examinations: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A moment without memory must not take heads away from a model for good."""

    def no_memory(subject: object) -> None:
        raise MemoryError

    with monkeypatch.context() as moment:
        moment.setattr("probes.engine.experiments.Examined.heads_add_up", no_memory)
        assert not opened(folder).anatomy.can("heads")
    assert opened(folder).anatomy.can("heads")
    assert opened(folder).anatomy.can("heads")
    assert len(examinations) == 2


def test_another_engine_or_another_machine_examines_anew(
    folder: Path, examinations: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(folder)
    code = tmp_path / "engine"
    code.mkdir()
    (code / "selfcheck.py").write_text("# another one")
    with monkeypatch.context() as other:
        other.setattr(remembered, "ENGINE", code)
        opened(folder)
    with monkeypatch.context() as other:
        other.setattr(remembered, "processor", lambda: "another one")
        opened(folder)
    assert len(examinations) == 3
    opened(folder)
    assert len(examinations) == 3


def test_a_cache_that_cannot_be_written_is_no_harm(folder: Path, cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "findings").write_text("a file in the folder's place")
    assert dict(opened(folder).run(JOBS))


@pytest.mark.parametrize("name", ["llama", "gpt2", "bloom", "mamba", "qwen3_next", "falcon"])
def test_findings_survive_being_written(name: str) -> None:
    model = CONFIGURATIONS[name].build()
    with torch.no_grad():
        engine = Engine(model)
        text = json.dumps(engine.findings.as_dict())
        again = Findings.from_dict(json.loads(text))
        assert json.dumps(again.as_dict()) == text
        assert again.anatomy.layers == engine.anatomy.layers
        assert dict(again.anatomy.capabilities) == dict(engine.anatomy.capabilities)
        assert dict(Engine(model, known=again).run(JOBS)) == dict(engine.run(JOBS))
