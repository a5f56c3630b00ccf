"""The newest results and looks of all visitors, kept in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from probes.asking.question import Question
from probes.record.results import ProbeResult

if TYPE_CHECKING:
    from dashboard.looks import Look
    from probes.models.base import AnswerModel

KEPT_RESULTS = 200
KEPT_CHARACTERS = 60_000_000
"""Of the prompts in all kept results together; a record of 2,000 words holds its prompt 2,000 times."""
KEPT_LOOKS = 300_000_000
"""Bytes of attention weights, of the passages looked at last; one passage's are kept always."""


class Results:
    """The newest results of all visitors, by all that decides them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[ProbeResult, int]] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> ProbeResult | None:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: Hashable, result: ProbeResult) -> None:
        rows = [result.data, *result.data.get("rows", ()), *result.data.get("groups", ())]
        size = sum(len(row.get("prompt", "")) + 8 * len(row.get("prompt_ids", ())) for row in rows)
        with self._lock:
            _, old = self._kept.pop(key, (None, 0))
            self._kept[key] = (result, size)
            self._characters += size - old
            while len(self._kept) > KEPT_RESULTS or (
                self._characters > KEPT_CHARACTERS and len(self._kept) > 1
            ):
                _, (_, gone) = self._kept.popitem(last=False)
                self._characters -= gone


class Looks:
    """What heads read in the passages looked at last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Look] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Look | None:
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Hashable, look: Look) -> None:
        with self._lock:
            self._kept[key] = look
            while len(self._kept) > 1 and sum(kept.size for kept in self._kept.values()) > KEPT_LOOKS:
                self._kept.popitem(last=False)


def key_of(study: str, model: AnswerModel, question: Question, options: Mapping[str, Any]) -> Hashable:
    """All that decides a run's result."""
    q = question
    asked = (
        q.passage,
        q.question,
        q.answers,
        q.language,
        q.template,
        q.instruction,
        q.answer_prefix,
        q.system,
    )
    meant = (q.right, q.tempting, q.preset)
    return (study, model.name, *model.identity, asked, meant, tuple(sorted(options.items())))
