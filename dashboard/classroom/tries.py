"""How often wrong codes may be tried from one network. Not locked: `Rooms` uses it under its own lock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

MOST_NETWORKS = 4_096


class Tries:
    """A store of tries for each network, which fills again with time.

    A class sits behind one address, and every second pupil mistypes: so the store is large, and filled at
    once a second. While it is empty right codes are refused from there as well, or nothing would be gained.

    Args:
        most: wrong codes in a row.
        a_second: how fast tries come back.
        clock: seconds.
    """

    def __init__(self, most: int, a_second: float, clock: Callable[[], float]) -> None:
        self._most, self._a_second, self._clock = most, a_second, clock
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def left(self, network: str) -> bool:
        """Whether a code may be tried from there."""
        return self._now(network) <= self._most - 1

    def spend(self, network: str) -> None:
        """Note a wrong code."""
        self._spent[network] = (self._now(network) + 1, self._clock())
        self._spent.move_to_end(network)
        while len(self._spent) > MOST_NETWORKS:
            self._spent.popitem(last=False)

    def _now(self, network: str) -> float:
        spent, since = self._spent.get(network, (0.0, 0.0))
        return max(0.0, spent - (self._clock() - since) * self._a_second)
