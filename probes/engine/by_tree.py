"""A job list as one tree: the clean path once, then every branch over its cached beginning."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from probes.engine.by_batches import (
    NotExact,
    Scored,
    check_of,
    expected_check,
    longest_line,
    relative_tolerance,
)
from probes.engine.chunking import Chunk, Costs, chunks_of, pack
from probes.engine.forward import Forwards, target_log_probs
from probes.engine.jobs import Check, checked_round
from probes.engine.packing import Trunk
from probes.engine.tree import STEM_END, Stem, branches_of, fork_off


class Sessions:
    """The trunks of the clean prompts asked last, kept for the rounds that follow.

    A study in many rounds runs its clean prompt once, and what stands on it is checked in its first round,
    its second, its fourth, its eighth …, and anew once a check has failed. Callers hold the model's lock.
    """

    KEPT = 2
    LARGEST = 1 << 29
    """Bytes of keys and values above which a trunk is not kept."""

    def __init__(self) -> None:
        self._kept: dict[object, Session] = {}

    def forget(self) -> None:
        """Begin anew: a check did not hold, or something broke."""
        self._kept.clear()

    def of(self, forwards: Forwards, stems: Sequence[Stem]) -> Session:
        """The session of the first of `stems`: the one that is kept where it carries all of them."""
        clean = stems[0]
        key = clean.tokens.tobytes(), clean.hidden.tobytes(), clean.continuations
        found = self._kept.pop(key, None)
        if found is None or not found.trunk.carries(stems):
            found = Session(_ClimbedTrunk(forwards, stems))
        else:
            found = replace(found, trunk=found.trunk.counted_by(forwards), rounds=found.rounds + 1)
        if found.trunk.bytes <= self.LARGEST:
            while len(self._kept) >= self.KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = found
        return found


@dataclass(slots=True)
class Session:
    """A clean prompt's trunk, what it scored, and how many rounds stood on it before."""

    trunk: _ClimbedTrunk
    clean: tuple[tuple[float, ...], ...] | None = None
    rounds: int = 0

    def keep_clean(self, clean: Stem, scored: Sequence[Scored]) -> None:
        """What the clean prompt scored, once it is among what was run and checked."""
        for one in scored:
            if one.stem is clean:
                self.clean = one.values

    @property
    def checks(self) -> bool:
        """Whether this round is one that is checked."""
        return checked_round(self.rounds)


def score_tree(
    forwards: Forwards, stems: Sequence[Stem], costs: Costs, sessions: Sessions
) -> Iterator[Scored]:
    """Score `stems` (the first is the clean prompt) as a tree; checked before the first result is given out.

    Raises:
        NotExact: a checked prompt differs from its plain forward.
    """
    clean = stems[0]
    fork_off(stems, clean.tokens * 2)  # the trunk hides nothing, whatever the clean job hides
    session = sessions.of(forwards, stems)
    trunk, held = session.trunk, list[Scored]()
    if session.clean is not None:
        held = [Scored(clean, session.clean)]
        stems = stems[1:]
    chunks = chunks_of(branches_of(stems, costs.most_nodes), costs)
    checked = _to_check(stems) if session.checks and stems else []
    chunks.sort(key=lambda chunk: not any(stem in checked for stem in chunk.stems))
    held += [trunk.score(stem) for stem in stems if _on_trunk(stem) and not len(stem.fan.tokens)]
    open_checks = [stem for stem in checked if stem not in {scored.stem for scored in held}]
    for chunk in chunks:
        forwards.between()
        held += trunk.climb(chunk)
        if any(stem in open_checks for stem in chunk.stems):
            open_checks = [stem for stem in open_checks if stem not in chunk.stems]
        if not open_checks:
            _verify(forwards, trunk, checked, held)
            session.keep_clean(clean, held)
            checked = []
            yield from held
            held = []
    _verify(forwards, trunk, checked, held)
    session.keep_clean(clean, held)
    yield from held


