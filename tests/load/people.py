"""What visitors do: one opens a preset and presses words, one brings a passage, one reads what heads do."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from streamlit.proto.Alert_pb2 import Alert

from dashboard.values import packed
from tests.load.known import Request, Shown
from tests.load.tally import Tally
from tests.load.visitor import Gone, Visitor

PATIENCE, LONGEST = 120.0, 900.0
"""Seconds after which an answer that does not come counts as refused; the same of a long run."""
MEASURES = ("words_measure", "heads_measure", "links_measure")
PRESETS = ("coffee-en", "coffee-zh", "bakery-en", "library-en", "bookshop-zh", "market-zh")
SENTENCES = (
    "This morning {m} walked into the coffee shop and ordered a latte.",
    "At noon {m} thought about the coffee shop, but stayed at home.",
    "{m} went to the coffee shop again in the evening.",
    "A friend told {m} that the coffee shop was closed on Monday.",
    "Later {m} read a book in the garden.",
    "On the way home {m} passed by the coffee shop without going in.",
    "{m} came back to the coffee shop and bought some beans.",
    "The rain stopped, and {m} looked out of the window.",
)
LANGUAGE = {"en": "EN", "zh": "中文"}


Doing = Callable[["Person"], Awaitable[None]]


class Person:
    """One visitor, who comes again and again.

    Args:
        mark: stands in all that this one writes.
        pause: seconds between two presses, at least and at most.
    """

    def __init__(
        self, url: str, tally: Tally, mark: str, seed: int, pause: tuple[float, float] = (2.0, 6.0)
    ) -> None:
        self.tally, self.mark, self.pause = tally, mark, pause
        self.dice = random.Random(seed)
        self.visitor = Visitor(url, heard=lambda data: tally.hear(mark, data))
        self.page, self.patience = "", PATIENCE

    async def come(self, doing: Doing) -> None:
        """One visit; whatever the server does instead of answering is noted."""
        self.tally.visits += 1
        try:
            await doing(self)
        except (Gone, TimeoutError, LookupError, OSError) as fault:
            self.tally.refused[f"{type(fault).__name__}: {str(fault)[:300]}"] += 1
        finally:
            await self.visitor.leave()

    async def think(self) -> None:
        await asyncio.sleep(self.dice.uniform(*self.pause))

    # ---- what is done on a page

    async def opened(self, link: dict[str, str], page: str = "", kind: str = "open") -> bool:
        """Open a page and wait for its answer, agreeing to a long run; False where something else is said."""
        self.tally.wanted += 1
        self.page = page
        begun = time.perf_counter()
        await self.visitor.open(urlencode(link), page)
        await self.visitor.until(
            lambda: self._answer() is not None or self.visitor.page.rests or self._offered() is not None,
            self.patience,
        )
        self.tally.seconds[f"{kind}, its first answer"].append(time.perf_counter() - begun)
        await self.visitor.until(lambda: self._done() or self._offered() is not None, self.patience)
        if (offered := self._offered()) is not None:
            await self.visitor.send(self.visitor.page.pressed(offered))
            await self.visitor.until(lambda: self._done() and self._offered() is None, self.patience)
        return self._took(kind, time.perf_counter() - begun)

    async def press(self, data: bytes, link: dict[str, str] | None = None) -> bool:
        """Press, and wait for the answer; timed from the press to the answer on the screen.

        Args:
            link: what it changes in the address, where that is known beforehand.
        """
        self.tally.wanted += 1
        here = self.visitor.page
        ran, kind = here.run, "other"
        if link is not None:
            kind = self.tally.kind(Request.of(self.page, {**here.parameters, **link}, words=True))
        await self.visitor.send(data)
        seconds = await self.visitor.until(
            lambda: here.run != ran and (self._answer() is not None or bool(self._faults())), self.patience
        )
        await self.visitor.until(lambda: here.run != ran and self._done(), self.patience)
        return self._took(kind, seconds)

    def _took(self, kind: str, seconds: float) -> bool:
        """Note what is on the page now that it rests."""
        here, chart, faults = self.visitor.page, self._answer(), self._faults()
        if faults or chart is None:
            self.tally.refused[str(faults[:1] or "no answer")[:300]] += 1
            return False
        shown = Shown(here.texts("heading")[0], chart)
        self.tally.answer(kind, seconds, Request.of(self.page, here.parameters, words=True), shown)
        return True

    def _answer(self) -> bytes | None:
        """The answers' picture, where the run that is under way, or was the last, has drawn it; of the page
        Links, which has none, that its maps are drawn.
        """
        here = self.visitor.page
        for _, node in here.found("vega_lite_chart"):
            if node.run == here.run and self.page == "links":
                return b""
            if node.run == here.run and '"field": "p"' in node.proto.spec:
                return bytes(node.proto.datasets[0].data.data)
        return None

    def _done(self) -> bool:
        """Whether the page rests, with an answer or a fault, and measures nothing."""
        here = self.visitor.page
        return (
            here.rests and not here.has("progress") and (self._answer() is not None or bool(self._faults()))
        )

    def _faults(self) -> list[str]:
        """What the present run says went wrong; a note that something is worth knowing is none."""
        here = self.visitor.page
        alerts = (node for _, node in here.found("alert") if node.run == here.run)
        return [str(node.proto.body) for node in alerts if node.proto.format == Alert.ERROR]

    def _offered(self) -> str | None:
        """The button for a run that is long."""
        here = self.visitor.page
        keys = (key for key in MEASURES if here.has("button", key))
        return next(keys, None) if here.rests else None


# ---- visits


async def presses_words(one: Person) -> None:
    """A preset, some words taken out one after the other, now and then two; the other language."""
    name, lang = one.dice.choice(PRESETS), one.dice.choice(("en", "zh"))
    if not await one.opened({"lang": lang, "passage": name}):
        return
    here = one.visitor.page
    for _ in range(one.dice.randint(2, 6)):
        await one.think()
        count = 1 + max(unit for _, unit, _ in here.data("passage")["pieces"])
        words = one.dice.sample(range(min(count, 12)), 2 if one.dice.random() < 0.1 else 1)
        await one.press(taken(one, words), {"out": ".".join(map(str, sorted(words)))})
    await one.think()
    other = "zh" if lang == "en" else "en"
    await one.press(here.chosen("w_lang", LANGUAGE[other]), {"lang": other})


async def brings_a_passage(one: Person, presses: int = 0) -> None:
    """A passage that nobody else has, and words of it."""
    sentences = one.dice.sample(SENTENCES, 5)
    text = " ".join(sentence.format(m=one.mark) for sentence in sentences)
    link = {"lang": "en", "text": packed(text), "q": "How many times did I go to the coffee shop?"}
    if not await one.opened(link):
        return
    here = one.visitor.page
    for _ in range(presses or one.dice.randint(2, 5)):
        await one.think()
        words = [one.dice.randrange(1 + max(unit for _, unit, _ in here.data("passage")["pieces"]))]
        await one.press(taken(one, words), {"out": ".".join(map(str, words))})


async def leaves_in_the_middle(one: Person) -> None:
    """Opens, presses, and is gone before the answer comes."""
    name = one.dice.choice(PRESETS)
    if one.dice.random() < 0.5:
        await one.visitor.open(urlencode({"lang": "en", "passage": name, "mode": "hide"}))
        await asyncio.sleep(one.dice.uniform(0.0, 0.6))
    elif await one.opened({"lang": "zh", "passage": name}):
        await one.think()
        await one.visitor.send(taken(one, [one.dice.randrange(12), 12 + one.dice.randrange(5)]))
        await asyncio.sleep(one.dice.uniform(0.0, 0.2))
    one.tally.left += 1


async def looks_inside(one: Person) -> None:
    """The page Heads of the built-in model, its strongest head taken away, and the page Links."""
    if await one.opened({"lang": "en", "passage": one.dice.choice(PRESETS[:2])}, "heads"):
        await one.think()
        await one.press(one.visitor.page.pressed("heads_strongest_1"))
        await one.think()
        await one.opened({"lang": "en", "passage": one.dice.choice(PRESETS[:2])}, "links")


async def looks_around(one: Person) -> None:
    """Pages that are only looked at."""
    for page in one.dice.sample(("models", "lecture", "studies", "class", "order"), 2):
        one.tally.wanted += 1
        await one.visitor.open("lang=en", page)
        await one.visitor.until(lambda: one.visitor.page.rests, PATIENCE)
        await one.think()


def taken(one: Person, words: list[int]) -> bytes:
    """A press after which these words are out."""
    here = one.visitor.page
    sent = {"revision": here.data("passage")["revision"], "order": words, "removed": sorted(words)}
    return here.posted("passage", selection=sent)


VISITS: tuple[tuple[Doing, float], ...] = (
    (presses_words, 0.55),
    (brings_a_passage, 0.2),
    (leaves_in_the_middle, 0.1),
    (looks_inside, 0.08),
    (looks_around, 0.07),
)


async def person(one: Person, until: Callable[[], bool]) -> None:
    """Visit after visit, until the time is over."""
    await asyncio.sleep(one.dice.uniform(0.0, one.pause[1]))
    doings, weights = zip(*VISITS, strict=True)
    while not until():
        await _visit(one, one.dice.choices(doings, weights)[0], until)
        await one.think()


async def _visit(one: Person, doing: Doing, until: Callable[[], bool]) -> None:
    """One visit; one that the end finds under way is left."""
    visit = asyncio.create_task(one.come(doing))
    while not visit.done() and not until():
        await asyncio.wait([visit], timeout=0.5)
    if not visit.done():
        visit.cancel()
        await asyncio.gather(visit, return_exceptions=True)


# ---- those who measure


def measurements(dice: random.Random) -> list[tuple[str, dict[str, str]]]:
    """Long runs, each another: (page, link)."""
    every: list[tuple[str, dict[str, str]]] = []
    for name in PRESETS:
        every += [("", {"passage": name, "mode": mode}) for mode in ("delete", "hide")]
        every += [("heads", {"passage": name, "how": how}) for how in ("zero", "mean")]
    dice.shuffle(every)
    return [(page, {"lang": "en", "model": "smollm2", **link}) for page, link in every]


async def measures(one: Person, until: Callable[[], bool]) -> None:
    """All words and all heads of SmolLM2, one run after the other."""
    one.patience = LONGEST
    for page, link in measurements(one.dice) * 50:
        if until():
            return

        async def whole(one: Person, page: str = page, link: dict[str, str] = link) -> None:
            await one.opened(link, page, "long run")

        await _visit(one, whole, until)
