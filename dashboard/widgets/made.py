"""What the page makes of records, pictures and sentences: once, however often and by however many it is seen.

A page is drawn anew at every press, and this would be most of that work.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from streamlit.dataframe_util import convert_anything_to_arrow_bytes

from probes import charts
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    import altair as alt

KEPT = 300
"""Things made, of some 20 kB each; what was looked at least lately goes first."""
T = TypeVar("T")


class Made:
    """Threads of all visitors call it.

    Args:
        most: things that are kept.
    """

    def __init__(self, most: int = KEPT) -> None:
        self._kept: OrderedDict[Hashable, tuple[Sequence[weakref.ref[ProbeResult]], Any]] = OrderedDict()
        self._most, self._lock = most, threading.Lock()

    def of(self, records: Sequence[ProbeResult | None], make: Callable[[], T], *how: Hashable) -> T:
        """What `make` makes, not to be changed.

        Args:
            records: all that it is made of. They are not kept by this: once one is gone, so is what was made.
            how: all else that decides it, the kind first.
        """
        there = [record for record in records if record is not None]
        key = (*how, *(None if record is None else id(record) for record in records))
        with self._lock:
            known = self._kept.get(key)
            if known is not None and all(ref() is one for ref, one in zip(known[0], there, strict=True)):
                self._kept.move_to_end(key)
                found: T = known[1]
                return found
        made = make()
        with self._lock:
            self._kept[key] = ([weakref.ref(record) for record in there], made)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


_shared = Made()


def made(records: Sequence[ProbeResult | None], make: Callable[[], T], *how: Hashable) -> T:
    """`Made.of`, from what all visitors share."""
    return _shared.of(records, make, *how)


def picture(
    records: Sequence[ProbeResult | None],
    make: Callable[[], alt.LayerChart],
    *how: Hashable,
    ink: str = charts.INK,
) -> dict[str, Any]:
    """A picture of records as a specification for the page.

    Its data are as they are sent: Streamlit would else make a table of each, every time.
    """

    def specified() -> dict[str, Any]:
        spec = charts.specification(make(), ink=ink)
        data = {name: convert_anything_to_arrow_bytes(one) for name, one in spec.get("datasets", {}).items()}
        return {**spec, "datasets": data} if data else spec

    return made(records, specified, *how, ink)
