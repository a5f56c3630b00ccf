"""The model hub: found, downloaded, used again without it, and each way of failing said by itself."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import torch

from probes.errors import InputError, LimitError, ModelError
from probes.models import download, hubs, huggingface, memory, placement, unfinished
from probes.models.loading import bring, load
from probes.models.looking import inspect, on_this_machine, preview
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
    assert loaded.source == Source("hub", REPO, repo=REPO, revision=COMMIT, hub="huggingface")
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
    monkeypatch.setattr(huggingface, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert refusal(resolve(REPO)).key == "hub_unreachable"


def test_a_log_in_page_instead_of_a_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    class Portal(FakeHub):
        def answer(self, path: str, query: object) -> tuple[int, dict[str, str], bytes]:
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
    inspect(resolve(REPO, "v1"), device="cpu")
    assert hub.tokens[-1] == "Bearer hf_mine"
    hub.broken[REPO] = (401, "")
    with pytest.raises(ModelError) as caught:
        load(resolve(REPO, "v1"), device="cpu")
    assert caught.value.key == "hub_token"
    assert "hf_mine" not in str(caught.value)


# ---- which hub


@pytest.fixture
def elsewhere(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """The same hub as the mirror and as ModelScope; nobody listens where the default one is."""
    monkeypatch.setitem(hubs._ADDRESSES, "hf-mirror", hub.url)
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.url)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
    return hub


def test_the_operators_hub_is_asked_first_and_the_others_are_a_fixed_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert [hub.name for hub in hubs.hubs()] == ["huggingface", "hf-mirror", "modelscope"]
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example/")
    assert [hub.name for hub in hubs.hubs()] == ["own", "huggingface", "hf-mirror", "modelscope"]
    monkeypatch.setenv("HF_ENDPOINT", "https://hf-mirror.com")
    assert [hub.name for hub in hubs.hubs()] == ["hf-mirror", "huggingface", "modelscope"]
    for name in ("own", "http://evil.example", "../x"):
        with pytest.raises(InputError, match="no model hub here"):
            resolve(REPO, hub=name)


def test_a_mirror_is_asked_for_one_call_alone(elsewhere: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    before = dict(os.environ)
    assert refusal(resolve(REPO)).key == "hub_unreachable"
    loaded = load(resolve(REPO, hub="hf-mirror"), device="cpu")
    assert loaded.source.revision == COMMIT
    assert loaded.describe()["hub"] == "huggingface"
    assert "model.safetensors" in elsewhere.downloads()
    assert set(elsewhere.tokens) == {None}  # a token is not for a third party
    assert dict(os.environ) == before


def test_modelscope_gives_the_same_model(elsewhere: FakeHub, folder: Path) -> None:
    for name in ("pytorch_model.bin", "modeling_evil.py", "..evil.json", "consolidated.safetensors"):
        (folder / name).write_bytes(b"x")
    source = resolve(REPO, hub="modelscope")
    assert preview(source, device="cpu").download == (folder / "model.safetensors").stat().st_size
    assert "model.safetensors" not in elsewhere.downloads()
    loaded = load(source, device="cpu")
    here = load(resolve(str(folder)), device="cpu")
    assert loaded.fingerprint == here.fingerprint
    assert loaded.source == Source("hub", REPO, repo=REPO, revision="master", hub="modelscope")
    sent = set(elsewhere.downloads())
    assert sent == {"model.safetensors", *(path.name for path in folder.glob("[a-z]*.j*"))}
    assert preview(source, device="cpu").download == 0


def test_what_one_hub_brought_is_used_when_another_is_gone(
    elsewhere: FakeHub, request: pytest.FixtureRequest
) -> None:
    load(resolve(REPO, hub="modelscope"), device="cpu")
    elsewhere.asked.clear()
    again = load(resolve(REPO), device="cpu")
    assert again.describe()["hub"] == "modelscope"
    assert elsewhere.asked == []


def test_what_modelscopes_own_tool_brought_is_found(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("nothing_there")
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "scope"))
    shutil.copytree(folder, tmp_path / "scope/models/owner/tiny-0___5b")
    assert load(resolve("owner/tiny-0.5b"), device="cpu").describe()["hub"] == "modelscope"


@pytest.mark.parametrize(
    ("status", "key"), [(404, "hub_unknown"), (403, "hub_gated"), (401, "hub_gated"), (502, "hub_error")]
)
def test_each_refusal_of_modelscope_is_said_by_itself(elsewhere: FakeHub, status: int, key: str) -> None:
    elsewhere.broken["owner/other"] = (status, "")
    assert refusal(resolve("owner/other", hub="modelscope")).key == key
    assert refusal(resolve(REPO, "v2", hub="modelscope")).key == "hub_revision"


def test_modelscope_is_not_asked_when_that_is_forbidden(
    elsewhere: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert refusal(resolve(REPO, hub="modelscope")).key == "hub_offline"
    assert not hubs.try_reach(hubs.hub_named("modelscope"))
    assert elsewhere.asked == []


# ---- stopped and taken up

STEP = 4096


class Enough(BaseException):
    """As a Stop: no error."""


@pytest.fixture
def told_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every piece that comes is told of, however quickly."""
    monkeypatch.setattr(download, "EVERY", 0.0)


