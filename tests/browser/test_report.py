"""A report in Chromium with the network cut: it draws, speaks both languages, and runs nothing of others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from probes.record.results import ProbeResult
from probes.report import Given, read, report
from probes.running.headline import headline
from probes.studies import STUDIES
from probes.text.characters import visible
from tests import hostile_records
from tests.browser.conftest import PATIENCE, Explore, sync_api
from tests.test_study_contract import found

pytestmark = pytest.mark.browser
expect = sync_api.expect
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
WATCH = """window.refused = [];
addEventListener("securitypolicyviolation", (event) => window.refused.push(event.violatedDirective));"""


class Opened:
    """A report in a tab of its own that reaches nothing, and all that happens there against the rules."""

    def __init__(self, browser: Any, folder: Path, page: str, **looks: Any) -> None:
        self.path = folder / "report.html"
        self.path.write_text(page, encoding="utf-8")
        self.context = browser.new_context(offline=True, accept_downloads=True, **looks)
        self.context.set_offline(True)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(f"error {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("popup", lambda _: self.wrong.append("popup"))
        self.page.route("**/*", self._route)
        self.page.add_init_script(WATCH)
        self.page.goto(self.path.as_uri())
        self.drawn()

    def _dialog(self, dialog: Any) -> None:
        self.wrong.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _asked(self, url: str) -> None:
        if url != self.path.as_uri() and not url.startswith("blob:"):
            self.wrong.append(f"request {url}")

    def _route(self, route: Any) -> None:
        if route.request.url == self.path.as_uri():
            route.continue_()
        else:
            self.wrong.append(f"route {route.request.url}")
            route.abort()

    def drawn(self) -> None:
        """Every picture is there; an error of the page would keep them away for ever."""
        assert self.wrong == []
        places = self.page.locator(".chart")
        for n in range(places.count()):
            expect(places.nth(n).locator("svg.marks, canvas").first).to_be_visible(timeout=PATIENCE)

    def other_language(self) -> None:
        self.page.locator("#language").click()
        self.page.wait_for_timeout(100)
        self.drawn()

    def close(self) -> list[str]:
        """What happened against the rules: requests, errors, dialogs, what the policy refused, globals."""
        refused = self.page.evaluate("window.refused")
        hacked = self.page.evaluate("[typeof window.hacked, document.querySelectorAll('img, iframe').length]")
        self.context.close()
        wrong = [f"refused {name}" for name in refused]
        return [*self.wrong, *wrong, *([] if hacked == ["undefined", 0] else [f"hacked {hacked}"])]


@pytest.fixture(params=hostile_records.STUDIES)
def hostile(request: pytest.FixtureRequest) -> dict[str, Any]:
    return hostile_records.hostile(request.param)


@pytest.fixture(params=["as it is", "without its policy"])
def guarded(request: pytest.FixtureRequest) -> bool:
    """The policy is the second wall: the first must hold without it."""
    return request.param == "as it is"


def test_nothing_of_a_hostile_record_runs(
    browser: Any, tmp_path: Path, hostile: dict[str, Any], guarded: bool
) -> None:
    name = "".join(hostile_records.ATTACKS[:3])
    page = report([Given(ProbeResult(hostile["study"], hostile), name)] * 2, "en")
    opened = Opened(browser, tmp_path, page if guarded else POLICY.sub("", page))
    expect(opened.page.locator("nav")).to_contain_text(hostile_records.ATTACKS[0])
    expect(opened.page.locator(".facts").first).to_contain_text(hostile_records.ATTACKS[2])
    for summary in opened.page.locator("summary").all():
        summary.click()
    box = opened.page.locator(".chart svg").first.bounding_box()
    for part in (0.1, 0.3, 0.5, 0.7, 0.9):  # what pointing at a mark tells
        opened.page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] * part)
    opened.other_language()
    whole = opened.page.locator("html").inner_text()
    assert visible(hostile_records.ATTACKS[0]) in whole
    assert opened.close() == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_study_is_drawn_in_both_languages(browser: Any, tmp_path: Path, theme: str) -> None:
    given = [Given(found(study), f"{study}.json") for study in STUDIES]
    looks = {"color_scheme": theme, "viewport": {"width": 390, "height": 800}}
    opened = Opened(browser, tmp_path, report(given, "zh"), **looks)
    for lang in ("zh", "en"):
        assert opened.page.evaluate("document.documentElement.lang") == lang
        whole = opened.page.locator("body").inner_text()
        other = {"zh": "en", "en": "zh"}[lang]
        for one in given:
            told = " ".join(headline(one.result.data, lang).split())
            assert told in " ".join(whole.split())
            assert headline(one.result.data, other) not in whole
        opened.other_language()
    wide = opened.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    assert opened.close() == []


def test_a_record_is_saved_from_the_page_as_it_went_in(browser: Any, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, report([Given(found("ask")), Given(found("words"))], "en"))
    with opened.page.expect_download(timeout=PATIENCE) as download:
        opened.page.get_by_role("button", name="Save the record").nth(1).click()
    assert download.value.suggested_filename == "crux-record-2.json"
    saved = tmp_path / "saved.json"
    download.value.save_as(saved)
    assert json.loads(saved.read_text(encoding="utf-8")) == json.loads(found("words").to_json())
    assert opened.close() == []


def test_it_prints_dark_on_white_without_its_buttons(browser: Any, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, report([Given(found("words"))], "en"), color_scheme="dark")
    opened.page.emulate_media(media="print", color_scheme="dark")
    looks = opened.page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert looks == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    expect(opened.page.locator("#language")).to_be_hidden()
    ink = "getComputedStyle(document.querySelector('.chart svg text')).fill"
    assert opened.page.evaluate(ink) == "rgb(0, 0, 0)"
    assert opened.page.pdf(format="A4").startswith(b"%PDF")
    assert opened.close() == []


def test_the_page_offers_the_report_of_its_record(explore: Explore, tmp_path: Path) -> None:
    explore.open("lang=en&passage=coffee-en")
    explore.page.get_by_role("tab", name="Take it with you").click()
    path = explore.taken("Report", tmp_path)
    assert path.suffix == ".html"
    (back,) = read(str(path))
    assert back.data["clean"]["preset"] == "coffee-en"
