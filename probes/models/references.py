"""Reference sets: what a part of the model puts out on other passages under the same template."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from probes.asking.interventions import How, Reference
from probes.asking.question import Question
from probes.engine.edits import SITES
from probes.engine.jobs import Job
from probes.engine.lines import Line
from probes.engine.records import Record
from probes.errors import CapabilityError, LimitError
from probes.models.prompting import ids_of
from probes.models.reference_passages import PassagePlan, Told, plan_of, written
from probes.text.passage import Span

if TYPE_CHECKING:
    from probes.models.layout import Work
    from probes.models.local import LocalModel

_KEPT = 8
"""Sets of values in memory: those of all passages that a study resamples from by default, and their mean."""

Values = dict[str, list[Tensor | None]]
"""Per site and layer [nodes, width]; None where a layer has no such part."""


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """Reference passages as a model reads them.

    Attributes:
        plan: what they were to be like.
        told: the passages; prompts: each under the question's template.
        passed_over: how many were left out, too long for the model's window.
    """

    plan: PassagePlan
    told: tuple[Told, ...]
    prompts: tuple[str, ...]
    passed_over: int


class References:
    """Values to put in the place of a line's own.

    Keeps those of the last few sets, so that a thousand trials compute them once.
    """

    def __init__(self, model: LocalModel) -> None:
        self.model = model
        self._sets: OrderedDict[Any, ReferenceSet] = OrderedDict()
        self._kept: OrderedDict[Any, Values] = OrderedDict()
        self._keeping = Lock()

    def prompts(self, question: Question, reference: Reference) -> tuple[list[str], int]:
        """The prompts of :meth:`passages`, and how many were passed over."""
        found = self.passages(question, reference)
        return list(found.prompts), found.passed_over

    def passages(self, question: Question, reference: Reference) -> ReferenceSet:
        """The reference passages under the question's template, seeded: as many as asked for of those that
        the model's window holds with the longest answer behind them. Fewer are found where few fit.

        Raises:
            LimitError: none fits.
        """
        layout, window, plan = self.model.layout(question), self.model.window, plan_of(question)
        longest, frame = max(map(len, layout.continuations)), layout.frame
        asked = replace(reference, draw=None)

        def tokens(text: str) -> int:
            return longest + len(ids_of(self.model.tokenizer, frame.prompt(text)))

        def too_long(text: str) -> bool:
            return window is not None and tokens(text) > window

        def write() -> ReferenceSet:
            told, passed = written(plan, asked, too_long)
            if not told:
                raise LimitError("window_references", tokens=min(map(tokens, passed)), window=window)
            prompts = tuple(frame.prompt(one.text) for one in told)
            return ReferenceSet(plan, tuple(told), prompts, len(passed))

        found: ReferenceSet = self._once(self._sets, (asked, plan, frame, longest, window), write)
        return found

    def values(self, work: Work, how: How, reference: Reference) -> Values:
        """Of the passage that `reference` draws, or the mean over all, aligned with the line of `work`."""
        frame, plan = work.layout.frame, plan_of(work.question)
        key = (work.job.ids, work.job.continuations, how, reference, plan, frame)
        found: Values = self._once(self._kept, key, lambda: self._measured(work, how, reference))
        return found

    def _once(self, kept: OrderedDict[Any, Any], key: Any, make: Callable[[], Any]) -> Any:
        """What is kept under `key`, made where it is not there."""
        with self._keeping:
            if key in kept:
                kept.move_to_end(key)
                return kept[key]
        made = make()
        with self._keeping:
            kept[key] = made
            while len(kept) > _KEPT:
                kept.popitem(last=False)
        return made

    def _measured(self, work: Work, how: How, reference: Reference) -> Values:
        prompts = self.passages(work.question, reference).prompts
        if reference.draw is not None:
            prompts = prompts[reference.draw : reference.draw + 1]
        line = Line.of(work.job)
        pooled = how is How.MEAN and reference.positions == "pooled"
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
            for site in SITES:
                kept = sums.setdefault(site, [None] * len(record.values[site]))
                for layer, value in enumerate(record.values[site]):
                    if value is not None:
                        share = _chosen(value, places, len(ids) if pooled else None) / len(prompts)
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


def _aligned(line: Line, own: _Parts, record: Record, other: _Parts) -> list[int]:
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


def _chosen(value: Tensor, places: list[int], prompt: int | None) -> Tensor:
    """[nodes, width] out of one reference run: at `places`, or the mean of the first `prompt` nodes but one.

    What stands behind them are the answers that happen to be listed, no part of the other passage.
    """
    if prompt is not None:
        return value[1:prompt].mean(0).expand(len(places), -1)
    return value[torch.tensor(places, device=value.device)]
