"""Heads, Links and Layers in a browser: presses, keys, links, nasty words, both themes, no network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from dashboard.state import State, to_link
from dashboard.widgets.bertviz import Words, attention_frame
from tests.browser.conftest import PATIENCE, Explore, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect

NASTY = "I walked into the bakery </script><script>document.title='PWNED'</script> and *left* it $x$."


class Inside(Explore):
    """A page that looks inside, in one browser tab."""

    def visit(self, view: str, query: str = "") -> Inside:
        self.page.goto(f"{self.url}{view}" + (f"?{query}" if query else ""))
        self.measured(self.page.locator("[data-testid=stVegaLiteChart] svg"))
        expect(self.page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        return self

    def cell(self, words: str) -> Any:
        """A cell of a map, by what it says to a screen reader."""
        return self.page.locator(f'[data-testid=stVegaLiteChart] path[aria-label^="{words}"]').first

    @property
    def frame(self) -> Any:
        return self.page.frame_locator("iframe[srcdoc]").first


@pytest.fixture
def inside(browser: Any, server: str) -> Iterator[Inside]:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-GB")
    tab = Inside(context.new_page(), server)
    yield tab
    context.close()
    assert tab.errors == []


def test_pressing_cells_takes_heads_away_and_puts_them_back(inside: Inside) -> None:
    inside.visit("heads")
    inside.says("The model says")
    inside.cell("layer 3, head 1").click(timeout=PATIENCE)
    inside.says("Without head 3.1")
    inside.address("heads=3.1")
    inside.cell("layer 0, head 2").click()
    inside.says("Without the heads 0.2, 3.1")
    inside.cell("layer 3, head 1").click()
    inside.says("Without head 0.2")
    inside.press("Put all back")
    inside.page.wait_for_url(lambda url: "heads=" not in url, timeout=PATIENCE)
    expect(inside.page.get_by_role("button", name="Remove 0.2")).to_have_count(0)
    assert inside.foreign == []


def test_a_press_in_the_passage_asks_what_is_read_from_there(inside: Inside) -> None:
    inside.visit("heads", "look=3.1&lang=en&passage=coffee-en")
    word = inside.page.locator(".word", has_text="latte").first
    expect(word).to_be_visible()
    word.click()
    inside.address("reader=")
    expect(inside.page.locator('.word[aria-pressed="true"]')).to_contain_text("latte")
    inside.page.locator('.word[aria-pressed="true"]').focus()
    inside.page.keyboard.press("End")
    inside.page.keyboard.press("Enter")
    expect(inside.page.locator('.word.place[aria-pressed="true"]')).to_be_visible()


def test_the_close_up_draws_nasty_words_as_text(inside: Inside) -> None:
    link = {**to_link(State(text=NASTY, look=(3, 1), view="head", level="word")), "lang": "en"}
    inside.visit("heads", urlencode(link))
    expect(inside.frame.locator("svg text", has_text="bakery").first).to_be_visible()
    assert inside.frame.locator("line").count() > 10
    assert inside.page.title() == "Heads · Crux"
    assert inside.page.locator(".passage script, .passage img").count() == 0
    shown = inside.page.locator(".passage").first.inner_text()
    assert "document" in shown
    assert inside.foreign == []


@pytest.mark.parametrize("view", ["head", "model"])
def test_a_frame_draws_with_the_network_cut(browser: Any, view: Any) -> None:
    n = 12
    weights = np.tril(np.random.default_rng(0).random((3, n, n))).astype(np.float32)
    weights /= weights.sum(-1, keepdims=True)
    labels = ["</script><script>document.title='PWNED'</script>", *(f"词{i}" for i in range(n - 1))]
    words = Words("Layer", "Layers", "Heads", "head")
    html = attention_frame([weights], labels, layers=[2], heads=[0, 4, 5], words=words, view=view, dark=True)
    html = html.replace("</body>", "<script>document.title = 'an inserted script ran'</script></body>")
    context = browser.new_context(offline=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(html)
    assert page.locator("line").count() > n
    assert page.title() == ""
    assert [url for url in asked if not url.startswith(("about:", "data:"))] == []
    context.close()


def test_links_draw_arcs_and_frame_a_pair_in_both_maps(inside: Inside) -> None:
    inside.visit("links", "lang=en&passage=coffee-en&budget=20")
    inside.says("link")
    expect(inside.page.locator(".passage path.arc")).not_to_have_count(0)
    box = inside.page.locator("[data-testid=stVegaLiteChart]").bounding_box()
    assert box is not None
    framed = "[data-testid=stVegaLiteChart] path[fill-opacity='0'][stroke-width='2']"
    assert inside.page.locator(framed).count() == 0
    inside.page.mouse.move(box["x"] + 200, box["y"] + box["height"] * 0.55)
    cell = inside.page.locator("[data-testid=stVegaLiteChart] path[opacity='0.001']").last
    cell.hover(force=True)
    expect(inside.page.locator(framed)).to_have_count(2)
    assert inside.errors == []


def test_a_pair_is_chosen_by_its_arc_with_the_mouse_and_with_keys(inside: Inside) -> None:
    inside.visit("pairs", "lang=en&passage=bookshop-zh&chosen=pairs.budget=300")
    arcs = inside.page.locator(".passage path.arc")
    inside.measured(arcs.first)
    assert arcs.count() >= 3
    shown = inside.page.locator(".st-key-w_pair input").first
    said = [arcs.nth(n).get_attribute("aria-label") for n in range(arcs.count())]
    expect(shown).to_have_value(said[0])
    middle = arcs.nth(2).evaluate(
        """path => {
            const at = path.getPointAtLength(path.getTotalLength() / 2);
            const box = path.ownerSVGElement.getBoundingClientRect();
            return [box.left + at.x, box.top + at.y];
        }"""
    )
    inside.page.mouse.click(*middle)
    pressed = inside.page.locator('.passage path.arc[aria-pressed="true"]')
    expect(pressed).not_to_have_attribute("aria-label", said[0])
    expect(shown).to_have_value(pressed.get_attribute("aria-label"))
    expect(inside.page.locator(".word.end")).to_have_count(2)
    inside.page.mouse.move(5, 5)  # away: what is pointed at is told, too
    arcs.first.focus()
    inside.page.keyboard.press("Home")
    inside.page.keyboard.press("ArrowRight")
    expect(inside.page.locator(".detail").first).to_have_text(said[1])
    inside.page.keyboard.press("Enter")
    expect(pressed).to_have_attribute("aria-label", said[1])
    expect(shown).to_have_value(said[1])
    assert inside.errors == []


def test_patching_follows_what_is_typed(inside: Inside) -> None:
    inside.visit("layers", "lang=en&passage=coffee-en")
    inside.says("Read off layer by layer")
    inside.page.get_by_role("tab", name="States from another passage").click()
    inside.measured(inside.page.get_by_text("As it stands the model says"))
    inside.page.get_by_label("becomes").fill("walked by")
    inside.press("Compare")
    inside.address("to=walked")
    inside.measured(inside.page.get_by_text("with “walked into” → “walked by”"))


def test_records_and_pictures_can_be_taken_along(inside: Inside, tmp_path: Path) -> None:
    inside.visit("layers", "lang=en&passage=coffee-en")
    inside.page.get_by_text("Take it with you").click()
    expect(inside.page.get_by_text("crux lens --model builtin --preset coffee-en")).to_be_visible()
    for name, start in {"JSON": b"{", "CSV": b"\xef\xbb\xbfset,", "PNG": b"\x89PNG"}.items():
        assert inside.taken(name, tmp_path).read_bytes().startswith(start), name
    assert (
        json.loads((tmp_path / "crux-lens-coffee-en-builtin.json").read_text(encoding="utf-8"))["study"]
        == "lens"
    )


@pytest.mark.parametrize(
    ("view", "scheme", "lang"),
    [("heads", "dark", "zh"), ("links", "light", "zh"), ("links", "light", "en"), ("layers", "dark", "en")],
)
def test_nothing_sticks_out_on_a_phone(browser: Any, server: str, view: str, scheme: str, lang: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 720}, color_scheme=scheme, locale=lang)
    tab = Inside(context.new_page(), server)
    tab.visit(view, f"lang={lang}&passage=coffee-{lang}&budget=20")
    main = tab.page.locator("[data-testid=stMain]")
    assert main.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert tab.cut_off() == []
    assert tab.errors == []
    context.close()


def test_the_browsers_back_is_drawn_in_the_map_and_presses_go_on_from_there(inside: Inside) -> None:
    inside.visit("heads")
    inside.cell("layer 3, head 1").click(timeout=PATIENCE)
    inside.address("heads=3.1")
    inside.cell("layer 0, head 2").click()
    inside.address("heads=0.2")
    inside.says("Without the heads 0.2, 3.1")
    inside.page.go_back()
    inside.says("Without head 3.1")
    inside.rests()
    inside.cell("layer 0, head 2").click()
    inside.says("Without the heads 0.2, 3.1")
    inside.rests()
    inside.cell("layer 3, head 1").click()
    inside.says("Without head 0.2")
