"""What gets into a visitor's way: buttons over buttons, lists that stay open, cells too small to press."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from dashboard.state import State, to_link
from tests.browser.conftest import PATIENCE, Explore, stop_of, sync_api
from tests.browser.test_inside import Inside

pytestmark = pytest.mark.browser
expect = sync_api.expect
COMMAS = """box => [...box.querySelectorAll(".plain")].filter(sign => {
    const before = sign.previousElementSibling;
    if (!before || !/^[，。,.]/.test(sign.textContent)) return false;
    const place = document.createRange();
    place.setStart(sign.firstChild, 0);
    place.setEnd(sign.firstChild, 1);
    return place.getBoundingClientRect().left < before.getBoundingClientRect().left;
}).length"""


@pytest.fixture
def inside(browser: Any, server: str) -> Iterator[Inside]:
    context = browser.new_context(viewport={"width": 1280, "height": 720}, locale="en-GB")
    tab = Inside(context.new_page(), server)
    yield tab
    assert tab.errors == []
    context.close()


@pytest.fixture
def phone(browser: Any, server: str) -> Iterator[Inside]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True)
    tab = Inside(context.new_page(), server)
    yield tab
    assert tab.errors == []
    context.close()


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "width"), ("y", "height"))
    )


def test_the_buttons_of_a_picture_cover_nothing_that_is_pressed(inside: Inside) -> None:
    inside.visit("heads", "lang=en&heads=3.1,0.2")
    main = inside.page.get_by_test_id("stMain")
    for n in range(inside.page.get_by_test_id("stVegaLiteChart").count()):
        inside.page.get_by_test_id("stVegaLiteChart").nth(n).hover()
        bar = inside.page.get_by_test_id("stElementToolbar").nth(n)
        expect(bar).to_have_css("opacity", "1")
        place = bar.bounding_box()
        pressed = [*main.get_by_role("button").all(), *main.get_by_role("combobox").all()]
        others = [
            one for one in pressed if not one.evaluate("b => b.closest('[data-testid=stElementToolbar]')")
        ]
        assert len(others) > 5
        assert not [one.inner_text() for one in others if (box := one.bounding_box()) and overlap(place, box)]


def test_the_list_of_models_closes_when_one_is_loaded(inside: Inside) -> None:
    inside.visit("heads", "lang=en")
    inside.press("Built-in model")
    load = inside.page.get_by_role("button", name="Load", exact=True)
    expect(load).to_be_visible()
    inside.rests()
    load.press("Enter")
    expect(load).to_be_hidden()


def test_arcs_of_a_passage_that_is_hidden_and_resized_are_no_error(inside: Inside) -> None:
    inside.visit("links", "lang=en&passage=coffee-en&budget=20")
    passage = inside.page.locator(".passage.arched")
    expect(passage.locator("path.arc")).not_to_have_count(0)
    passage.evaluate("box => { box.style.display = 'none'; }")
    inside.page.set_viewport_size({"width": 700, "height": 600})
    passage.evaluate("box => { box.style.display = ''; }")
    expect(passage.locator("path.arc")).not_to_have_count(0)
    assert inside.errors == []


def test_cells_are_wide_enough_for_a_finger_and_answers_stand_over_them(phone: Inside) -> None:
    phone.visit("heads", "lang=zh&passage=coffee-zh")
    cell = phone.page.locator("[data-testid=stVegaLiteChart] path[aria-label^='第 3 层']").first
    answer = phone.page.get_by_text("一次", exact=True).first
    for _ in range(100):  # the map is drawn again where exact numbers follow the estimate
        box, answers = cell.bounding_box(), answer.bounding_box()
        if box and answers:
            break
        phone.page.wait_for_timeout(100)
    assert box["width"] >= 22
    assert answers["y"] < box["y"]


def test_a_map_of_many_layers_is_scrolled_on_a_phone_and_not_the_page(phone: Inside) -> None:
    phone.visit("links", "lang=zh&passage=coffee-zh&budget=20")
    room = phone.page.locator(".st-key-links_wide")
    assert room.evaluate("box => box.scrollWidth > box.clientWidth")
    assert phone.page.get_by_test_id("stMain").evaluate("box => box.scrollWidth <= box.clientWidth")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_line_of_the_passage_begins_with_a_comma(phone: Inside, lang: str) -> None:
    tab = Explore(phone.page, phone.url)
    tab.open(f"lang={lang}&passage=coffee-{lang}")
    signs = phone.page.locator(".passage").evaluate(COMMAS)
    assert signs == 0
    assert phone.page.locator(".passage .kept").count() > 5


def test_the_hint_speaks_of_the_chosen_unit(phone: Inside) -> None:
    tab = Explore(phone.page, phone.url)
    tab.open("lang=en&passage=coffee-en&unit=sentence&mode=hide")
    expect(phone.page.locator(".detail")).to_contain_text("Press a sentence to hide it")
    expect(phone.page.locator(".detail")).not_to_contain_text("word")


def test_only_the_pages_own_stop_is_offered(inside: Inside) -> None:
    text = "I went to the museum and looked around. " * 36
    inside.page.goto(f"{inside.url}?{urlencode(to_link(State(text=text)))}")
    own = stop_of(inside.page)
    expect(own).to_be_visible(timeout=PATIENCE)
    expect(inside.page.get_by_role("button", name="Stop", exact=True)).to_have_count(1)
    own.press("Enter")  # a mouse waits until the page rests
    expect(inside.page.get_by_role("button", name="Go on")).to_be_visible()
