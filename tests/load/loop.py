"""A loop in a thread of its own, so that a test speaks to many visitors step by step."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """Runs coroutines for a thread that waits for them; that thread may have another loop, of a browser."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result()

    def all(self, doing: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        """All at once."""

        async def together() -> list[T]:
            return list(await asyncio.gather(*doing))

        return self.run(together())


@contextmanager
def looping() -> Iterator[Loop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="visitors", daemon=True)
    thread.start()
    try:
        yield Loop(loop)
    finally:
        asyncio.run_coroutine_threadsafe(_left(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)


async def _left() -> None:
    """What a test that failed has left behind."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
