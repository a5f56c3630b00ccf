"""Reference sets: what a part of the model puts out on other passages under the same template."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from probes.engine import interventions as engine
from probes.engine.jobs import Job
from probes.engine.records import Record
from probes.errors import CapabilityError, LimitError
from probes.generator import Composer
from probes.interventions import How, Reference
from probes.models.prompting import ids_of
from probes.passage import Span
from probes.question import Question

if TYPE_CHECKING:
    from probes.models.layout import Work
    from probes.models.local import LocalModel

_KEPT = 6
_TRIES = 8
"""Passages too long for the window that are passed over for each one asked for, before giving up."""

Values = dict[str, list[Tensor | None]]
"""Per site and layer [nodes, width]; None where a layer has no such part."""


class References:
    """Values to put in the place of a line's own.

    Keeps those of the last few sets, so that a thousand trials compute them once.
    """

    def __init__(self, model: LocalModel) -> None:
        self.model = model
        self._kept: OrderedDict[Any, Values] = OrderedDict()
        self._keeping = Lock()

    def prompts(self, question: Question, reference: Reference) -> tuple[list[str], int]:
        """The reference passages under the question's template, seeded: as many as asked for of those that
        the model's window holds with the longest answer behind them, and how many were passed over.

        Fewer are found where few fit.

        Raises:
            LimitError: none fits.
        """
        language = question.language if question.language in ("zh", "en") else "en"
        composer = Composer(language, reference.seed + 1_000_003)
        layout, window = self.model.layout(question), self.model.window
        longest = max(map(len, layout.continuations))
        found: list[str] = []
        too_long: list[int] = []
        while len(found) < reference.size and len(too_long) < _TRIES * reference.size:
            prompt = layout.frame.prompt(composer.story().text)
            needed = longest + (len(ids_of(self.model.tokenizer, prompt)) if window else 0)
            if window and needed > window:
                too_long.append(needed)
            else:
                found.append(prompt)
        if not found:
            raise LimitError("window_references", tokens=min(too_long), window=window)
        return found, len(too_long)

    def values(self, work: Work, how: How, reference: Reference) -> Values:
        """The mean over the set, or one passage drawn from it, aligned with the line of `work`."""
        language, frame = work.question.language, work.layout.frame
        key = (work.job.ids, work.job.continuations, how, reference, language, frame)
        with self._keeping:
            known = self._kept.get(key)
        if known is not None:
            return known
        measured = self._measured(work, how, reference)
        with self._keeping:
            self._kept[key] = measured
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return measured

    def _measured(self, work: Work, how: How, reference: Reference) -> Values:
        prompts, _ = self.prompts(work.question, reference)
        if how is How.RESAMPLE:
            prompts = [random.Random(reference.seed).choice(prompts)]
        line = engine.Line.of(work.job)
        sums: Values = {}
        for prompt in prompts:
            ids, carried = self.model.encode(prompt, work.layout.frame)
            if carried is None:
                raise CapabilityError("offsets_unknown")
            record = self.model.engine.record(Job(ids, work.job.continuations))
            places = _aligned(
                line,
                _parts(work.layout.frame, work.layout.offsets),
                record,
                _parts(work.layout.frame, carried.spans),
            )
            for site in engine.SITES:
                kept = sums.setdefault(site, [None] * len(record.values[site]))
                for layer, value in enumerate(record.values[site]):
                    if value is not None:
                        share = _chosen(value, places, reference, how) / len(prompts)
                        before = kept[layer]
                        kept[layer] = share if before is None else before + share
        return sums


@dataclass(frozen=True, slots=True)
class _Parts:
    """How many tokens stand before the passage, in it, and behind it."""

    before: int
    inside: int
    behind: int


def _parts(frame: Any, offsets: Sequence[Span]) -> _Parts:
    end = offsets[-1][1]
    before = sum(b <= len(frame.before) for _, b in offsets)
    behind = sum(a >= end - len(frame.after) and b > len(frame.before) for a, b in offsets)
    return _Parts(before, len(offsets) - before - behind, behind)


def _aligned(line: engine.Line, own: _Parts, record: Record, other: _Parts) -> list[int]:
    """For every node of `line` the node of the record's line at the same place."""
    n, m = len(line.ids), len(record.line.ids)
    places = []
    for node in range(len(line)):
        if node >= n:
            places.append(m + node - n)  # the continuations are the same
        elif node < own.before:
            places.append(min(node, m - 1))
        elif node >= n - own.behind:
            places.append(max(0, m - (n - node)))
        else:
            inside = (node - own.before + 0.5) / max(1, own.inside)
            places.append(min(m - 1, other.before + int(inside * other.inside)))
    return places


def _chosen(value: Tensor, places: list[int], reference: Reference, how: How) -> Tensor:
    """[nodes, width] out of one reference run."""
    if reference.positions == "pooled" and how is How.MEAN:
        return value[1:].mean(0).expand(len(places), -1)
    return value[torch.tensor(places, device=value.device)]
