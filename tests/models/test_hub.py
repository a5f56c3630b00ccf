"""The model hub: found, downloaded, used again without it, and each way of failing said by itself."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from probes.errors import LimitError, ModelError
from probes.models import hub as hub_module
from probes.models import memory, placement
from probes.models.loading import inspect, load
from probes.models.source import Source, resolve
from tests.models.fake_hub import COMMIT, FakeHub

REPO = "owner/tiny"


@pytest.fixture(autouse=True)
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub library's own cache, empty and of this test alone."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "downloads"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "downloads"


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    fake = FakeHub()
    fake.folders[REPO] = folder
    with fake.running():
        monkeypatch.setenv("HF_ENDPOINT", fake.url)
        yield fake


@pytest.fixture
def nothing_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub at a port where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")


def refusal(source: Source) -> ModelError:
    with pytest.raises(ModelError) as caught:
        load(source, device="cpu")
    for text in (str(caught.value), caught.value.say("zh")):
        assert "secret" not in text
        assert "http" not in text
    return caught.value


def test_a_model_is_looked_up_downloaded_and_opened(hub: FakeHub, folder: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    loaded = load(resolve(REPO), device="cpu", on_progress=lambda *step: steps.append(step))
    here = load(resolve(str(folder)), device="cpu")
    ids = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        assert torch.equal(loaded.model(ids).logits, here.model(ids).logits)
    assert loaded.source == Source("hub", REPO, repo=REPO, revision=COMMIT)
    assert loaded.fingerprint == here.fingerprint
    size = (folder / "model.safetensors").stat().st_size
    assert [step for step in steps if step[0] == "download"][-1][1] >= size


def test_what_was_downloaded_is_used_when_the_hub_is_gone(
    hub: FakeHub, folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    load(resolve(REPO), device="cpu")
    request.getfixturevalue("nothing_there")
    hub.asked.clear()
    assert load(resolve(REPO), device="cpu").source.revision == COMMIT
    assert load(resolve(REPO, COMMIT), device="cpu").source.revision == COMMIT
    assert hub.asked == []


def test_a_size_is_known_before_weights_are_downloaded(hub: FakeHub, folder: Path) -> None:
    size = inspect(resolve(REPO), device="cpu")
    exact = inspect(resolve(str(folder)), device="cpu")
    assert size.parameters == pytest.approx(exact.parameters, rel=0.1)
    assert size.architecture == "LlamaForCausalLM"
    assert "model.safetensors" not in hub.downloads()


def test_what_does_not_fit_is_not_downloaded(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "bytes_free", lambda _device: 1000)
    with pytest.raises(LimitError, match="1 kB is free"):
        load(resolve(REPO), device="cpu")
    assert "model.safetensors" not in hub.downloads()


def test_what_does_not_fit_the_disk_is_not_downloaded(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "disk_free", lambda _folder: 0)
    with pytest.raises(LimitError) as caught:
        load(resolve(REPO), device="cpu")
    assert caught.value.key == "disk"
    assert "model.safetensors" not in hub.downloads()


def test_an_unsafe_model_is_refused_by_the_list_of_its_files(hub: FakeHub, folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert refusal(resolve(REPO)).key == "pickle_only"
    assert hub.downloads() == []


def test_only_safe_files_are_downloaded(hub: FakeHub, folder: Path) -> None:
    for name in ("pytorch_model.bin", "modeling_evil.py", "training_args.pt", "consolidated.safetensors"):
        (folder / name).write_bytes(b"x")
    load(resolve(REPO), device="cpu")
    assert not {name for name in hub.downloads() if name.endswith((".bin", ".py", ".pt"))}
    assert "consolidated.safetensors" not in hub.downloads()


def test_a_custom_model_is_refused_before_its_weights(hub: FakeHub, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoModelForCausalLM": "evil.M"}}
    (folder / "config.json").write_text(json.dumps(config))
    assert refusal(resolve(REPO)).key == "custom_code"
    assert "model.safetensors" not in hub.downloads()


@pytest.mark.parametrize(
    ("status", "code", "key"),
    [
        (404, "RepoNotFound", "hub_unknown"),
        (401, "", "hub_unknown"),
        (403, "GatedRepo", "hub_gated"),
        (404, "RevisionNotFound", "hub_revision"),
        (503, "", "hub_error"),
        (429, "", "hub_error"),
    ],
)
def test_each_refusal_of_the_hub_is_said_by_itself(hub: FakeHub, status: int, code: str, key: str) -> None:
    hub.broken["owner/other"] = (status, code)
    assert refusal(resolve("owner/other", "v1")).key == key


def test_a_revision_that_is_none(hub: FakeHub) -> None:
    assert load(resolve(REPO, "v1"), device="cpu").source.revision == COMMIT
    assert refusal(resolve(REPO, "v2")).key == "hub_revision"


def test_a_gated_model_that_is_listed_but_not_given(hub: FakeHub) -> None:
    hub.broken[f"{REPO}/resolve"] = (403, "GatedRepo")
    assert refusal(resolve(REPO)).key == "hub_gated"


@pytest.mark.usefixtures("nothing_there")
def test_no_hub_in_reach() -> None:
    error = refusal(resolve(REPO))
    assert error.key == "hub_unreachable"
    assert "127.0.0.1" in str(error)
    assert "smollm2" in str(error)


def test_a_hub_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert refusal(resolve(REPO)).key == "hub_unreachable"


def test_a_log_in_page_instead_of_a_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    class Portal(FakeHub):
        def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
            return 200, {"Content-Type": "text/html"}, b"<html>please log in</html>"

    with Portal().running() as portal:
        monkeypatch.setenv("HF_ENDPOINT", portal.url)
        assert refusal(resolve(REPO)).key == "hub_unreachable"


def test_nobody_is_asked_when_that_is_forbidden(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert refusal(resolve(REPO)).key == "hub_offline"
    assert hub.asked == []


def test_a_token_is_sent_only_where_one_was_set(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.utils._headers.get_token", lambda: "hf_left_behind_by_a_log_in")
    load(resolve(REPO), device="cpu")
    assert set(hub.tokens) == {None}
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    inspect(resolve(REPO), device="cpu")
    assert hub.tokens[-1] == "Bearer hf_mine"
    hub.broken[REPO] = (401, "")
    with pytest.raises(ModelError) as caught:
        load(resolve(REPO), device="cpu")
    assert caught.value.key == "hub_token"
    assert "hf_mine" not in str(caught.value)
