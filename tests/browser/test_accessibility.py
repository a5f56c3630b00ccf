"""Read without eyes, a mouse, or much contrast: what axe-core finds, and what it does not look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from dashboard.values import packed
from tests.browser.conftest import PATIENCE, Explore, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PAIRS = f"pairs?text={packed('I walked into the coffee shop, drank a latte and went home.')}"
"""Of few words: of a preset's sixty all pairs take a while, and look no other."""
PAGES = ("", "smallest", "order", PAIRS, "heads", "links", "layers", "studies", "lecture", "models")
CHART_TEXT = """() => {
  const parts = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const one = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * one(r) + 0.7152 * one(g) + 0.0722 * one(b);
  };
  const page = light(parts(getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor));
  const names = ".role-axis-label, .role-axis-title, .role-legend-label, .role-legend-title";
  const found = [...document.querySelectorAll("[data-testid=stVegaLiteChart] svg")].flatMap(svg =>
    [...svg.querySelectorAll(names)].flatMap(part => [...part.querySelectorAll("text")]));
  return found.filter(text => text.textContent.trim()).map(text => {
    const ink = light(parts(getComputedStyle(text).fill));
    return [text.textContent, (Math.max(ink, page) + 0.05) / (Math.min(ink, page) + 0.05)];
  });
}"""


def serious(page: Any) -> list[str]:
    """What axe-core calls serious or critical: the rule, and where."""
    page.evaluate(AXE)
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{one['id']}: {node['target']} {node['html'][:120]} {(node['any'] or [{}])[0].get('message', '')}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, server: str, theme: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-GB", color_scheme=theme)
    found: dict[str, list[str]] = {}
    for name in PAGES:
        tab = Explore(context.new_page(), server)
        tab.page.goto(server + name)
        tab.page.wait_for_selector("h3", timeout=PATIENCE)
        tab.rests()
        found[name] = serious(tab.page)
        faint = [text for text, ratio in tab.page.evaluate(CHART_TEXT) if ratio < 4.5]
        assert faint == [], (name, theme)
        tab.page.close()
    context.close()
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_first_word_is_a_tab_and_a_press_away(explore: Explore) -> None:
    """The link that jumps over menus and controls leads into the passage."""
    explore.open()
    explore.rests()
    explore.page.evaluate("() => { document.activeElement.blur(); window.getSelection().removeAllRanges(); }")
    explore.page.keyboard.press("Tab")
    expect(explore.page.locator("[data-testid=stSkipToContent]")).to_be_focused()
    explore.page.keyboard.press("Enter")
    explore.page.wait_for_function(
        "() => { let at = document.activeElement; while (at?.shadowRoot?.activeElement)"
        " at = at.shadowRoot.activeElement; return at?.classList.contains('chip') ?? false; }",
        timeout=PATIENCE,
    )
    explore.page.keyboard.press("Enter")
    explore.says("Without “Yesterday”")


@pytest.mark.parametrize(("lang", "tag"), [("en", "en"), ("zh", "zh-CN")])
def test_the_document_says_its_language(explore: Explore, lang: str, tag: str) -> None:
    explore.open(f"lang={lang}&passage=coffee-{lang}")
    expect(explore.page.locator("html")).to_have_attribute("lang", tag)
    menu = explore.page.get_by_role("button", name={"en": "Main menu", "zh": "主菜单"}[lang])
    expect(menu).to_be_visible()


def test_streamlits_words_follow_the_language(explore: Explore) -> None:
    explore.open("lang=zh&passage=coffee-zh")
    skip = explore.page.locator("[data-testid=stSkipToContent]")
    expect(skip).to_have_text("跳到正文")
    explore.page.get_by_role("radio", name="EN").or_(explore.page.get_by_text("EN", exact=True)).first.click()
    expect(skip).to_have_text("Skip to main content")
    expect(explore.page.locator("html")).to_have_attribute("lang", "en")
