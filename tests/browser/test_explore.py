"""Explore in a browser: what a press, a key, a link and nasty text really do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from dashboard.state import State, to_link
from probes import load_model, preset, run
from probes.asking.question import Question, standard_answers
from probes.running.headline import headline
from probes.text.passage import Passage
from tests.browser.conftest import PATIENCE, Explore, stop_of, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect

NASTY = (
    "I walked into the bakery </script><img src=x onerror=document.title='PWNED'>\n\n"
    "👩‍👩‍👧 שלום עולם *bold* $x$ :red[no] [link](javascript:alert(1)) and left."
)


def test_a_press_takes_a_word_out_and_the_answer_moves(explore: Explore) -> None:
    explore.open()
    explore.says("The model says “once”")
    explore.chip("walked").click()
    explore.says("Without “walked” it says “never”")
    assert explore.out() == ["walked"]
    explore.chip("walked").click()
    explore.says("words hardly change")
    assert explore.out() == []


def test_numbers_are_percentage_points_first_and_nats_one_step_down(explore: Explore) -> None:
    explore.open()
    rows = run("words", load_model("builtin"), preset("coffee-en").question()).rows
    walked = next(row for row in rows if row["text"] == "walked")
    number = explore.chip("walked").locator(".effect")
    expect(number).to_have_text(f"−{abs(100 * walked['effect_probability']):.1f}")
    explore.page.get_by_text("nats", exact=True).first.click()
    expect(number).to_have_text(f"−{abs(walked['effect_log_prob']):.2f}")
    explore.address("in=nats")


def test_on_a_phone_the_bars_are_in_view_when_a_word_is_pressed(explore: Explore) -> None:
    explore.page.set_viewport_size({"width": 390, "height": 844})
    explore.open()
    explore.chip("walked").click()
    explore.says("Without “walked”")
    explore.rests()
    bars = explore.page.locator(".st-key-answers_now svg.marks")
    expect(bars).to_be_in_viewport(ratio=0.95)
    last = explore.chip("home")
    last.scroll_into_view_if_needed()
    expect(bars).to_be_in_viewport(ratio=0.95)


def test_repeated_words_are_told_apart(explore: Explore) -> None:
    explore.open()
    explore.chip("shop", 1).click()
    explore.says("Without “shop²” it says “never”")
    explore.page.get_by_role("button", name="Put all back").click()
    explore.says("words hardly change")
    # The chips have heard of it too.
    expect(explore.page.locator(".chip[aria-pressed=true]")).to_have_count(0)
    explore.chip("shop", 2).click()
    explore.says("Without “shop³” it says “once”")
    assert explore.out() == ["shop"]


def test_the_keyboard_alone_is_enough(explore: Explore) -> None:
    explore.open()
    explore.page.locator(".chip[tabindex='0']").focus()
    for key in ("End", "ArrowLeft", "Space", "Home", "ArrowRight", "Enter"):
        explore.page.keyboard.press(key)
    explore.says("Without “after”, “went”")
    assert explore.out() == ["after", "went"]
    assert explore.page.locator(".chip[tabindex='0']").count() == 1
    first = explore.page.evaluate("() => document.activeElement.shadowRoot.activeElement.offsetTop")
    explore.page.keyboard.press("ArrowDown")
    below = explore.page.evaluate("() => document.activeElement.shadowRoot.activeElement.offsetTop")
    assert below > first


def test_a_word_that_has_the_focus_tells_what_it_does(explore: Explore) -> None:
    explore.open()
    explore.chip("walked").focus()
    explore.page.keyboard.press("ArrowRight")
    expect(explore.page.locator(".detail").first).to_contain_text("into · alone: “once”")


def test_undo_redo_and_the_browsers_back(explore: Explore) -> None:
    explore.open()
    explore.chip("walked").click()
    explore.address("out=")
    explore.chip("into").click()
    explore.says("“walked”, “into”")
    explore.press("Undo")
    explore.says("Without “walked” it says")
    assert explore.out() == ["walked"]
    explore.press("Undo")
    explore.says("words hardly change")
    explore.press("Redo")
    explore.says("Without “walked” it says")
    explore.rests()
    explore.chip("into").click()
    explore.says("“walked”, “into”")
    explore.page.go_back()
    explore.says("Without “walked” it says")
    assert explore.out() == ["walked"]


def test_fast_presses_are_all_kept(explore: Explore) -> None:
    explore.open()
    for n in range(0, 12, 2):
        explore.chips.nth(n).click()
    explore.says("and 2 more")
    expect(explore.page.locator(".chip[aria-pressed=true]")).to_have_count(6)
    explore.address("out=0.2.4.6.8.10")


def test_a_link_restores_what_was_chosen(explore: Explore, browser: Any) -> None:
    explore.open("lang=en&passage=coffee-en")
    explore.chip("walked").click()
    explore.says("Without “walked”")
    explore.press("Pin")
    explore.address("pin=")
    explore.page.get_by_role("radio", name="Hiding").click()
    explore.says("With “walked” hidden")
    explore.address("mode=hide")
    said, link = explore.title.inner_text(), explore.page.url
    context = browser.new_context(locale="zh-CN")
    other = Explore(context.new_page(), explore.url)
    other.open(link.partition("?")[2])
    other.says(said)
    assert other.out() == ["walked"]
    expect(other.page.get_by_role("button", name="Unpin")).to_be_visible()
    context.close()


def test_the_language_follows_the_browser_and_the_switch(explore: Explore, browser: Any) -> None:
    context = browser.new_context(locale="zh-CN")
    tab = Explore(context.new_page(), explore.url)
    tab.open()
    tab.says("模型回答“一次”")
    tab.chip("走进").click()
    tab.says("去掉“走进”，它回答“零次”")
    tab.page.get_by_text("EN", exact=True).click()
    tab.says("Without “走进” it says “零次”")
    expect(tab.page.locator(".chip .gloss").get_by_text("walk into")).to_be_visible()
    assert tab.errors == []
    context.close()


def test_a_passage_of_ones_own(explore: Explore) -> None:
    explore.open()
    explore.page.get_by_label("Passage", exact=True).click()
    explore.page.get_by_role("option", name="Your own passage").click()
    text, question = "I walked into the bakery. Then I went to the bakery again.", "How often did I go there?"
    explore.page.get_by_label("Your passage").fill(text)
    explore.page.get_by_label("Question", exact=True).fill(question)
    explore.press("Use this passage")
    expect(explore.chip("bakery", 1)).to_be_visible()
    asked = Question(Passage(text), question, standard_answers("count", "en"))
    said = headline(run("ask", load_model("builtin"), asked).data, "en")
    explore.says(said.partition(". ")[0])
    explore.address("text=")


def test_nasty_text_is_inert(explore: Explore) -> None:
    explore.open(urlencode(to_link(State(text=NASTY, question="<b>How</b> many?"))))
    shown = explore.page.locator(".passage").evaluate(
        "box => [...box.querySelectorAll('.word, .plain')].map(n => n.textContent).join('')"
    )
    assert shown == NASTY
    assert explore.page.locator(".passage img, .passage a, h3 a, h3 code").count() == 0
    explore.chip("red").click()
    explore.says("Without “red”")
    explore.page.get_by_role("tab", name="How it was measured").click()
    expect(explore.page.get_by_text("onerror=document.title").last).to_be_visible()
    assert explore.page.title() == "Explore · Crux"


def test_two_thousand_words_stay_usable(explore: Explore) -> None:
    text = "I walked into the bakery. " * 400
    explore.open(urlencode(to_link(State(text=text))), scored=False)
    assert explore.chips.count() == 2000
    expect(explore.page.get_by_text(re.compile(r"reads \d+ at most"))).to_be_visible()


def test_stop_keeps_what_was_found_and_going_on_completes_it(explore: Explore) -> None:
    text = "I walked into the bakery and sat down. " * 36
    explore.open(urlencode(to_link(State(text=text))), scored=False)
    stop = stop_of(explore.page)
    stop.press("Enter", timeout=PATIENCE)  # a mouse waits until the page rests, and then the run is over
    expect(explore.page.get_by_text("Stopped after")).to_be_visible()
    explore.press("Go on")
    explore.page.wait_for_selector(".passage.scored .chip", timeout=PATIENCE)
    explore.says("of 288 words hardly change")


def test_the_record_and_the_pictures_can_be_taken_along(explore: Explore, tmp_path: Path) -> None:
    explore.open()
    explore.page.get_by_role("tab", name="Take it with you").click()
    expect(explore.page.get_by_text("crux words --model builtin --preset coffee-en")).to_be_visible()
    starts = {
        "JSON": b"{",
        "CSV": b"\xef\xbb\xbfset,",
        "PNG": b"\x89PNG",
        "SVG": b"<svg",
        "HTML": b"<!DOCTYPE",
    }
    for name, start in starts.items():
        assert explore.taken(name, tmp_path).read_bytes().startswith(start), name
    record = json.loads((tmp_path / "crux-words-coffee-en-builtin.json").read_text(encoding="utf-8"))
    assert (record["schema"], record["clean"]["top"]) == (1, "1")


def test_a_saved_picture_speaks_the_pages_language(explore: Explore, tmp_path: Path) -> None:
    explore.open("lang=zh&passage=coffee-zh")
    assert explore.page.title() == "探索 · Crux"
    explore.page.get_by_role("tab", name="带走").click()
    picture = explore.taken("SVG", tmp_path)
    assert picture.name == "crux-words-coffee-zh-builtin.svg"
    said = picture.read_text(encoding="utf-8")
    assert "删除" in said
    assert "Deleting" not in said


def test_nothing_is_asked_of_other_hosts(explore: Explore) -> None:
    explore.open()
    explore.chip("walked").click()
    explore.says("Without “walked”")
    assert explore.foreign == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_and_small_print_can_be_read(
    browser: Any, server: str, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 720}, color_scheme=scheme, locale="en-GB"
    )
    tab = Explore(context.new_page(), server)
    tab.open("lang=en&passage=coffee-zh")
    tab.page.wait_for_selector("[data-testid=stVegaLiteChart] svg", timeout=PATIENCE)
    main = tab.page.locator("[data-testid=stMain]")
    assert main.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert tab.cut_off() == []
    if width == 1280:
        answers = tab.page.locator("[data-testid=stVegaLiteChart]").first.bounding_box()
        assert answers is not None
        assert answers["y"] + answers["height"] <= 720
    ratios = tab.page.locator(".chip").evaluate_all(CONTRAST)
    assert min(ratios) >= 4.5
    assert tab.errors == []
    context.close()


CONTRAST = """chips => {
  const ink = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colours) => {
    ink.clearRect(0, 0, 1, 1);
    for (const colour of colours) { ink.fillStyle = colour; ink.fillRect(0, 0, 1, 1); }
    return [...ink.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const luminance = (c) => 0.2126 * light(c[0]) + 0.7152 * light(c[1]) + 0.0722 * light(c[2]);
  const page = getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor;
  return chips.flatMap((chip) => {
    const behind = [page, getComputedStyle(chip).backgroundColor];
    return [...chip.children].filter((part) => part.textContent).map((part) => {
      const pair = [luminance(rgb([...behind, getComputedStyle(part).color])), luminance(rgb(behind))];
      return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    });
  });
}"""
"""WCAG 2.2 contrast of every text in a chip with what lies behind it."""


def test_what_shows_code_is_loaded_when_it_is_wanted(explore: Explore) -> None:
    """It is a quarter of all that the page would load."""
    loaded: list[str] = []
    explore.page.on("request", lambda request: loaded.append(request.url))
    explore.open()
    explore.rests()
    assert [url for url in loaded if "SyntaxHighlighter" in url] == []
    explore.page.get_by_role("tab", name="Take it with you").click()
    expect(explore.page.get_by_test_id("stCode").first).to_be_visible()
    assert any("SyntaxHighlighter" in url for url in loaded)
