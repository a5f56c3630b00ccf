"""Links, files and models of strangers: nothing of theirs is a link, a picture, a formula or an icon here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from dashboard.values import packed
from tests.browser.conftest import PATIENCE, Explore, sync_api

pytestmark = pytest.mark.browser
expect = sync_api.expect

VALUE = (
    "[Session expired: sign in](http://evil.example/a) ![x](http://evil.example/p.png) $x^2$ `c` *d* "
    ":material/home: :material_home: :smile: :red[e] <img src=http://evil.example/q> www.evil.example "
    "http://evil.example me@evil.example a -> b &amp; \\* 5_6"
)
MARKUP = "a[href*='evil'], img, .katex, code, em, [role=img]:not([aria-hidden]), [data-testid=stIconMaterial]"
ANSWERS = f"{VALUE}=a;{VALUE}=b".replace("http://evil.example/p.png", "http://evil.example/pixel")


def boxes(explore: Explore) -> Any:
    return explore.page.locator("[data-testid=stAlertContentError], [data-testid=stAlertContentWarning]")


@pytest.mark.parametrize("view", ["", "heads"])
@pytest.mark.parametrize(
    "query",
    [
        {"target": VALUE},
        {"model": VALUE},
        {"revision": VALUE},
        {"answers": ANSWERS},
        {"device": VALUE},
        {"passage": VALUE},
    ],
    ids=lambda query: next(iter(query)),
)
def test_a_links_words_are_words(explore: Explore, view: str, query: dict[str, str]) -> None:
    start = {"lang": "en", "passage": "coffee-en"}
    explore.page.goto(f"{explore.url}{view}?{urlencode({**start, **query})}")
    box = boxes(explore).filter(has_text="[Session expired: sign in](http").first
    expect(box).to_be_visible(timeout=PATIENCE)
    text = box.locator("p").first
    assert text.locator(MARKUP).count() == 0
    assert "\\[" not in text.inner_text()
    assert ":color" not in explore.page.locator("[data-testid=stMain]").inner_text()
    assert [url for url in explore.foreign if "evil" in url] == []


def test_a_whole_page_of_them(explore: Explore, tmp_path: Path) -> None:
    """A passage, question and answers that are markup all over, measured, pressed and taken along."""
    passage = f"I went to {VALUE} twice.\u0001 \u000b And home."
    asked = {
        "text": packed(passage),
        "q": f"{VALUE}\u0001?",
        "answers": "0=[n](http://evil.example);1=$x$ :smile:",
    }
    explore.open(urlencode({"lang": "en", **asked}))
    explore.chip("went").click()
    explore.says("Without “went”")
    main = explore.page.locator("[data-testid=stMain]")
    explore.page.get_by_role("tab", name="Take it with you").click()
    assert main.locator("a[href*='evil'], a[href^='mailto'], img, .katex").count() == 0
    assert ":color" not in main.inner_text()
    expect(explore.title).to_contain_text("“$x$ :smile:”")
    for name, start in {"PNG": b"\x89PNG", "SVG": b"<svg"}.items():
        assert explore.taken(name, tmp_path).read_bytes().startswith(start)
    record = json.loads(explore.taken("JSON", tmp_path).read_text(encoding="utf-8"))
    assert record["clean"]["passage"] == passage
    assert [url for url in explore.foreign if "evil" in url] == []
