"""Branches into chunks: rows x columns of one packed forward, with little padding and a short prefix.

Rows of one chunk stand on the same cached prefix, cut at the deepest fork among them. A row may carry several
branches. Two plans are compared by a cost model and the cheaper one is taken: neighbours by fork side by side
(the prefix is cut short), or rows filled to the brim from all over the list (hardly any padding).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from probes.engine.packing import Packed
from probes.engine.tree import STEM_END, Branch, Stem

Row = tuple[Branch, ...]
_PADDED = 1.25


@dataclass(frozen=True, slots=True)
class Costs:
    """What a packed forward costs, in units of one node's linear maps in one layer, and what it may hold.

    Attributes:
        pair: one query reading one key.
        fanned: one cached position copied for one row.
        most_nodes: nodes a chunk should have at most (a longer branch is a chunk of its own); padding may add
            a quarter.
        most_fanned: rows x (prefix + columns) a chunk may have at most, unless it is a single row.
        most_reads: positions whose logits may be held at once.
        one_row: the model can take a single row only.
    """

    pair: float
    fanned: float
    most_nodes: int
    most_fanned: int
    most_reads: int
    one_row: bool

    def of(self, rows: int, columns: int, prefix: int) -> float:
        """The cost of a chunk; infinite where it does not fit."""
        fanned = rows * (prefix + columns)
        too_large = fanned > self.most_fanned or rows * columns > _PADDED * self.most_nodes
        if rows > 1 and (self.one_row or too_large):
            return float("inf")
        return rows * columns * (1.0 + self.pair * (prefix + columns)) + self.fanned * fanned


@dataclass(frozen=True, slots=True)
class Chunk:
    """One packed forward to be: rows of branches over the trunk's first `prefix` positions."""

    rows: tuple[Row, ...]

    @property
    def prefix(self) -> int:
        """Cached positions it stands on: the deepest fork among its branches."""
        return max(branch.fork for row in self.rows for branch in row)

    @property
    def columns(self) -> int:
        """Width of its widest row."""
        return max(map(_width, self.rows))

    @property
    def stems(self) -> list[Stem]:
        """Every stem it finishes."""
        return [stem for row in self.rows for branch in row for stem in branch.stems]

    def cost(self, costs: Costs) -> float:
        """Its cost by the model."""
        return costs.of(len(self.rows), self.columns, self.prefix)


def _width(row: Iterable[Branch]) -> int:
    return sum(branch.nodes for branch in row)


def chunks_of(branches: Sequence[Branch], costs: Costs) -> list[Chunk]:
    """Pack `branches` (ordered by fork) into chunks, the cheaper of two ways."""
    branches = [branch for branch in branches if branch.nodes]
    if not branches:
        return []
    plans = [_by_fork(branches, costs)] + [
        _brimful(branches, width, costs) for width in _widths(branches, costs)
    ]
    return min(plans, key=lambda plan: sum(chunk.cost(costs) for chunk in plan))


def _by_fork(branches: Sequence[Branch], costs: Costs) -> list[Chunk]:
    """Neighbours by fork together, each chunk in the width that suits it best."""
    chunks: list[Chunk] = []
    group: list[Branch] = []
    size = reads = 0
    for branch in branches:
        nodes, wanted = branch.nodes, _reads(branch)
        if group and (size + nodes > costs.most_nodes or reads + wanted > costs.most_reads):
            chunks.append(_best_chunk(group, costs))
            group, size, reads = [], 0, 0
        group.append(branch)
        size, reads = size + nodes, reads + wanted
    return [*chunks, _best_chunk(group, costs)]


