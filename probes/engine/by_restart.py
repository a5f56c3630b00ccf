"""Changed runs of one line: few short forwards, exact numbers.

All continuations of a run stand in one row; rows are packed into chunks; each chunk begins at the first block
and the first node where one of its runs changes (`restart`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from probes.engine.by_hooks import Changed, Sums, verify
from probes.engine.edits import Knockout
from probes.engine.forward import Forwards, target_log_probs
from probes.engine.masks import Sight
from probes.engine.packing import Packed
from probes.engine.records import Clean
from probes.engine.restart import restarted
from probes.engine.surgery import Parts, Sheet, operated, sights, swaps

_CALL = 24
"""What a forward costs beside its rows, in nodes of one block; it matters little."""


def score_restarted(
    forwards: Forwards, clean: Clean, runs: Sequence[Changed], most_nodes: int, *, restart: bool
) -> Iterator[tuple[int, Sums]]:
    """Log-probability of the line's continuations for every run.

    Args:
        most_nodes: of one forward, padding included.
        restart: begin where something changes; otherwise at the bottom, with hooks.

    Raises:
        NotExact: a run differs from its plain forward.
    """
    bench = _Bench(forwards, clean, restart)
    idle = [run for run in runs if run.start >= len(forwards.blocks) and not run.edits]
    yield from ((run.index, bench.clean_sums) for run in idle)
    busy = [run for run in runs if run.edits]
    chunks = _chunks(busy, len(clean.record.line), len(forwards.blocks), most_nodes)
    kinds = {(type(e).__name__, getattr(e, "site", "")) for run in busy for e in run.edits}
    checks = bool(busy) and clean.to_check(kinds)
    for number, chunk in enumerate(chunks):
        forwards.between()
        found = bench.run(chunk)
        if checks and number in (0, len(chunks) - 1):
            forwards.between()
            verify(forwards, clean.record.line, chunk[0], found[0], clean.masks)
        yield from ((run.index, sums) for run, sums in zip(chunk, found, strict=True))


def _chunks(runs: Sequence[Changed], nodes: int, layers: int, most: int) -> list[list[Changed]]:
    """Runs that begin alike together: a chunk begins where the first of its runs does."""

    def cost(count: int, start: int, first: int) -> float:
        return (count * (nodes - first) + _CALL) * (layers - start + 1)

    chunks: list[list[Changed]] = []
    for run in sorted(runs, key=lambda run: (run.start, run.first, run.index)):
        if chunks:
            last = chunks[-1]
            start, first = last[0].start, min(last[0].first, run.first)
            first_now = min(one.first for one in last)
            together = cost(len(last) + 1, start, min(first, first_now))
            apart = cost(len(last), start, first_now) + cost(1, run.start, run.first)
            fits = (len(last) + 1) * (nodes - min(first, first_now)) <= most
            if fits and together <= apart:
                last.append(run)
                continue
        chunks.append([run])
    return chunks


class _Bench:
    """A line on the table: runs chunks of changed runs over its clean record."""

    def __init__(self, forwards: Forwards, clean: Clean, restart: bool) -> None:
        assert clean.trunk is not None
        self.forwards, self.clean, self.restart = forwards, clean, restart
        self.line, self.trunk = clean.record.line, clean.trunk
        self.parts = Parts(forwards.model, forwards.anatomy)
        self.reads = self.line.reads()
        self.read_nodes = sorted({node for _, node, _ in self.reads})
        at = {node: place for place, node in enumerate(clean.record.read)}
        self._clean_values = _read_off(clean.record.logits, self.reads, at, 1)[0]

    @property
    def clean_sums(self) -> Sums:
        """Of the record's own logits."""
        return self._added(self._clean_values)

    def run(self, chunk: Sequence[Changed]) -> list[Sums]:
        """One forward."""
        start = min(run.start for run in chunk) if self.restart else 0
        first = min(run.first for run in chunk)
        rows, nodes = len(chunk), np.arange(first, len(self.line))
        sheet = Sheet(
            np.broadcast_to(nodes, (rows, len(nodes))),
            np.broadcast_to(np.arange(len(self.line)), (rows, len(self.line))),
            [run.edits for run in chunk],
        )
        packed = self._packed(sheet, first)
        made = swaps(sheet, self.parts, self.forwards.model.dtype, self.trunk_device)
        last = len(self.forwards.blocks) - 1
        with self.forwards.lock:
            surgery = (
                restarted(self.parts, self.clean.record, made, sheet.edits, start, nodes)
                if self.restart
                else operated(self.parts, made, range(last + 1))
            )
            with surgery:
                logits = self.forwards.packed(
                    packed,
                    self.trunk,
                    sights=self._sights(sheet, packed),
                    whole=(last, "mlp") in made or start > last,
                    share=(last + 1 - start) / (last + 1),
                )
        at = {node: place for place, node in enumerate(self.read_nodes)}
        values = _read_off(logits, self.reads, at, rows)
        return [self._summed(row, run) for row, run in zip(values, chunk, strict=True)]

    def _summed(self, values: Sequence[float], run: Changed) -> Sums:
        """The continuations' log-probabilities; reads that see nothing changed are the clean run's own."""
        changed = sorted({node for edit in run.edits for node in edit.changes(len(self.line))})
        touched: np.ndarray = np.any(self.line.sees[:, changed], axis=1)
        pairs = zip(self.reads, values, self._clean_values, strict=True)
        return self._added([new if touched[node] else old for (_, node, _), new, old in pairs])

    def _added(self, values: Sequence[float]) -> Sums:
        sums = [0.0] * len(self.line.continuations)
        for (continuation, _, _), value in zip(self.reads, values, strict=True):
            sums[continuation] += value
        return tuple(sums)

    @property
    def trunk_device(self) -> torch.device:
        return self.clean.record.embeddings.device

    def _packed(self, sheet: Sheet, first: int) -> Packed:
        rows, columns = sheet.nodes.shape
        read = np.array(self.read_nodes) - first
        return Packed(
            np.broadcast_to(self.line.tokens[first:], (rows, columns)),
            np.broadcast_to(self.line.depth[first:], (rows, columns)),
            np.broadcast_to(self.line.sees[first:], (rows, columns, len(self.line))),
            first,
            np.repeat(np.arange(rows), len(read)),
            np.tile(read, rows),
        )

    def _sights(self, sheet: Sheet, packed: Packed) -> list[Sight] | None:
        if not any(isinstance(edit, Knockout) for row in sheet.edits for edit in row):
            return None
        depth = np.broadcast_to(self.line.depth, sheet.keys.shape)
        return sights(
            sheet,
            packed.visible,
            self.parts.layers,
            lambda visible: self.forwards.sight(visible, packed.depth, depth),
        )


def _read_off(
    logits: Tensor, reads: Sequence[tuple[int, int, int]], at: dict[int, int], rows: int
) -> list[list[float]]:
    """Per row the log-probability of each read, from logits [rows * reads, vocabulary]."""
    width, count = len(logits) // rows, len(reads)
    places = [row * width + at[node] for row in range(rows) for _, node, _ in reads]
    values = target_log_probs(logits, places, [target for _, _, target in reads] * rows)
    return [values[row * count : (row + 1) * count] for row in range(rows)]
