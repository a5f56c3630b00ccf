"""What stopped downloads left, on the page Models and on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboard import service
from dashboard.limits import Limits
from dashboard.service import Service
from probes.cli import main
from probes.models import unfinished
from probes.models.download import PART
from tests.dashboard.test_models_page import page, text


@pytest.fixture
def part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three megabytes of a model."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "downloads"))
    found = tmp_path / "downloads" / "models--Owner--a--b" / "blobs" / f"{'0' * 64}.12345678{PART}"
    found.parent.mkdir(parents=True)
    found.write_bytes(b"0" * 3_000_000)
    return found


def test_the_page_says_what_is_left_and_throws_it_away(part: Path) -> None:
    at = page()
    assert "Stopped midway: Owner/a--b, 3 MB are here" in text(at)
    at.button(key="discard_unfinished").click().run()
    assert not part.exists()
    assert "Stopped midway" not in text(at)
    assert not [one for one in at.button if one.key == "discard_unfinished"]


def test_where_the_cache_cannot_be_written_nothing_is_offered(
    part: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("CRUX_CACHE", str(tmp_path / "file"))
    assert unfinished.unfinished() == []
    assert unfinished.discard(unfinished.Unfinished("Owner/a--b", (part,))) == 0
    assert part.exists()


def test_a_hosted_page_shows_nobody_s_files(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_shared", [Service(None, Limits.from_environment({"CRUX_HOSTED": "1"}))])
    at = page()
    assert "Stopped midway" not in text(at)
    assert part.exists()


def test_the_command_line_says_what_is_left_and_throws_it_away(
    part: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["models", "unfinished", "--json"])
    left = {"unfinished": [{"model": "Owner/a--b", "bytes": 3_000_000}], "freed": None}
    assert json.loads(capsys.readouterr().out) == left
    main(["models", "unfinished"])
    assert "Owner/a--b" in capsys.readouterr().out
    assert part.exists()
    main(["models", "unfinished", "--discard"])
    assert "3 MB are free again" in capsys.readouterr().out
    assert not part.exists()
    main(["models", "unfinished"])
    assert "No download was left unfinished" in capsys.readouterr().out
