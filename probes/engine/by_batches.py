"""Without a tree: right-padded batches, and the plain loop everything else is measured against.

Under a causal mask what follows a token cannot change it, so texts of several lengths share a batch when the
short ones are padded on the right, with no mask at all. That holds for recurrent and convolution layers too,
whose state cannot be branched. Longest first: what does not fit in memory fails at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from probes.engine.forward import Forwards, target_log_probs
from probes.engine.jobs import Check
from probes.engine.masks import DepthMasks
from probes.engine.tree import STEM_END, Stem


@dataclass(frozen=True, slots=True)
class Scored:
    """A prompt's log-probabilities: per continuation, one for each of its tokens, in nats."""

    stem: Stem
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """One text to run: a prompt and the way down to one continuation's end; continuations read from it."""

    stem: Stem
    path: tuple[int, ...]
    continuations: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.stem) + len(self.path)

    @property
    def ids(self) -> np.ndarray:
        return np.concatenate([self.stem.tokens, self.stem.fan.tokens[list(self.path)]])

    def reads(self) -> list[tuple[int, int, int]]:
        """(continuation, column, target) of everything read from this line."""
        column = {STEM_END: len(self.stem) - 1} | {
            node: len(self.stem) + i for i, node in enumerate(self.path)
        }
        return [
            (c, column[node], target) for c in self.continuations for node, target in self.stem.fan.reads[c]
        ]


def relative_tolerance(dtype: torch.dtype) -> float:
    """Largest difference allowed between two ways of running one text, relative to the logits' spread.

    1e-4 in float32. In half precision roundings add up over the layers to about one unit in the last place;
    two are allowed, and the noise floor says what that means in nats.
    """
    return max(1e-4, 2 * float(torch.finfo(dtype).eps))


def score_reference(forwards: Forwards, stems: Sequence[Stem]) -> Iterator[Scored]:
    """The plain loop: one forward per prompt and continuation, batch of one, nothing shared, all logits."""
    forwards = forwards.bare()
    masks = _Recorded(forwards, stems)
    for place, stem in enumerate(stems):
        values = []
        for continuation in range(len(stem.continuations)):
            line = _Line(stem, tuple(stem.fan.path(continuation)), (continuation,))
            values.append(_run(forwards, [line], masks)[0][continuation])
        scored = Scored(stem, tuple(values))
        if place == 0:
            forwards.report.add_check(_twin_check(forwards, scored, masks))
        yield scored


def score_batches(forwards: Forwards, stems: Sequence[Stem], most_tokens: int) -> Iterator[Scored]:
    """Right-padded batches of up to `most_tokens` positions, longest first.

    Raises:
        NotExact: the first prompt differs from its plain forward.
    """
    masks = _Recorded(forwards, stems)
    lines: list[_Line] = []
    for stem in stems:
        lines += _lines(stem, share=not forwards.length_matters(stem.depth))
    found: dict[int, dict[int, tuple[float, ...]]] = {id(stem): {} for stem in stems}
    batches = _batches(lines, most_tokens, forwards)
    # The first prompt's own batches go first, so that the check is made before anything is given out.
    batches.sort(key=lambda batch: not any(line.stem is stems[0] for line in batch))
    unchecked, held = True, []
    for batch in batches:
        for line, values in zip(batch, _run(forwards, batch, masks, fast=True), strict=True):
            found[id(line.stem)] |= values
            if len(found[id(line.stem)]) == len(line.stem.continuations):
                done = found.pop(id(line.stem))
                held.append(Scored(line.stem, tuple(done[i] for i in range(len(done)))))
        if unchecked and id(stems[0]) not in found:
            _check_first(forwards, next(one for one in held if one.stem is stems[0]), masks)
            unchecked = False
        if not unchecked:
            yield from held
            held = []


class NotExact(Exception):
    """A check did not hold: what was computed this way may not be used."""

    def __init__(self, check: Check) -> None:
        super().__init__(f"off by {check.difference:.2e} nats, {check.tolerance or 0:.2e} allowed")
        self.check = check


def _check_first(forwards: Forwards, scored: Scored, masks: _Recorded) -> None:
    check = expected_check(forwards, scored, masks.get() if scored.stem.hidden.any() else None)
    if not forwards.report.add_check(check):
        raise NotExact(check)


class _Recorded:
    """The model's masks over the longest text of a list, recorded when first needed."""

    def __init__(self, forwards: Forwards, stems: Sequence[Stem]) -> None:
        self._forwards = forwards
        self._depth = max(stem.depth for stem in stems)
        self._masks: DepthMasks | None = None

    def get(self) -> DepthMasks:
        if self._masks is None:
            self._masks = self._forwards.masks(self._depth)
        return self._masks


