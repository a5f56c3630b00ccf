"""What a load came to: clicks and how long each took, answers and whether they were right, what leaked."""

from __future__ import annotations

import re
import statistics
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.load.known import Known, Request, Shown

MARK = re.compile(rb"Zq[a-z]{6}")
"""What stands in the passages of one visitor and of no other."""
SURELY_KEPT = 120
"""The last results that the server still has, whatever else was asked meanwhile (it keeps 200)."""


@dataclass
class Tally:
    """Used by one loop."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By kind of click."""
    shown: dict[Request, Counter[Shown]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    """What was said in the place of an answer, or how the line ended."""
    wanted: int = 0
    visits: int = 0
    left: int = 0
    """Visits that ended in the middle of an answer."""
    leaks: set[tuple[str, str]] = field(default_factory=set)
    """Whose text, seen by whom."""
    heard: int = 0
    """Bytes."""
    _lately: OrderedDict[Hashable, None] = field(default_factory=OrderedDict)

    def hear(self, mark: str, data: bytes) -> None:
        """Look through all that a visitor receives for what others wrote."""
        self.heard += len(data)
        if b"Zq" in data:
            self.leaks |= {(found.decode(), mark) for found in MARK.findall(data) if found != mark.encode()}

    def kind(self, request: Request) -> str:
        """Whether somebody had this answer a moment ago, before it is asked for now."""
        return "cached" if request.asked in self._lately else "uncached"

    def answer(self, kind: str, seconds: float, request: Request, shown: Shown) -> None:
        """One answer that was shown."""
        self.seconds[kind].append(seconds)
        self.shown.setdefault(request, Counter())[shown] += 1
        self._lately[request.asked] = None
        self._lately.move_to_end(request.asked)
        if len(self._lately) > SURELY_KEPT:
            self._lately.popitem(last=False)

    @property
    def answers(self) -> int:
        return sum(shown.total() for shown in self.shown.values())

    def wrong(self, known: Known) -> list[str]:
        """Every answer that is not the known record's, once for each way in which it was shown."""
        found = []
        for request, every in self.shown.items():
            for one, count in every.items():
                if said := known.wrong(request, one):
                    found.append(f"{count} × {said}")
        return found

    def figures(self, minutes: float) -> dict[str, Any]:
        """For the report; `wrong` is for who knows the records."""
        return {
            "minutes": round(minutes, 2),
            "visits": self.visits,
            "left_in_the_middle": self.left,
            "answers": self.answers,
            "answers_per_second": round(self.answers / (60 * minutes), 2),
            "different_requests": len(self.shown),
            "seconds": {kind: quantiles(times) for kind, times in sorted(self.seconds.items())},
            "refused": sum(self.refused.values()),
            "refused_percent": round(100 * sum(self.refused.values()) / max(self.wanted, 1), 2),
            "refused_how": dict(self.refused.most_common(8)),
            "leaks": len(self.leaks),
            "megabytes_received": round(self.heard / 1e6, 1),
        }


def quantiles(times: Iterable[float]) -> dict[str, float]:
    """How many, and p50, p95, p99 and the longest."""
    times = sorted(times)
    if len(times) < 2:
        return {"n": len(times), **({"p50": round(times[0], 3)} if times else {})}
    cut = statistics.quantiles(times, n=100, method="inclusive")
    found = {"p50": cut[49], "p95": cut[94], "p99": cut[98], "longest": times[-1]}
    return {"n": len(times), **{name: round(value, 3) for name, value in found.items()}}
