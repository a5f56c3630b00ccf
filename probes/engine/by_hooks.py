"""Changed runs by whole forwards of whole texts with hooks.

For models that cannot be restarted, for the reference, and for the checks of the fast way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from probes.engine.by_batches import NotExact, relative_tolerance
from probes.engine.edits import Edit, Knockout
from probes.engine.forward import Forwards, target_log_probs
from probes.engine.jobs import Check, Job, summed
from probes.engine.lines import Line
from probes.engine.masks import DepthMasks
from probes.engine.restart import first_node_of, start_of
from probes.engine.surgery import PADDING, Parts, Sheet, operated, sights, swaps

Sums = tuple[float, ...]
"""A number for each continuation of a line, or for each token of one."""
Row = tuple["Changed | None", int]
"""A run (None: the clean one), and which continuation is read."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One run to be made: which of the caller's jobs, what is done, where it begins to differ."""

    index: int
    edits: tuple[Edit, ...]
    start: int
    first: int


def changed_runs(line: Line, jobs: Sequence[tuple[int, Job]], layers: int) -> list[Changed]:
    """The runs of one line, hidden positions as the knockouts they are."""
    read = len(line.ids) - 1
    runs = []
    for index, job in jobs:
        edits = job.edits
        if job.hidden:
            edits = (*edits, line.knockout_of(job.hidden))
        runs.append(Changed(index, edits, start_of(edits, layers), first_node_of(edits, read)))
    return runs


def score_hooked(
    forwards: Forwards, line: Line, runs: Sequence[Changed], most_tokens: int
) -> Iterator[tuple[int, Sums]]:
    """The same by whole forwards of whole texts; `most_tokens` of one batch (0: a text at a time, bare).

    A continuation that reads nothing changed has the clean run's number. That one is run once, in batches of
    its own: what stands beside a row moves its last digit on some processors, and clean runs must be equal.
    """
    plain = _Plain(forwards if most_tokens else forwards.bare(), line)
    size, every = max(1, most_tokens // line.longest), range(len(line.continuations))
    own = {run.index: [c for c in every if _touched(line, run, c)] for run in runs}
    clean: dict[int, Sums] = {}
    if any(c not in touched for touched in own.values() for c in every):
        for batch in _batches([(None, c) for c in every], size):
            clean |= zip((c for _, c in batch), plain.run(batch), strict=True)
    found: dict[int, dict[int, Sums]] = {index: {} for index in own}
    for batch in _batches([(run, c) for run in runs for c in own[run.index]], size):
        for (run, c), value in zip(batch, plain.run(batch), strict=True):
            assert run is not None
            found[run.index][c] = value
            if len(found[run.index]) == len(own[run.index]):
                values = clean | found.pop(run.index)
                yield run.index, plain.sums([values[c] for c in every])
    for index in found:
        yield index, plain.sums([clean[c] for c in every])


def _batches(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    return (rows[begin : begin + size] for begin in range(0, len(rows), size))


def _touched(line: Line, run: Changed, continuation: int) -> bool:
    """Whether a continuation reads anything that a run changes."""
    changed = sorted({node for edit in run.edits for node in edit.changes(len(line))})
    reads = [node for c, node, _ in line.reads() if c == continuation]
    return bool(line.sees[reads][:, changed].any())


class _Plain:
    """Whole texts with hooks."""

    def __init__(self, forwards: Forwards, line: Line, masks: DepthMasks | None = None) -> None:
        self.forwards, self.line = forwards, line
        self.parts = Parts(forwards.model, forwards.anatomy)
        self._masks = masks

    def sums(self, tokens: Sequence[Sums]) -> Sums:
        """Each continuation's log-probability, from its tokens'."""
        if self.forwards.length_matters(
            self.line.longest
        ):  # a longer text is another run from its first token
            return tuple(map(sum, tokens))
        return tuple(summed(self.line.continuations, tokens))

    def run(self, batch: Sequence[Row]) -> list[Sums]:
        """Log-probability of each token of each row's continuation."""
        logits, reads = self.logits(batch)
        values = target_log_probs(logits, [i for _, i, _ in reads], [target for *_, target in reads])
        out: list[Sums] = [()] * len(batch)
        for (row, *_), value in zip(reads, values, strict=True):
            out[row] = (*out[row], value)
        return out

    def logits(self, batch: Sequence[Row]) -> tuple[Tensor, list[tuple[int, int, int]]]:
        """Logits at what is read, and (row, index in the logits, target) of each."""
        n, fan = len(self.line.ids), self.line.fan
        paths = [fan.path(continuation) for _, continuation in batch]
        width = n + max(map(len, paths))
        nodes = np.full((len(batch), width), PADDING, np.int64)
        reads: list[tuple[int, int, int]] = []
        rows: list[int] = []
        columns: list[int] = []
        for row, ((_, continuation), path) in enumerate(zip(batch, paths, strict=True)):
            nodes[row, : n + len(path)] = [*range(n), *(self.line.node(place) for place in path)]
            for step, (_, target) in enumerate(fan.reads[continuation]):
                reads.append((row, len(rows), target))
                rows.append(row)
                columns.append(n - 1 + step)
        ids = np.where(nodes == PADDING, 0, self.line.tokens[nodes])
        sheet = Sheet(nodes, nodes, [() if run is None else run.edits for run, _ in batch])
        made = swaps(sheet, self.parts, self.forwards.model.dtype, self.parts.blocks_device)
        at = np.array(rows), np.array(columns)
        with self.forwards.lock:
            return self._forward(
                ids, sheet, at, operated(self.parts, made, range(len(self.parts.layers)))
            ), reads

    def _forward(
        self,
        ids: np.ndarray,
        sheet: Sheet,
        at: tuple[np.ndarray, np.ndarray],
        surgery: AbstractContextManager[None],
    ) -> Tensor:
        if not any(isinstance(edit, Knockout) for row in sheet.edits for edit in row):
            return self.forwards.plain(ids, *at, around=surgery)
        batch, length = ids.shape
        depth = np.broadcast_to(np.arange(length), (batch, length))
        visible = np.broadcast_to(np.tri(length, dtype=bool), (batch, length, length))
        seen = sights(
            sheet, visible, self.parts.layers, lambda shown: self.forwards.sight(shown, depth, depth)
        )
        return self.forwards.sighted(ids, *at, self.masks, seen, around=surgery)

    @property
    def masks(self) -> DepthMasks:
        """The model's own, recorded when first needed."""
        if self._masks is None:
            self._masks = self.forwards.masks(self.line.longest)
        return self._masks


def verify(
    forwards: Forwards, line: Line, run: Changed, found: Sums, masks: DepthMasks | None = None
) -> None:
    """Hold a run to a plain forward of its longest text.

    Raises:
        NotExact: they differ.
    """
    longest = line.fan.longest
    plain = _Plain(forwards.bare(), line, masks)
    logits, reads = plain.logits([(run, longest)])
    values = target_log_probs(logits, [i for _, i, _ in reads], [target for *_, target in reads])
    used = logits[[i for _, i, _ in reads]]
    spread = float((used.amax(-1) - used.amin(-1)).max())
    tolerance = relative_tolerance(forwards.model.dtype) * spread
    check = Check(run.index, (sum(values),), (found[longest],), tolerance)
    if not forwards.report.add_check(check):
        raise NotExact(check)