def stopped(source: Source, hub: FakeHub) -> int:
    """Stop a download after two steps; the bytes that were here by then."""
    hub.step, seen = STEP, [0]

    def told(stage: str, done: int, total: int) -> None:
        if stage == "download":
            seen[0] = done
            if done >= 2 * STEP:
                raise Enough

    with pytest.raises(Enough):
        bring(source, device="cpu", on_progress=told)
    return seen[0]


@pytest.mark.usefixtures("told_each")
@pytest.mark.parametrize("name", ["", "modelscope"])
def test_a_stopped_download_goes_on_where_it_was(hub: FakeHub, name: str, folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.url)
    source, size = resolve(REPO, hub=name), (folder / "model.safetensors").stat().st_size
    here = stopped(source, hub)
    assert here >= 2 * STEP
    assert preview(source, device="cpu").download == size - here
    steps: list[tuple[str, int, int]] = []
    bring(source, device="cpu", on_progress=lambda *step: steps.append(step))
    assert steps[0] == ("download", here, size)
    assert steps[-1] == ("download", size, size)
    assert hub.ranges == [("model.safetensors", here)]
    assert load(source, device="cpu").fingerprint == load(resolve(str(folder)), device="cpu").fingerprint
    assert not list(folder.parent.rglob("*.incomplete"))


@pytest.mark.usefixtures("told_each")
@pytest.mark.parametrize("name", ["", "modelscope"])
def test_what_a_stopped_download_left_can_be_thrown_away(
    hub: FakeHub, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.url)
    source = resolve(REPO, hub=name)
    assert unfinished.unfinished() == []
    here = stopped(source, hub)
    (left,) = unfinished.unfinished()
    assert (left.repo, left.size) == (REPO, here)
    with download._lock(left.parts[0], 1.0):  # as whoever downloads it at the moment
        assert unfinished.unfinished() == []
        assert unfinished.discard(left) == 0
    assert unfinished.discard(left) == here
    assert unfinished.unfinished() == []
    assert (left.size, unfinished.discard(left)) == (0, 0)
    bring(source, device="cpu")
    assert hub.ranges == []  # from its beginning
    assert unfinished.unfinished() == []


@pytest.mark.parametrize("name", ["", "modelscope"])
def test_a_broken_line_is_taken_up_again(hub: FakeHub, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.url)
    hub.step, hub.cut["model.safetensors"] = STEP, 3 * STEP + 5
    load(resolve(REPO, hub=name), device="cpu")
    assert hub.ranges
    assert all(start <= 3 * STEP + 5 for _, start in hub.ranges)


@pytest.mark.parametrize("name", ["", "modelscope"])
def test_a_file_that_is_not_the_listed_one_is_thrown_away(
    hub: FakeHub, name: str, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.url)
    hub.spoilt.add("model.safetensors")
    assert refusal(resolve(REPO, hub=name)).key == "hub_hash"
    assert not list(folder.parent.rglob("*.incomplete"))
    hub.spoilt.clear()
    load(resolve(REPO, hub=name), device="cpu")


def test_two_at_once_download_a_file_once(hub: FakeHub) -> None:
    hub.step = STEP
    threads = [Thread(target=bring, args=(resolve(REPO),), kwargs={"device": "cpu"}) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert hub.downloads().count("model.safetensors") == 1


# ---- whether a hub can be reached


def test_whether_a_hub_can_be_reached_is_remembered(elsewhere: FakeHub) -> None:
    default, scope = hubs.hub_named(""), hubs.hub_named("modelscope")
    assert (hubs.reach(default), hubs.reach(scope)) == (None, None)
    assert (hubs.try_reach(default), hubs.try_reach(scope)) == (False, True)
    assert (hubs.reach(default), hubs.reach(scope)) == (False, True)
    hubs.forget_reach()
    assert hubs.reach(default) is None


def test_who_was_out_of_reach_a_moment_ago_is_not_waited_for(hub: FakeHub) -> None:
    load(resolve(REPO, "v1"), device="cpu")
    hubs.note_reach(hubs.hub_named(""), False)
    hub.asked.clear()
    load(resolve(REPO, "v1"), device="cpu")
    assert hub.asked == []


def test_what_is_here_is_used_as_it_is_unless_a_branch_is_named(hub: FakeHub) -> None:
    load(resolve(REPO), device="cpu")
    hub.asked.clear()
    assert on_this_machine(resolve(REPO)) is not None
    load(resolve(REPO), device="cpu")
    assert hub.asked == []
    load(resolve(REPO, "v1"), device="cpu")
    assert hub.asked != []