def _best_chunk(branches: Sequence[Branch], costs: Costs) -> Chunk:
    total, widest = sum(b.nodes for b in branches), max(b.nodes for b in branches)
    widths = {max(widest, -(-total // rows)) for rows in range(1, min(len(branches), 64) + 1)}
    return min(
        (Chunk(tuple(_fill(branches, width))) for width in widths | {total}),
        key=lambda chunk: chunk.cost(costs),
    )


def _widths(branches: Sequence[Branch], costs: Costs) -> list[int]:
    """Row widths worth trying: the widest branch, and the whole chunk's nodes over a whole number of rows."""
    widest = max(branch.nodes for branch in branches)
    if costs.one_row or widest >= costs.most_nodes:
        return [max(widest, costs.most_nodes)]
    most_rows = costs.most_nodes // widest
    return sorted({costs.most_nodes // rows for rows in range(1, min(most_rows, 16) + 1)} | {widest})


def _brimful(branches: Sequence[Branch], width: int, costs: Costs) -> list[Chunk]:
    """Rows of one width filled from the whole list, then grouped by how deep they fork."""
    rows = sorted(_fill(branches, width), key=lambda row: max(branch.fork for branch in row))
    chunks: list[Chunk] = []
    group: list[Row] = []
    for row in rows:
        columns = max(map(_width, [*group, row]))
        prefix = max(branch.fork for branch in row)
        fits = (len(group) + 1) * columns <= costs.most_nodes
        fits = fits and sum(_reads(branch) for r in [*group, row] for branch in r) <= costs.most_reads
        if group and (not fits or costs.of(len(group) + 1, columns, prefix) == float("inf")):
            chunks.append(Chunk(tuple(group)))
            group = []
        group.append(row)
    return [*chunks, Chunk(tuple(group))]


def _fill(branches: Sequence[Branch], width: int) -> list[Row]:
    """First fit, longest first: rows of at most `width` nodes (a longer branch has a row of its own)."""
    rows: list[list[Branch]] = []
    room: list[int] = []
    for branch in sorted(branches, key=lambda branch: -branch.nodes):
        nodes = branch.nodes
        place = next((i for i, left in enumerate(room) if left >= nodes), None)
        if place is None:
            rows.append([branch])
            room.append(width - nodes)
        else:
            rows[place].append(branch)
            room[place] -= nodes
    return [tuple(row) for row in rows]


def _reads(branch: Branch) -> int:
    return sum(1 + len(stem.fan.tokens) for stem in branch.stems)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a stem's log-probabilities are read: continuation i's are at `reads[i]` for `targets[i]`."""

    stem: Stem
    reads: tuple[tuple[int, ...], ...]
    targets: tuple[tuple[int, ...], ...]


def pack(chunk: Chunk) -> tuple[Packed, list[Wanted]]:
    """The arrays of a packed forward, and where in its logits each stem's numbers are.

    A stem that lies on the trunk whole has its last token there; its read is marked STEM_END, for the caller
    to take from the trunk's own logits.
    """
    prefix, shape = chunk.prefix, (len(chunk.rows), chunk.columns)
    ids, depth = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    visible = np.zeros((*shape, prefix + shape[1]), bool)
    visible[:, np.arange(shape[1]), prefix + np.arange(shape[1])] = True
    reading = _Reading()
    for r, row in enumerate(chunk.rows):
        column = 0
        for branch in row:
            path = np.arange(branch.fork)
            for stem, start in zip(branch.stems, branch.starts, strict=True):
                path, column = _place(stem, start, path, column, prefix, ids[r], depth[r], visible[r])
                last = path[-1] - prefix if path[-1] >= prefix else STEM_END
                reading.add(stem, r, int(last), column - len(stem.fan.tokens))
    rows, columns = np.array(reading.rows, np.int64), np.array(reading.columns, np.int64)
    return Packed(ids, depth, visible, prefix, rows, columns), reading.wanted


def _place(
    stem: Stem,
    start: int,
    before: np.ndarray,
    column: int,
    prefix: int,
    ids: np.ndarray,
    depth: np.ndarray,
    visible: np.ndarray,
) -> tuple[np.ndarray, int]:
    """Write one stem and its fan into a row from `column` on.

    Args:
        before: key index of each node on the path of the stem before, of which the first `start` are shared.

    Returns:
        the key index of each node on this stem's path, and the first free column.
    """
    n, fan = len(stem), stem.fan
    new, m = n - start, len(fan.tokens)
    path = np.concatenate([before[:start], prefix + column + np.arange(new)])
    own = slice(column, column + new)
    ids[own], depth[own] = stem.tokens[start:], np.arange(start, n)
    shown = ~stem.hidden
    visible[own][:, path[:start][shown[:start]]] = True
    visible[own, prefix + column : prefix + column + new] |= np.tri(new, dtype=bool) & shown[start:]
    end = column + new
    leaves = slice(end, end + m)
    ids[leaves], depth[leaves] = fan.tokens, n + fan.depth
    visible[leaves][:, path[shown]] = True
    visible[leaves, prefix + end : prefix + end + m] |= fan.sees
    return path, end + m


class _Reading:
    """Collects the positions to read, each once."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.wanted: list[Wanted] = []
        self._index: dict[tuple[int, int], int] = {}

    def add(self, stem: Stem, row: int, last: int, fan_column: int) -> None:
        reads = tuple(
            tuple(self._at(row, last if node == STEM_END else fan_column + node) for node, _ in pairs)
            for pairs in stem.fan.reads
        )
        self.wanted.append(Wanted(stem, reads, tuple(tuple(t for _, t in pairs) for pairs in stem.fan.reads)))

    def _at(self, row: int, column: int) -> int:
        if column == STEM_END:
            return STEM_END
        index = self._index.setdefault((row, column), len(self.rows))
        if index == len(self.rows):
            self.rows.append(row)
            self.columns.append(column)
        return index