def _to_check(stems: Sequence[Stem]) -> list[Stem]:
    """The clean prompt, the shortest and the longest text; of equals the one furthest from the clean."""
    shortest = min(stems, key=lambda stem: (stem.depth, stem.fork))
    longest = max(stems, key=lambda stem: (stem.depth, -stem.fork))
    return list({id(stem): stem for stem in (stems[0], shortest, longest)}.values())


def _verify(
    forwards: Forwards, trunk: _ClimbedTrunk, checked: Sequence[Stem], scored: Sequence[Scored]
) -> None:
    found = {id(one.stem): one for one in scored}
    for stem in checked:
        forwards.between()
        check = trunk.clean_check(found[id(stem)]) or expected_check(
            forwards, found[id(stem)], trunk.trunk.masks
        )
        if not forwards.report.add_check(check):
            raise NotExact(check)


class _ClimbedTrunk:
    """The trunk after its forward: stands for the prompts on it and carries the branches."""

    def __init__(self, forwards: Forwards, stems: Sequence[Stem]) -> None:
        self.forwards = forwards
        self.clean = stems[0]
        self._line = longest_line(forwards, self.clean)
        first = len(self.clean) - 1
        ends = {len(stem) - 1 for stem in stems if _on_trunk(stem)}
        columns = sorted(ends | set(range(first, len(self._line))))
        depth = max(stem.depth for stem in stems)
        self._at = {column: index for index, column in enumerate(columns)}
        self.trunk: Trunk
        ids = self._line.ids.tolist()
        self.trunk, self._logits = forwards.trunk(ids, len(self.clean), depth, np.array(columns))
        self._depth = depth

    def carries(self, stems: Sequence[Stem]) -> bool:
        """Whether all of `stems` can stand on it: none is deeper than its masks, or ends where nothing was
        read.
        """
        ends = {len(stem) - 1 for stem in stems if _on_trunk(stem)}
        return ends <= set(self._at) and max(stem.depth for stem in stems) <= self._depth

    def counted_by(self, forwards: Forwards) -> _ClimbedTrunk:
        """The same trunk, what is run on it counted in the report of `forwards`."""
        other = copy.copy(self)
        other.forwards = forwards
        return other

    @property
    def bytes(self) -> int:
        """Memory of the keys and values."""
        return sum(one.nbytes for pair in self.trunk.keys_values if pair is not None for one in pair)

    def clean_check(self, scored: Scored) -> Check | None:
        """The clean prompt's numbers against the trunk's forward, which is a plain one.

        None for another prompt, and for a clean one that hides something or was read off the trunk itself.
        """
        if scored.stem is not self.clean or self.clean.hidden.any() or not self.clean.fan.height:
            return None
        reads = [
            (continuation, self._at[column], target) for continuation, column, target in self._line.reads()
        ]
        return check_of(scored, self._logits, reads, relative_tolerance(self.forwards.model.dtype))

    def score(self, stem: Stem) -> Scored:
        """A prompt that lies on the trunk whole and whose continuations are one token each."""
        at = self._at[len(stem) - 1]
        targets = [pairs[0][1] for pairs in stem.fan.reads]
        values = target_log_probs(self._logits, [at] * len(targets), targets)
        return Scored(stem, tuple((value,) for value in values))

    def climb(self, chunk: Chunk) -> list[Scored]:
        """Run one chunk of branches."""
        packed, wanted = pack(chunk)
        logits = self.forwards.packed(packed, self.trunk)
        here = len(logits)
        if any(_on_trunk(one.stem) for one in wanted):
            logits = torch.cat([logits, self._logits])
        reads: list[int] = []
        targets: list[int] = []
        for one in wanted:
            end = here + self._at[len(one.stem) - 1] if _on_trunk(one.stem) else STEM_END
            reads += [end if read == STEM_END else read for path in one.reads for read in path]
            targets += sum(one.targets, ())
        values = iter(target_log_probs(logits, reads, targets))
        return [
            Scored(one.stem, tuple(tuple(next(values) for _ in path) for path in one.reads)) for one in wanted
        ]


def _on_trunk(stem: Stem) -> bool:
    """Whether the trunk contains the whole prompt."""
    return stem.fork == len(stem)
