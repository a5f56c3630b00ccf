"""A model is chosen, downloaded, stopped, taken up and loaded, all from the page Models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import RESTS, served, sync_api
from tests.models.conftest import save_tokenizer, tiny_llama
from tests.models.fake_hub import FakeHub

pytestmark = pytest.mark.browser
expect = sync_api.expect


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeHub]:
    folder = tmp_path_factory.mktemp("original") / "tiny"
    tiny_llama(max_position_embeddings=2048).save_pretrained(folder)
    save_tokenizer(folder)
    fake = FakeHub()
    fake.folders["Qwen/Qwen3-0.6B"] = folder
    fake.step = 4096
    with fake.running():
        yield fake


@pytest.fixture(scope="module")
def address(hub: FakeHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("cache")
    ways = {"HF_ENDPOINT": hub.url, "MODELSCOPE_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1"}
    with served(folder, HF_HUB_CACHE=str(folder / "hub"), **ways) as (url, _):
        yield url


def test_a_model_is_loaded_from_the_page(browser: Any, hub: FakeHub, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}models?lang=zh")
    press = page.locator(".st-key-load_chinese button")
    expect(press).to_contain_text("qwen3-0.6b")
    page.wait_for_selector(RESTS)
    hub.going.clear()
    press.press("Enter")
    stop = page.locator(".st-key-load_stop button")
    expect(stop).to_be_visible()
    expect(page.locator("h3").first).to_contain_text("内置模型")  # in use until the other one is loaded
    stop.press("Enter")
    on = page.locator(".st-key-load_go_on button")
    expect(on).to_be_visible()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    hub.going.set()
    on.press("Enter")
    expect(page.locator("h3").first).to_contain_text("qwen3-0.6b")
    page.wait_for_url(lambda url: "model=qwen3-0.6b" in url)
    expect(page.locator(".st-key-load_qwen3-0-6b button")).to_be_disabled()
    assert errors == []
    context.close()