def _lines(stem: Stem, share: bool) -> list[_Line]:
    """The texts to run for a stem: one per continuation, or as few as contain all of them."""
    count = len(stem.continuations)
    paths = [tuple(stem.fan.path(c)) for c in range(count)]
    if not share:
        return [_Line(stem, paths[c], (c,)) for c in range(count)]
    lines: dict[tuple[int, ...], list[int]] = {}
    for c in sorted(range(count), key=lambda c: -len(paths[c])):
        home = next((path for path in lines if path[: len(paths[c])] == paths[c]), paths[c])
        lines.setdefault(home, []).append(c)
    return [_Line(stem, path, tuple(members)) for path, members in lines.items()]


def _batches(lines: Sequence[_Line], most_tokens: int, forwards: Forwards) -> list[list[_Line]]:
    def apart(line: _Line) -> tuple[int, bool]:
        return (-len(line) if forwards.length_matters(len(line)) else 0, bool(line.stem.hidden.any()))

    batches: list[list[_Line]] = []
    for line in sorted(lines, key=lambda line: (apart(line), -len(line))):
        last = batches[-1] if batches else None
        room = last is not None and (len(last) + 1) * len(last[0]) <= most_tokens
        if last is not None and room and apart(last[0]) == apart(line):
            last.append(line)
        else:
            batches.append([line])
    return batches


def _run(
    forwards: Forwards, lines: Sequence[_Line], masks: _Recorded, fast: bool = False
) -> list[dict[int, tuple[float, ...]]]:
    """Run lines as one batch; per line, each of its continuations' token log-probabilities."""
    logits, wanted = _logits(forwards, lines, masks.get() if _hides(lines) else None, fast)
    values = target_log_probs(logits, [index for _, _, index, _ in wanted], [target for *_, target in wanted])
    out: list[dict[int, tuple[float, ...]]] = [{} for _ in lines]
    for (row, continuation, _, _), value in zip(wanted, values, strict=True):
        out[row][continuation] = (*out[row].get(continuation, ()), value)
    return out


def _hides(lines: Sequence[_Line]) -> bool:
    return any(line.stem.hidden.any() for line in lines)


def _logits(
    forwards: Forwards, lines: Sequence[_Line], masks: DepthMasks | None, fast: bool = False
) -> tuple[Tensor, list[tuple[int, int, int, int]]]:
    """Logits of a batch at what is read, and per read (row, continuation, index in the logits, target)."""
    width = max(map(len, lines))
    ids = np.zeros((len(lines), width), np.int64)
    hidden = np.zeros((len(lines), width), bool)
    places: dict[tuple[int, int], int] = {}
    wanted = []
    for row, line in enumerate(lines):
        ids[row, : len(line)] = line.ids
        hidden[row, : len(line.stem)] = line.stem.hidden
        for continuation, column, target in line.reads():
            wanted.append((row, continuation, places.setdefault((row, column), len(places)), target))
    rows, columns = np.array(list(places), np.int64).T
    if masks is None:
        return forwards.plain(ids, rows, columns, fast), wanted
    return forwards.masked(ids, hidden, rows, columns, masks, fast), wanted


def longest_line(forwards: Forwards, stem: Stem) -> _Line:
    """The longest text of a prompt, with every continuation that can be read from it."""
    return max(_lines(stem, share=not forwards.length_matters(stem.depth)), key=len)


def expected_check(forwards: Forwards, scored: Scored, masks: DepthMasks | None) -> Check:
    """A scored prompt against a plain forward of its longest text."""
    line = longest_line(forwards, scored.stem)
    logits, wanted = _logits(forwards, [line], masks if scored.stem.hidden.any() else None)
    reads = [(continuation, index, target) for _, continuation, index, target in wanted]
    return check_of(scored, logits, reads, relative_tolerance(forwards.model.dtype))


def check_of(scored: Scored, logits: Tensor, reads: Sequence[tuple[int, int, int]], relative: float) -> Check:
    """What a plain forward's logits say of a scored prompt.

    Args:
        reads: (continuation, index in the logits, target token) of each of its tokens.
        relative: difference allowed, relative to the spread of the logits.
    """
    values = target_log_probs(logits, [index for _, index, _ in reads], [target for *_, target in reads])
    sums: dict[int, float] = {}
    for (continuation, _, _), value in zip(reads, values, strict=True):
        sums[continuation] = sums.get(continuation, 0.0) + value
    used = logits[sorted({index for _, index, _ in reads})]
    spread = float((used.amax(-1) - used.amin(-1)).max())
    found = tuple(sum(scored.values[continuation]) for continuation in sums)
    return Check(scored.stem.jobs[0][0], tuple(sums.values()), found, relative * spread)


def _twin_check(forwards: Forwards, scored: Scored, masks: _Recorded) -> Check:
    """A prompt run alone against two copies of it in one batch: what the batch's shape alone changes."""
    line = longest_line(forwards, scored.stem)
    twin = _run(forwards, [line, line], masks)[-1]
    alone = tuple(sum(scored.values[continuation]) for continuation in twin)
    return Check(scored.stem.jobs[0][0], alone, tuple(map(sum, twin.values())), None)
