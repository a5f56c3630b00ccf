"""The page Models: what is offered, what stands in the way, and a model chosen and loaded from the page."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import reaching
from dashboard.flights import Visitor
from dashboard.limits import Limits, Pin
from dashboard.service import Service
from dashboard.shelf import Choice
from probes.errors import LimitError, ModelError
from probes.models import catalog, download, fetch, hubs, memory, placement
from probes.models.offers import chinese_first, offer
from probes.models.source import resolve
from tests.dashboard.test_page import opened, query, state, title
from tests.models.conftest import save_tokenizer, tiny_llama
from tests.models.fake_hub import FakeHub

FIRST = "qwen3-0.6b"
REPO = "Qwen/Qwen3-0.6B"
OPEN = Limits()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that counts nothing, as a hub has it."""
    folder = tmp_path_factory.mktemp("original") / "tiny"
    tiny_llama(max_position_embeddings=2048).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


@pytest.fixture(autouse=True)
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Caches of this test alone; no hub is in reach but those that it brings."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "downloads"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("CRUX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("HF_TOKEN", "HF_ENDPOINT", "MODELSCOPE_ENDPOINT", "MODELSCOPE_CACHE"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    for name in hubs._ADDRESSES:
        monkeypatch.setitem(hubs._ADDRESSES, name, nobody)
    hubs.forget_reach()
    yield
    hubs.forget_reach()


@pytest.fixture
def hub(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A mirror and ModelScope; huggingface.co stays out of reach."""
    fake = FakeHub()
    fake.folders[REPO] = tiny
    with fake.running():
        monkeypatch.setitem(hubs._ADDRESSES, "hf-mirror", fake.url)
        monkeypatch.setitem(hubs._ADDRESSES, "modelscope", fake.url + "/")
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", fake.url)
        yield fake


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Service:
    """The service that the page's visitors share, of this test alone."""
    from dashboard import service

    found = Service(None, OPEN)
    monkeypatch.setattr(service, "_shared", [found])
    return found


def page(**query: str) -> AppTest:
    at = opened(**{"lang": "en", **query})
    at.switch_page("views/models.py").run()
    assert not at.exception
    return at


def text(at: AppTest) -> str:
    """All that the page says, what makes it plain taken off."""
    said = [one.value for kind in ("markdown", "caption", "warning", "info", "error") for one in at.get(kind)]
    plain = re.sub(r":color\[(\\?.)\]", r"\1", "\n".join(map(str, said)))
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", plain)


def in_reach(at: AppTest) -> AppTest:
    """The page once it knows which hubs can be reached."""
    reaching.wait(hubs.hubs(), 10)
    return at.run()


# ---- what is offered


def test_each_model_tells_its_memory_and_cannot_be_pressed_without_a_hub(shop: Service) -> None:
    at = in_reach(page())
    assert "No model hub can be reached from here (tried: 127.0.0.1" in text(at)
    assert at.button(key="load_qwen3-0-6b").disabled
    assert "Not on this machine." in text(at)
    assert not at.button(key="load_smollm2").disabled  # it comes as a package, too
    assert at.button(key="load_builtin").disabled
    assert "in use" in at.button(key="load_builtin").label
    assert "load_chinese" not in [button.key for button in at.button]
    needed = offer(resolve(FIRST), "cpu").size
    assert needed is not None
    assert f"needs {memory.readable(needed.bytes_needed)} in float32" in text(at)
    assert needed.bytes_needed > 4 * 596_049_920


def test_chinese_capable_ones_come_first_for_a_chinese_visitor(shop: Service) -> None:
    loads = [b.key for b in page(lang="zh").button if str(b.key).startswith("load_")]
    names = [f"load_{entry.name.replace('.', '-')}" for entry in catalog.entries()]
    assert loads[:3] == ["load_builtin", *names[:2]]
    english = [b.key for b in page().button if str(b.key).startswith("load_")]
    assert english[:2] == ["load_builtin", "load_smollm2"]
    assert sorted(english) == sorted(loads)


def test_what_does_not_fit_says_both_numbers(shop: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "bytes_free", lambda _device: 2_000_000_000)
    at = page()
    assert at.button(key="load_qwen3-0-6b").disabled
    assert "needs 3.3 GB in float32, and 2.0 GB is free. In bfloat16 it needs 1.8 GB" in text(at)
    assert re.search(r"Does not fit: needs 7\.\d GB in float32, and 2\.0 GB is free\.\n", text(at))
    at.selectbox(key="w_next_dtype").set_value("bfloat16").run()
    assert "needs 1.8 GB in bfloat16, 2.0 GB is free" in text(at)


def test_the_first_chinese_model_is_one_that_fits_and_wants_no_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def offered() -> str:
        found = chinese_first([offer(resolve(entry.name)) for entry in catalog.entries()])
        return found.name if found else ""

    assert offered() == FIRST
    monkeypatch.setattr(placement, "bytes_free", lambda _device: 3_000_000_000)
    assert offered() == "qwen2.5-0.5b"
    monkeypatch.setattr(placement, "bytes_free", lambda _device: 1_000_000_000)
    assert offered() == ""


def test_a_model_that_is_let_go_makes_room(tiny: Path) -> None:
    shop = Service(None, OPEN)
    before = shop.files.offer(Choice(FIRST)).size
    shop.model(Choice(str(tiny), device="cpu"))
    assert before is not None
    assert shop._shelf.spare(Choice(FIRST, device="cpu")) > 30_000
    assert shop._shelf.spare(Choice(str(tiny), device="cpu")) == 0


# ---- a press


def test_one_press_loads_a_chinese_capable_model(hub: FakeHub, shop: Service) -> None:
    at = in_reach(page(lang="zh"))
    press = at.button(key="load_chinese")
    assert "qwen3" in press.label
    assert "127" in press.label
    press.click().run()
    assert not at.exception
    assert not at.error
    assert "qwen3-0.6b" in title(at)
    assert (state(at).model, state(at).hub) == (FIRST, "hf-mirror")
    assert query(at)["hub"] == "hf-mirror"
    assert "在本机上" in text(at)
    assert "load_chinese" not in [button.key for button in at.button]
    at.switch_page("views/explore.py").run()
    assert not at.error


def test_modelscope_is_chosen_on_the_page(hub: FakeHub, shop: Service) -> None:
    at = in_reach(page())
    at.selectbox(key="w_hub").set_value("modelscope").run()
    assert not at.button(key="load_qwen3-0-6b").disabled
    at.button(key="load_qwen3-0-6b").click().run()
    assert not at.error
    model = shop.loaded(Choice(FIRST))
    assert model is not None
    assert model.describe()["hub"] == "modelscope"
    assert any(path.startswith("GET /models/Qwen/") for path in hub.asked)


def test_a_load_that_fails_leaves_the_model_in_use(hub: FakeHub, shop: Service) -> None:
    hub.broken[f"{REPO}/resolve"] = (403, "GatedRepo")
    at = in_reach(page(hub="hf-mirror"))
    at.button(key="load_qwen3-0-6b").click().run()
    assert not at.exception
    assert "agreed to its licence" in text(at)
    assert state(at).model == "builtin"
    assert "Built-in model is loaded" in title(at)


def test_what_is_on_this_machine_needs_no_hub(hub: FakeHub, shop: Service) -> None:
    shop.files.bring(Choice(FIRST, hub="hf-mirror"))
    hubs.forget_reach()
    hub.asked.clear()
    at = page()
    assert "on this machine" in text(at)
    at.button(key="load_qwen3-0-6b").click().run()
    assert state(at).model == FIRST
    assert not [path for path in hub.asked if REPO in path]


# ---- one's own


def look(at: AppTest, spec: str) -> AppTest:
    at.text_input[[one.label for one in at.text_input].index("Folder, .gguf file or id")].set_value(spec)
    at.button[[button.label for button in at.button].index("See what it needs")].click().run()
    assert not at.exception
    return at


def test_a_folder_tells_its_memory_and_is_loaded(shop: Service, tiny: Path) -> None:
    at = look(page(), str(tiny))
    assert "LlamaForCausalLM" in text(at)
    assert "nothing is downloaded" in text(at)
    assert shop.loaded(Choice(str(tiny))) is None
    at.button(key="load_own").click().run()
    assert state(at).model == str(tiny)
    assert "tiny is loaded" in title(at)


def test_a_gguf_file_tells_its_memory_from_its_header(shop: Service, tmp_path: Path) -> None:
    case = next(Path("tests/cases/start_gguf_no_flag").glob("*.gguf"))
    path = Path(shutil.copy(case, tmp_path))
    at = look(page(), str(path))
    assert "parameters) needs" in text(at)
    at.button(key="load_own").click().run()
    assert state(at).model == str(path)
    assert not at.error


def test_an_id_tells_its_memory_and_its_download_before_either(hub: FakeHub, shop: Service) -> None:
    at = look(in_reach(page(hub="modelscope")), REPO)
    assert "is still to be downloaded" in text(at)
    assert "model.safetensors" not in hub.downloads()
    at.button(key="load_own").click().run()
    assert state(at).model == REPO
    assert "model.safetensors" in hub.downloads()


@pytest.mark.parametrize("spec", ["/no/such/folder", "not an id", "owner/unknown", "**bold** `x`"])
def test_what_is_none_says_so_and_cannot_be_loaded(hub: FakeHub, shop: Service, spec: str) -> None:
    at = look(page(hub="hf-mirror"), spec)
    assert len(at.error) == 1
    assert "load_own" not in [button.key for button in at.button]


def test_what_is_too_large_cannot_be_loaded(
    shop: Service, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "bytes_free", lambda _device: 1000)
    at = look(page(), str(tiny))
    assert "does not fit: it needs" in text(at)
    assert at.button(key="load_own").disabled


# ---- a download is a request that all follow


class Steps:
    """A follower who notes what it is told, and leaves when it is asked to."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, int]] = []
        self.begun, self.leaves, self.here = Event(), False, True
        self.visitor = Visitor(object(), lambda: True, lambda: self.here)

    def __call__(self, stage: str, done: int, total: int) -> None:
        self.seen.append((stage, done, total))
        self.begun.set()
        if self.leaves:
            raise InterruptedError


def following(shop: Service, choice: Choice, steps: Steps) -> tuple[Thread, list[BaseException]]:
    fault: list[BaseException] = []

    def work() -> None:
        try:
            shop.files.bring(choice, steps.visitor, steps)
        except BaseException as error:  # noqa: BLE001 (looked at by the test)
            fault.append(error)

    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread, fault


@pytest.fixture
def slow(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    monkeypatch.setattr(download, "EVERY", 0.0)
    hub.step = 512
    hub.going.clear()
    return hub


def until(told: Any, patience: float = 20.0) -> None:
    import time

    end = time.monotonic() + patience
    while not told():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_two_visitors_share_one_download(slow: FakeHub) -> None:
    shop, first, second = Service(None, OPEN), Steps(), Steps()
    one, _ = following(shop, Choice(FIRST, hub="hf-mirror"), first)
    assert first.begun.wait(20)
    other, _ = following(shop, Choice(FIRST, hub="modelscope", dtype="bfloat16"), second)
    assert second.begun.wait(20)
    slow.going.set()
    for thread in (one, other):
        thread.join(60)
    assert first.seen[-1] == second.seen[-1]
    assert first.seen[-1][1] == first.seen[-1][2] > 100_000
    assert slow.downloads().count("model.safetensors") == 1


def test_a_download_goes_on_for_who_looks_at_another_page(
    slow: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.flights.LINGER", 0.0)
    shop, steps, choice = Service(None, OPEN), Steps(), Choice(FIRST, hub="hf-mirror")
    thread, fault = following(shop, choice, steps)
    assert steps.begun.wait(20)
    steps.leaves = True
    slow.going.let(2)
    thread.join(20)
    assert isinstance(fault[0], InterruptedError)
    sent = slow.sent
    slow.going.let(20)
    until(lambda: slow.sent >= sent + 20)  # with nobody following it
    assert shop.files.under_way(choice)
    again = Steps()
    back, _ = following(shop, choice, again)
    slow.going.set()
    back.join(60)
    assert again.seen[-1][1] == again.seen[-1][2]
    assert slow.downloads().count("model.safetensors") == 1


@pytest.mark.parametrize("how", ["stop", "closed tab"])
def test_a_download_that_nobody_wants_ends_and_is_taken_up_later(
    slow: FakeHub, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("dashboard.flights.LINGER", 0.0)
    shop, steps, choice = Service(None, OPEN), Steps(), Choice(FIRST, hub="hf-mirror")
    thread, _ = following(shop, choice, steps)
    assert steps.begun.wait(20)
    steps.leaves = True
    slow.going.let(2)
    thread.join(20)
    if how == "stop":
        shop.files.let_go(choice, steps.visitor)
    else:
        steps.here = False
    until(lambda: slow.going.let(1) or not shop.files.under_way(choice))
    slow.going.set()
    again = Steps()
    shop.files.bring(choice, again.visitor, again)
    assert 0 < again.seen[0][1] < again.seen[0][2]
    assert slow.ranges[-1] == ("model.safetensors", again.seen[0][1])
    assert again.seen[-1][1] == again.seen[-1][2]


def test_a_stop_on_the_page_offers_to_go_on(hub: FakeHub, shop: Service) -> None:
    at = in_reach(page())
    choice = Choice(FIRST, hub="hf-mirror")
    at.session_state["visit"].coming = choice
    at.session_state["visit"].stopped.add(("load", choice))
    at.run()
    assert "was stopped. What came of it is kept" in text(at)
    assert "model.safetensors" not in hub.downloads()
    at.button(key="load_go_on").click().run()
    assert state(at).model == FIRST


@pytest.mark.parametrize("limits", [OPEN, Limits.from_environment({"CRUX_HOSTED": "1"})])
def test_a_model_that_is_a_package_needs_no_hub(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(fetch, "fetch", lambda name, _progress: fetched.append(name))
    files = Service(None, limits).files
    if limits.hosted:  # no program is started for a stranger
        with pytest.raises(ModelError, match="cannot be reached"):
            files.bring(Choice("smollm2"))
    else:
        files.bring(Choice("smollm2"))
    assert fetched == ([] if limits.hosted else ["smollm2"])


def test_too_large_a_model_is_not_downloaded(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "bytes_free", lambda _device: 1000)
    with pytest.raises(LimitError, match="1 kB is free"):
        Service(None, OPEN).files.bring(Choice(FIRST, hub="hf-mirror"))
    assert "model.safetensors" not in hub.downloads()


# ---- hosted

HOSTED = Limits(hosted=True, models=("builtin",), pins={"builtin": Pin("ab" * 32)})


@pytest.mark.parametrize(
    "choice",
    [
        Choice(FIRST),
        Choice("/etc"),
        Choice("owner/name"),
        Choice("builtin", hub="modelscope"),
        Choice("builtin", revision="main"),
        Choice("builtin", dtype="bfloat16"),
    ],
)
def test_a_hosted_page_refuses_at_the_service_whatever_it_shows(hub: FakeHub, choice: Choice) -> None:
    files = Service(None, HOSTED).files
    for ask in (files.bring, files.preview, files.offer, files.needs_consent):
        with pytest.raises(ModelError) as caught:
            ask(choice)
        assert caught.value.key in ("page_model", "page_device")
    assert hub.asked == []


def test_a_hosted_page_shows_its_models_alone(monkeypatch: pytest.MonkeyPatch, hub: FakeHub) -> None:
    from dashboard import service

    monkeypatch.setattr(service, "_shared", [Service(None, Limits.from_environment({"CRUX_HOSTED": "1"}))])
    at = page(hub="modelscope")  # which a link may ask for, and a card does not take over
    assert "models that its host has checked" in text(at)
    loads = [button.key for button in at.button if str(button.key).startswith("load_")]
    assert loads == ["load_builtin", "load_smollm2"]
    assert len(at.text_input) == 0
    assert "w_hub" not in [box.key for box in at.selectbox]
    at.session_state["visit"].coming = Choice("Qwen/Qwen3-0.6B", hub="modelscope")
    at.run()
    assert "This page runs builtin, smollm2 only" in text(at)
    assert hub.asked == []
