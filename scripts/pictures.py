"""Take the README's pictures off a running page of one's own: `python -m scripts.pictures URL [NAME …]`.

Light, on the built-in model, in both languages, into docs/NAME-en.png and docs/NAME-zh.png. Needs Playwright
and Chromium, as the tests in tests/browser do.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).resolve().parents[1] / "docs"
HEIGHTS = {"explore": 800, "smallest": 980, "heads": 860, "links": 860, "lecture": 720}
PRESSED = {"en": ("walked", "into", "decided"), "zh": ("走进", "决定", "出来")}
PATIENCE = 600_000
"""Milliseconds, on a machine that has other work."""
RESTS = "[data-testid=stApp][data-test-script-state=notRunning]"


def taken(page: Page, url: str, name: str, lang: str) -> None:
    """Open the page `name`, have it measured, and save its picture."""
    scene = "&scene=L4" if name == "lecture" else ""
    address = "" if name == "explore" else name
    page.goto(f"{url.rstrip('/')}/{address}?lang={lang}&passage=coffee-{lang}{scene}")
    page.wait_for_selector("h3")
    if name == "lecture":
        _predicted(page, lang)
    _measured(page)
    page.mouse.move(5, HEIGHTS[name] - 5)
    page.wait_for_timeout(2000)
    page.screenshot(path=DOCS / f"{name}-{lang}.png")


def _predicted(page: Page, lang: str) -> None:
    for word in PRESSED[lang]:
        page.locator("button.chip", has_text=word).first.click()
        page.wait_for_timeout(1500)
    page.locator(".st-key-lecture_reveal button:not([disabled])").click()


def _measured(page: Page) -> None:
    """Until a picture is drawn and the script has run; a run that takes long is offered, and accepted."""
    offered = page.locator("[class*=_measure] button")
    picture = page.locator(
        "[data-testid=stVegaLiteChart] svg.marks, [data-testid=stVegaLiteChart] canvas"
    ).first
    page.wait_for_timeout(1500)
    page.wait_for_selector(RESTS)
    if offered.count():
        offered.first.press("Enter")
    picture.wait_for()
    page.wait_for_timeout(500)
    page.wait_for_selector(RESTS)


def main() -> None:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for name in sys.argv[2:] or HEIGHTS:
            for lang in PRESSED:
                size = {"width": 1280, "height": HEIGHTS[name]}
                page = browser.new_page(viewport=size, color_scheme="light")
                page.set_default_timeout(PATIENCE)
                taken(page, sys.argv[1], name, lang)
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
