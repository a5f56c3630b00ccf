"""A gallery opened from a disk in Chromium, the network cut: it draws, and it keeps its language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from probes.record.results import ProbeResult
from probes.report import Given
from probes.site import Folder, Leaf, gallery
from tests import hostile_records
from tests.browser.conftest import PATIENCE, sync_api
from tests.browser.test_report import WATCH
from tests.test_study_contract import found

pytestmark = pytest.mark.browser
expect = sync_api.expect


def test_it_opens_from_a_disk_and_keeps_the_language(browser: Any, tmp_path: Path) -> None:
    data = hostile_records.hostile()
    titles = {"zh": "词", "en": "Words"}
    leaves = [
        Leaf("record-1", titles, None, [Given(found("words")), Given(found("heads"))], "record"),
        Leaf("record-2", titles, titles, [Given(ProbeResult(data["study"], data), "x.json")], "record"),
    ]
    Folder(tmp_path / "site").write(gallery(leaves, "en"))
    context = browser.new_context(offline=True, locale="zh-CN", color_scheme="dark")
    context.add_init_script(WATCH)
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.on("request", lambda asked: asked.url.startswith("file:///") or wrong.append(asked.url))
    page.goto((tmp_path / "site" / "index.html").as_uri())
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    page.locator("#language").click()
    page.locator(".cards a").first.click()
    for charts in (2, 1):
        expect(page.locator(".chart svg.marks")).to_have_count(charts, timeout=PATIENCE)
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page).to_have_title("Words")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("[window.refused, typeof window.hacked]") == [[], "undefined"]
        if charts == 2:
            page.locator("a[rel=next]").click()
    page.locator("a[href*='index.html']").click()
    expect(page.locator("h1")).to_contain_text("what the answer hangs on")
    assert wrong == []
    context.close()
