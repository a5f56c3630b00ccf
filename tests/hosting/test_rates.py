"""Rates: counted in plain arithmetic, refused with the limit and the time; what is at hand costs nothing."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dashboard.hosting.buckets import MOST, Buckets
from dashboard.hosting.counters import COUNTERS
from dashboard.hosting.door import Door, slowed
from dashboard.hosting.rates import Rates
from dashboard.hosting.settings import Rate, Settings
from dashboard.hosting.watched import Watched
from dashboard.limits import Limits
from dashboard.shelf import Choice
from probes.asking.question import preset
from probes.errors import LimitError, ModelError
from tests.hosting.asked import ask

ASKED = {"mode": "delete", "target": "top", "at": None, "control": 0}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_is_emptied_by_asking_and_filled_by_time() -> None:
    clock = Clock()
    bucket = Buckets(3, 60, clock)  # one a second
    assert [bucket.take("a") for _ in range(3)] == [0, 0, 0]
    assert bucket.take("a") == pytest.approx(1.0)
    assert bucket.take("b") == 0, "another one has a bucket of their own"
    clock.now = 0.4
    assert bucket.take("a") == pytest.approx(0.6), "being refused costs nothing"
    clock.now = 1.0
    assert bucket.take("a") == 0
    clock.now = 1e6
    assert [bucket.take("a") > 0 for _ in range(4)] == [False, False, False, True], "never fuller than full"


def test_as_many_are_let_through_as_the_numbers_say() -> None:
    """Against a plain count: a visitor who asks every tenth of a second for two minutes."""
    clock, let = Clock(), 0
    bucket = Buckets(20, 30, clock)
    for tenth in range(1200):
        clock.now = tenth / 10
        let += bucket.take("a") == 0
    assert let == pytest.approx(20 + 0.5 * 119.9, abs=1)


def test_two_at_once_take_no_more_than_there_is() -> None:
    bucket, got = Buckets(500, 1e-9), []
    threads = [
        threading.Thread(target=lambda: got.extend(bucket.take("a") for _ in range(400))) for _ in "12"
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(wait == 0 for wait in got) == 500


def test_buckets_do_not_grow_for_ever() -> None:
    bucket = Buckets(1, 1)
    for n in range(MOST + 500):
        bucket.take(str(n))
    assert len(bucket._kept) == MOST


def test_a_refusal_says_how_many_and_when() -> None:
    rates = Rates(Settings(rate=Rate(questions=2, questions_a_minute=6)))
    rates.question("s", "")
    rates.question("s", "")
    with pytest.raises(LimitError, match=r"2 questions .* 6 a minute .* 10 seconds") as refused:
        rates.question("s", "")
    assert "2 个问题" in refused.value.say("zh")
    rates.question("another", "")


def test_an_address_counts_only_where_it_tells_visitors_apart() -> None:
    rates = Rates(Settings(rate=Rate(address_questions=1, address_questions_a_minute=1)))
    for session in "abc":
        rates.question(session, "127.0.0.1")  # a proxy that nobody named, or a test
        rates.question(session, "not an address")
    rates.question("d", "8.8.8.8")
    with pytest.raises(LimitError, match="network's address"):
        rates.question("e", "8.8.8.8")


# ---- the service


@pytest.fixture
def shop() -> Watched:
    limits = Limits.from_environment({"CRUX_HOSTED": "1"})
    rate = Rate(questions=1, questions_a_minute=1)
    return Watched(Settings(limits, rate), who=lambda: ("session", "8.8.8.8"))


def test_what_is_at_hand_costs_nothing_and_the_rest_is_counted(shop: Watched) -> None:
    question, runs = preset("coffee-en").question(), COUNTERS.count("runs", "ask")
    cached, refused = COUNTERS.count("cached"), COUNTERS.count("refusals", "page_rate")
    for _ in range(4):
        shop.run("ask", Choice(), question, ASKED)
    assert COUNTERS.count("runs", "ask") == runs + 1
    assert COUNTERS.count("cached") == cached + 3
    with pytest.raises(LimitError, match="1 questions"):
        shop.run("ask", Choice(), question, {**ASKED, "mode": "hide"})
    assert COUNTERS.count("refusals", "page_rate") == refused + 1
    assert shop.run("ask", Choice(), question, ASKED).rows is not None
    assert (COUNTERS.now("running_now"), COUNTERS.now("in_line_now")) == (0, 0)


@pytest.mark.parametrize("spec", ["gpt2", "/etc", "openai:gpt-4", "../x", "Builtin", "SmolLM2", "builtin\n"])
def test_a_model_that_is_not_on_the_list_is_not_loaded(shop: Watched, spec: str) -> None:
    for call in (shop.model, shop.files.needs_consent):
        with pytest.raises(ModelError, match="builtin, smollm2 only"):
            call(Choice(spec))
    with pytest.raises(ModelError):
        shop.run("ask", Choice(spec), preset("coffee-en").question(), ASKED)


@pytest.mark.parametrize("way", [{"revision": "main"}, {"device": "cuda"}, {"dtype": "float16"}])
def test_nor_in_a_way_of_the_visitors_own(shop: Watched, way: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="by itself"):
        shop.model(Choice("builtin", **way))


def test_other_weights_than_those_pinned_are_not_opened() -> None:
    from dashboard.limits import Pin

    limits = Limits(hosted=True, models=("builtin",), pins={"builtin": Pin("ab" * 32)})
    shop = Watched(Settings(limits), who=lambda: ("", ""))
    with pytest.raises(ModelError, match="abababababab"):
        shop.model(Choice())
    assert shop.loaded(Choice()) is None


# ---- the line of a browser


def heard(messages: list[bytes], rate: Rate) -> tuple[list[Any], list[Any], float]:
    """What comes through, what is sent back, and how long it took."""

    async def whole() -> tuple[list[Any], list[Any], float]:
        left, sent, got = list(messages), [], []

        async def receive() -> Any:
            return {"type": "websocket.receive", "bytes": left.pop(0)}

        async def send(message: Any) -> None:
            sent.append(message)

        next_one, loop = slowed(receive, send, rate), asyncio.get_running_loop()
        begun = loop.time()
        for _ in messages:
            got.append(await next_one())
            if got[-1]["type"] == "websocket.disconnect":
                break
        return got, sent, loop.time() - begun

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, whole()).result()


def test_a_browser_that_sends_too_much_is_read_more_slowly() -> None:
    got, sent, seconds = heard([b"x"] * 8, Rate(messages=4, messages_a_minute=1200))
    assert (len(got), sent) == (8, [])
    assert seconds > 0.15  # four more at twenty a second


def test_a_giant_message_ends_the_line() -> None:
    got, sent, _ = heard([b"x" * 10, b"x" * 11, b"x"], Rate(message_bytes=10))
    assert [one["type"] for one in got] == ["websocket.receive", "websocket.disconnect"]
    assert sent == [{"type": "websocket.close", "code": 1009}]


def test_a_full_page_says_so_and_lets_nobody_else_in() -> None:
    async def behind(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("nobody is let in")

    door = Door(behind, Settings(rate=Rate(sessions=1)))
    with COUNTERS.during("visitors_now"):
        assert ask(door, "/_stcore/stream", kind="websocket").status == 1013
        full = ask(door, "/heads", headers={"accept-language": "zh"})
        assert (full.status, "人数已满" in full.body) == (503, True)


def test_an_address_opens_so_many_pages_at_once() -> None:
    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.close", "code": 1000})

    door = Door(behind, Settings(rate=Rate(visits=2, visits_a_minute=1)))
    of_one = [ask(door, "/_stcore/stream", kind="websocket", client=("8.8.8.8", 5)).status for _ in range(3)]
    assert of_one == [1000, 1000, 1013]
    assert ask(door, "/_stcore/stream", kind="websocket", client=("9.9.9.9", 5)).status == 1000
    assert COUNTERS.now("visitors_now") == 0
