"""One server and one browser for all tests here; each test has a context of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120_000
"""Milliseconds; other tests may be using the processor, and it may be slow."""
sync_api.expect.set_options(timeout=PATIENCE)
RESTS = "[data-testid=stApp][data-test-script-state=notRunning]"
CUT = """svgs => svgs.flatMap(svg => {
    const room = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text")].filter(text => {
        const box = text.getBoundingClientRect();
        return box.width && (box.right > room.right + 1 || box.left < room.left - 1);
    }).map(text => text.textContent);
})"""


@contextmanager
def served(folder: Path, *, health: str = "_stcore/health", **environment: str) -> Iterator[tuple[str, int]]:
    """The page as `streamlit run` serves it, on a free port, with a cache of its own: address and process."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    whole = {**os.environ, "CRUX_CACHE": str(folder), "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(port)]
    log = folder / "server.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=whole, stdout=out, stderr=out)
        try:
            _wait_for(f"http://127.0.0.1:{port}/{health}", process, log)
            yield f"http://127.0.0.1:{port}/", process.pid
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page of one's own."""
    with served(tmp_path_factory.mktemp("cache")) as (url, _):
        yield url


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")


def stop_of(page: Any) -> Any:
    """The page's own Stop of a long run, which a slow machine is offered first: Streamlit's toolbar has one,
    too, which leaves the page as it stands.
    """
    stop = page.get_by_test_id("stMain").get_by_role("button", name="Stop", exact=True)
    offer = page.locator(".st-key-words_measure button")
    sync_api.expect(stop.or_(offer).first).to_be_visible()
    if offer.count():
        offer.press("Enter")
    return stop


class Explore:
    """The page "Explore" in one browser tab, in the words of somebody who uses it."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.errors: list[str] = []
        self.foreign: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if not url.startswith((self.url, self.url.replace("http", "ws"), "data:", "blob:")):
            self.foreign.append(url)

    def open(self, query: str = "", *, scored: bool = True) -> Explore:
        self.page.goto(self.url + (f"?{query}" if query else ""))
        self.page.wait_for_selector(".chip", timeout=PATIENCE)
        if scored:
            self.measured(self.page.locator(".passage.scored .chip"))
        return self

    @property
    def chips(self) -> Any:
        return self.page.locator(".chip")

    def chip(self, word: str, nth: int = 0) -> Any:
        """The n-th chip with exactly this word."""
        exact = self.page.locator(".word", has_text=re.compile(f"^{re.escape(word)}$"))
        return self.page.locator(".chip", has=exact).nth(nth)

    def out(self) -> list[str]:
        """The words that are struck out."""
        return list(self.page.locator(".chip[aria-pressed=true] .word").all_inner_texts())

    @property
    def title(self) -> Any:
        return self.page.locator("h3").first

    def says(self, part: str) -> None:
        sync_api.expect(self.title).to_contain_text(part)

    def address(self, part: str) -> None:
        self.page.wait_for_url(lambda url: part in url, timeout=PATIENCE)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def measured(self, wanted: Any) -> None:
        """Wait for what is to be drawn; a slow machine offers a long run first, and it is accepted."""
        offered = self.page.locator("[class*=_measure]:not([class*=w_measure]) button")  # not the unit
        sync_api.expect(wanted.or_(offered).first).to_be_visible()
        if offered.count():
            offered.first.press("Enter")
            sync_api.expect(wanted.first).to_be_visible()

    def cut_off(self) -> list[str]:
        """The words of charts that their edges cut off."""
        found: list[str] = self.page.locator("[data-testid=stVegaLiteChart] svg").evaluate_all(CUT)
        return found

    def rests(self) -> None:
        """Once the script has run: what is drawn again meanwhile takes no press."""
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector(RESTS, timeout=PATIENCE)

    def taken(self, name: str, folder: Path) -> Path:
        """The file behind the button `name`, saved in `folder`.

        By keyboard: a font that arrives late moves the buttons, and a mouse that is pressed on one is then
        released beside it, which is no click. Once the page rests: what is drawn again meanwhile is another
        button.
        """
        self.page.wait_for_selector(RESTS, timeout=PATIENCE)
        with self.page.expect_download(timeout=PATIENCE) as download:
            self.page.get_by_role("button", name=name, exact=True).first.press("Enter")
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path


@pytest.fixture
def explore(browser: Any, server: str) -> Iterator[Explore]:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-GB")
    tab = Explore(context.new_page(), server)
    yield tab
    context.close()
    assert tab.errors == []
