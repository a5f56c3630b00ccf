"""Take docs/lecture-en.png and lecture-zh.png off a running page: `python scripts/lecture_picture.py URL`.

The scene of the key action, its words predicted, with the verdict on the built-in model. Needs Playwright and
Chromium, as the tests in tests/browser do.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).resolve().parents[1] / "docs"
PRESSED = {"en": ("walked", "into", "decided"), "zh": ("走进", "决定", "出来")}
PATIENCE = 600_000
"""Milliseconds, on a machine that has other work."""


def take(page: Page, url: str, lang: str) -> None:
    """Predict, see, and save the picture."""
    page.goto(f"{url.rstrip('/')}/lecture?lang={lang}&passage=coffee-{lang}&scene=L4")
    page.locator("button.chip").first.wait_for()
    for word in PRESSED[lang]:
        page.locator("button.chip", has_text=word).first.click()
        page.wait_for_timeout(1500)
    page.locator(".st-key-lecture_reveal button:not([disabled])").click()
    measure = page.locator(".st-key-lecture_L4_measure button")
    picture = page.locator("[data-testid=stVegaLiteChart] svg, [data-testid=stVegaLiteChart] canvas").first
    measure.or_(picture).first.wait_for()
    if measure.count():  # offered where it takes long here
        measure.click()
    picture.wait_for()
    page.wait_for_timeout(3000)
    page.screenshot(path=DOCS / f"lecture-{lang}.png")


def main() -> None:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for lang in PRESSED:
            page = browser.new_page(viewport={"width": 1280, "height": 720}, color_scheme="light")
            page.set_default_timeout(PATIENCE)
            take(page, sys.argv[1], lang)
        browser.close()


if __name__ == "__main__":
    main()
