"""Pages in a real browser beside the clients: what a press takes until its answer is drawn."""

from __future__ import annotations

import shutil
import time
from typing import Any

from tests.load.tally import quantiles

QUERY = "lang=en&passage=coffee-en"
PAUSE = 4.0
PATIENCE = 120_000


def browse(url: str, pages: int, end: float) -> dict[str, Any]:
    """Pages in one Chromium, pressed by turns until `end`; {} where there is none, or none is wanted."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not pages or chromium is None:
        return {}
    from playwright.sync_api import Error, sync_playwright

    from tests.conftest import FLAGS

    took: list[float] = []
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        tabs = [browser.new_context(locale="en-GB").new_page() for _ in range(pages)]
        for tab in tabs:
            tab.on("pageerror", lambda error: errors.append(str(error)[:200]))
        try:
            for tab in tabs:
                tab.goto(f"{url}?{QUERY}")
                tab.wait_for_selector(".passage.scored .chip", timeout=PATIENCE)
            turn = 0
            while time.monotonic() < end:
                took.append(_pressed(tabs[turn % pages], turn // pages))
                turn += 1
                time.sleep(PAUSE / pages)
        except Error as fault:
            errors.append(f"{type(fault).__name__}: {str(fault)[:200]}")
        browser.close()
    return {"pages": pages, "seconds": quantiles(took), "errors": errors[:5]}


def _pressed(tab: Any, turn: int) -> float:
    """Press one word, by turns out and in again; seconds until the line on top speaks of it."""
    chips = tab.locator(".chip")
    chip = chips.nth(turn // 2 % min(chips.count(), 20))
    before = tab.locator("h3").first.inner_text()
    begun = time.monotonic()
    chip.click(timeout=PATIENCE)
    tab.wait_for_function(
        "said => (document.querySelector('h3')?.innerText ?? said) !== said", arg=before, timeout=PATIENCE
    )
    return time.monotonic() - begun
