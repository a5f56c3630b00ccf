"""A load from its beginning to its figures."""

from __future__ import annotations

import asyncio
import os
import random
import string
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.load.host import Host
from tests.load.known import Known
from tests.load.people import PRESETS, Person, brings_a_passage, measures, person
from tests.load.tally import Tally

AT_ONCE = 8
"""Visitors of the second part, who wait for nothing."""
BEFORE = 300
"""Visits before memory is looked at, every third with a passage: what is kept on purpose is there then."""


@dataclass(frozen=True)
class Plan:
    """How much of it.

    Attributes:
        measuring: of the visitors, at SmolLM2 all the while, where it is there.
        browsers: pages in Chromium besides.
        visits: after that; as fast as they go.
    """

    visitors: int = 50
    minutes: float = 10.0
    measuring: int = 2
    browsers: int = 2
    visits: int = 4_000
    pause: tuple[float, float] = (2.0, 6.0)


async def loaded(host: Host, plan: Plan, smollm2: Path | None) -> dict[str, Any]:
    """All of it; the figures."""
    tally, marks = Tally(), _marks()
    measuring = plan.measuring if smollm2 else 0
    people = [Person(host.url, tally, next(marks), n, plan.pause) for n in range(plan.visitors)]
    begun, spent, own = time.monotonic(), host.seconds(), time.process_time()
    before = _others(host)
    end = begun + 60 * plan.minutes

    def over() -> bool:
        return time.monotonic() >= end

    doing: list[Awaitable[Any]] = [measures(one, over) for one in people[:measuring]]
    doing += [person(one, over) for one in people[measuring:]]
    browsing = _browsing(host.url, plan, end)
    await asyncio.gather(*doing)
    took = time.monotonic() - begun
    figures: dict[str, Any] = {"plan": asdict(plan) | {"measuring": measuring}, "cores": os.cpu_count()}
    figures |= tally.figures(took / 60)
    figures["in_chromium"] = await browsing
    figures["processor_seconds"] = {
        "server": round(host.seconds() - spent, 1),
        "clients": round(time.process_time() - own, 1),
        "clients_percent_of_a_core": round(100 * (time.process_time() - own) / took, 1),
    }
    figures["busy"] = _busy(host, took, before)
    if plan.visits:
        figures["further"] = await _further(host, plan.visits, marks)
        figures["leaks"] += figures["further"].pop("leaks")
    figures["counted_by_the_host"] = host.counts()
    figures["faults_in_the_log"] = host.faults()[:20]
    wrong = await asyncio.to_thread(tally.wrong, Known(str(smollm2 or "")))
    figures["wrong"], figures["wrong_answers"] = len(wrong), wrong[:10]
    return figures


def _others(host: Host) -> float:
    """Seconds of processor that this machine spent on anything but the server and its clients."""
    spent = psutil.cpu_times()
    return float(spent.user + spent.system + spent.nice) - host.seconds() - time.process_time()


def _busy(host: Host, took: float, before: float) -> bool:
    """Whether other work took more than a tenth of the machine; our own browsers count as such."""
    return (_others(host) - before) / took > 0.1 * (os.cpu_count() or 1)


def _marks() -> Any:
    dice = random.Random(5)
    while True:
        yield "Zq" + "".join(dice.choices(string.ascii_lowercase, k=6))


async def _further(host: Host, visits: int, marks: Any) -> dict[str, Any]:
    """Open, wait for the answer, leave; how much larger the process is after so many more of them."""
    await _come(host, Tally(), BEFORE, marks, own=3)
    sizes, tally, begun = [await _at_rest(host)], Tally(), time.monotonic()
    for count in (visits // 2, visits - visits // 2):
        await _come(host, tally, count, marks, own=20)
        sizes.append(await _at_rest(host))
    took = time.monotonic() - begun
    figures = tally.figures(took / 60)
    kept = ("visits", "answers", "refused", "refused_how", "leaks", "seconds")
    return {
        **{name: figures[name] for name in kept},
        "visits_per_second": round(tally.visits / took, 1),
        "megabytes": [round(size, 1) for size in sizes],
        "growth_percent": round(100 * (sizes[-1] / sizes[0] - 1), 2),
    }


async def _come(host: Host, tally: Tally, visits: int, marks: Any, own: int) -> None:
    """So many visits, a few at once; one of `own` brings a passage."""
    left = iter(range(visits))

    async def comes(number: int) -> None:
        one = Person(host.url, tally, next(marks), 10_000 + number, pause=(0.0, 0.0))
        for place in left:
            await one.come(_brings if place % own == 0 else _opens)

    await asyncio.gather(*(comes(number) for number in range(AT_ONCE)))


async def _at_rest(host: Host) -> float:
    """Megabytes, once nothing is computed any more and closed tabs are forgotten."""
    until = time.monotonic() + 60
    while host.counts()["crux_running_now"] and time.monotonic() < until:
        await asyncio.sleep(1.0)
    await asyncio.sleep(3.0)
    return host.megabytes()


async def _opens(one: Person) -> None:
    await one.opened({"lang": one.dice.choice(("en", "zh")), "passage": one.dice.choice(PRESETS)})


async def _brings(one: Person) -> None:
    await brings_a_passage(one, presses=1)


def _browsing(url: str, plan: Plan, end: float) -> Awaitable[dict[str, Any]]:
    """Pages in Chromium, in a thread of their own."""
    from tests.load.browsing import browse

    look: Callable[..., dict[str, Any]] = browse
    return asyncio.create_task(asyncio.to_thread(look, url, plan.browsers, end))
