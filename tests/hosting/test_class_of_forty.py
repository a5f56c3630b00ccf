"""A class of forty on a hosted page, two in a browser: nobody's pick is lost, or tells whose it is."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from probes.asking.question import preset
from tests.conftest import CHROMIUM
from tests.load.host import hosted
from tests.load.loop import Loop, looping
from tests.load.visitor import Visitor

PUPILS, IN_BROWSERS, RELOADING = 40, 2 if CHROMIUM else 0, 5
PATIENCE = 240.0
LINK = "lang=en&passage=coffee-en"
WORDS = len(preset("coffee-en").question().passage.words)


class Member:
    """Somebody in the class: a tab, what it received, and what its browser keeps."""

    def __init__(self, url: str, number: int) -> None:
        self.received: list[bytes] = []
        self.visitor = Visitor(url, heard=self.received.append)
        self.picks = random.Random(number).sample(range(WORDS), 1 + number % 5)
        self.token = ""

    @property
    def page(self) -> Any:
        return self.visitor.page

    async def enter(self, page: str, keeper: str, query: str) -> None:
        """Open the page; the browser says what it has kept, and keeps what it is given."""
        await self.visitor.open(query, page)
        await self.visitor.until(
            lambda: self.page.rests and self.page.has("bidi_component", keeper), PATIENCE
        )
        await self.visitor.send(self.page.posted(keeper, kept=self.token))

    async def join(self, code: str) -> None:
        await self.enter("join", f"keeper_{code}", f"lang=en&room={code}")
        await self.visitor.until(
            lambda: self.page.rests and self.page.has("bidi_component", "class_chips_1"), PATIENCE
        )
        token = self.page.data(f"keeper_{code}")["token"]
        assert self.token in ("", token)
        self.token = token

    async def predict(self) -> None:
        """Press words one after the other, and send."""
        for count in range(1, len(self.picks) + 1):
            chosen = self.picks[:count]
            state = {"revision": 1, "order": chosen, "removed": sorted(chosen)}
            await self.visitor.send(self.page.posted("class_chips_1", selection=state))
            await self.visitor.until(lambda chosen=chosen: self.pressed() == sorted(chosen), PATIENCE)
        await self.visitor.until(self.may_send, PATIENCE)
        await self.visitor.send(self.page.pressed("class_send"))
        await self.visitor.until(lambda: "Sent" in " ".join(self.page.texts("alert")), PATIENCE)

    def may_send(self) -> bool:
        return any(not node.proto.disabled for _, node in self.page.found("button", "class_send"))

    def pressed(self) -> list[int]:
        found: list[int] = self.page.data("class_chips_1")["removed"]
        return found

    def counts(self) -> list[int]:
        """Of each word, how many of the class pressed it, as the page draws it."""
        return [round(PUPILS * share) for share in self.page.data("class_shares")["effects"]]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with hosted(tmp_path_factory.mktemp("forty")) as host:
        yield host.url
        assert host.faults() == []


@pytest.fixture
def loop() -> Iterator[Loop]:
    with looping() as found:
        yield found


@pytest.fixture
def tabs(request: pytest.FixtureRequest) -> list[Any]:
    """Pages of a real browser, each of a pupil with a store of their own."""
    if not IN_BROWSERS:
        return []
    browser = request.getfixturevalue("browser")
    return [browser.new_context(locale="en-GB").new_page() for _ in range(IN_BROWSERS)]


def pressed_in(tab: Any, url: str, code: str, picks: list[int]) -> None:
    """A pupil in a browser: joins by the link, presses, sends; and is still in after a reload."""
    tab.goto(f"{url}join?lang=en&room={code}")
    tab.wait_for_selector(".chip", timeout=1000 * PATIENCE)
    for word in picks:
        tab.locator(".chip").nth(word).click()
    send = tab.get_by_role("button", name="Send")
    send.click(timeout=1000 * PATIENCE)
    tab.get_by_text("Sent", exact=False).first.wait_for(timeout=1000 * PATIENCE)
    tab.reload()
    tab.wait_for_selector(".chip[aria-pressed=true]", timeout=1000 * PATIENCE)
    assert tab.locator(".chip[aria-pressed=true]").count() == len(picks)


def test_forty_predict_and_are_shown_what_they_pressed(url: str, loop: Loop, tabs: list[Any]) -> None:
    teacher = Member(url, 0)
    pupils = [Member(url, 1 + number) for number in range(PUPILS - len(tabs))]
    loop.run(teacher.enter("class", "keeper_lead", LINK))
    loop.run(teacher.visitor.until(lambda: teacher.page.has("button", "class_open"), PATIENCE))
    loop.run(teacher.visitor.send(teacher.page.pressed("class_open")))
    loop.run(teacher.visitor.until(lambda: teacher.page.has("button", "class_reveal"), PATIENCE))
    said = " ".join(teacher.page.texts("markdown"))
    code = "".join(re.findall(r"## (\w{3}) (\w{3})", said)[0])

    loop.all(pupil.join(code) for pupil in pupils)
    assert len({pupil.token for pupil in pupils}) == len(pupils)
    loop.all(pupil.predict() for pupil in pupils)
    in_tabs = [[3, 17], [17, 21, 5]][: len(tabs)]
    for tab, picks in zip(tabs, in_tabs, strict=True):
        pressed_in(tab, url, code, picks)
    loop.all(pupil.join(code) for pupil in pupils[:RELOADING])
    assert [pupil.pressed() for pupil in pupils[:RELOADING]] == [sorted(p.picks) for p in pupils[:RELOADING]]

    def ready() -> bool:
        return teacher.page.texts("metric") == [str(PUPILS), str(PUPILS), "0"] and any(
            not node.proto.disabled for _, node in teacher.page.found("button", "class_reveal")
        )

    loop.run(teacher.visitor.until(ready, PATIENCE))
    everybody = [teacher, *pupils]
    assert not any(one.page.has("bidi_component", "class_shares") for one in everybody)
    loop.run(teacher.visitor.send(teacher.page.pressed("class_reveal")))
    loop.all(
        one.visitor.until(lambda one=one: one.page.has("bidi_component", "class_shares"), PATIENCE)  # type: ignore[misc]
        for one in everybody
    )
    picks = [*(pupil.picks for pupil in pupils), *in_tabs]
    counts = [sum(word in chosen for chosen in picks) for word in range(WORDS)]
    assert [one.counts() for one in everybody] == [counts] * len(everybody)
    assert all(f"how many of {PUPILS} pressed" in " ".join(one.page.texts("markdown")) for one in everybody)
    for tab in tabs:
        tab.get_by_text(f"how many of {PUPILS} pressed").wait_for(timeout=1000 * PATIENCE)
    nobody_is_told(everybody)
    loop.all(one.visitor.leave() for one in everybody)


def nobody_is_told(everybody: list[Member]) -> None:
    """What says who somebody is reaches nobody else: neither the token nor the session."""
    secret = {one: [one.token.encode(), one.page.session.encode()] for one in everybody if one.token}
    for one in everybody:
        received = b"".join(one.received)
        for other, known in secret.items():
            assert other is one or not any(name in received for name in known)
