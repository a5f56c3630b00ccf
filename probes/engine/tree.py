"""All prompts as one prefix tree: what two texts share at their start is run once.

Under a causal mask what is computed at a token depends on the tokens before it alone. So texts that begin
alike share that beginning, exactly, whatever a tokenizer did at the cut: the tree is built over token ids.

* The *trunk* is the clean prompt, run once with a cache.
* A *stem* is one distinct prompt; it leaves the trunk at its *fork* and brings its own nodes from there on.
* A *fan* is the little trie of the continuations under a stem. Answers that begin alike share nodes, and the
  last token of a continuation is only read off, never run: four one-token answers cost nothing.
* Hidden positions (attention knockout) are branches like any other. What is computed at a hidden position is
  unchanged; only what comes later differs. So a node is told by (parent, token, is the parent hidden), coded
  here as one integer a position: a *step*, 2 * token + (1 if the position before is hidden).

Nodes are numbered only when a chunk is packed (`chunking`): a million of them never exist at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from probes.engine.jobs import Job

STEM_END = -1


@dataclass(frozen=True, slots=True)
class Fan:
    """The trie of some continuations, under the last token of a prompt.

    Attributes:
        tokens: int64 [m], the token of each node that has to be run (all but the continuations' last).
        depth: int64 [m], 0 for a continuation's first token.
        sees: bool [m, m], whether node i reads node j: its ancestors and itself.
        reads: per continuation, the (node, target token) pairs whose log-probabilities add up to it; node
            STEM_END is the prompt's last token.
        longest: index of the continuation with most tokens.
    """

    tokens: np.ndarray
    depth: np.ndarray
    sees: np.ndarray
    reads: tuple[tuple[tuple[int, int], ...], ...]
    longest: int

    @property
    def height(self) -> int:
        """Nodes on the longest path."""
        return len(self.reads[self.longest]) - 1

    def path(self, continuation: int) -> list[int]:
        """The nodes run for one continuation, top down."""
        return [node for node, _ in self.reads[continuation][1:]]


@lru_cache(maxsize=512)
def fan_of(continuations: tuple[tuple[int, ...], ...]) -> Fan:
    """The fan of `continuations`; most jobs of a list share one, so it is kept."""
    children: dict[tuple[int, int], int] = {}
    tokens: list[int] = []
    parents: list[int] = []
    depth: list[int] = []
    reads = []
    for continuation in continuations:
        node, pairs = STEM_END, []
        for place, token in enumerate(continuation):
            pairs.append((node, token))
            if place == len(continuation) - 1:
                break
            child = children.setdefault((node, token), len(tokens))
            if child == len(tokens):
                tokens.append(token)
                parents.append(node)
                depth.append(place)
            node = child
        reads.append(tuple(pairs))
    sees = np.eye(len(tokens), dtype=bool)
    for node, parent in enumerate(parents):
        if parent != STEM_END:
            sees[node] |= sees[parent]
    longest = max(range(len(continuations)), key=lambda i: len(continuations[i]))
    return Fan(np.array(tokens, np.int64), np.array(depth, np.int64), sees, tuple(reads), longest)


@dataclass(slots=True, eq=False)
class Stem:
    """One distinct prompt (ids and hidden positions) of a job list.

    Attributes:
        tokens: int64 [n].
        hidden: bool [n], positions nothing later may read.
        steps: int64 [n], tokens coded with the flag of the position before.
        continuations: the distinct continuations asked after this prompt.
        jobs: (job index, per continuation of that job its place in `continuations`).
        fork: how many nodes it shares with the trunk, set by `fork_off`.
    """

    tokens: np.ndarray
    hidden: np.ndarray
    steps: np.ndarray
    continuations: tuple[tuple[int, ...], ...]
    jobs: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    fork: int = 0

    @property
    def fan(self) -> Fan:
        """The trie of its continuations."""
        return fan_of(self.continuations)

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def depth(self) -> int:
        """Nodes on the longest path through it."""
        return len(self) + self.fan.height


def stems_of(jobs: Sequence[Job]) -> list[Stem]:
    """The distinct prompts of `jobs`, in order of appearance; equal prompts are run once."""
    grouped: dict[tuple[tuple[int, ...], frozenset[int]], list[int]] = {}
    for index, job in enumerate(jobs):
        grouped.setdefault((job.ids, job.hidden), []).append(index)
    stems = []
    for (ids, hidden), members in grouped.items():
        places: dict[tuple[int, ...], int] = {}
        slots = [
            (index, tuple(places.setdefault(c, len(places)) for c in jobs[index].continuations))
            for index in members
        ]
        tokens = np.array(ids, np.int64)
        mask = np.zeros(len(ids), bool)
        mask[sorted(hidden)] = True
        steps = tokens * 2
        steps[1:] += mask[:-1]
        stems.append(Stem(tokens, mask, steps, tuple(places), slots))
    return stems


def shared(a: np.ndarray, b: np.ndarray) -> int:
    """Length of the longest common prefix of two step arrays."""
    n = min(len(a), len(b))
    different = a[:n] != b[:n]
    return int(different.argmax()) if different.any() else n


@dataclass(frozen=True, slots=True)
class Branch:
    """Stems that share nodes beyond the trunk, packed one after another into one row.

    Attributes:
        stems: in an order in which each shares most with the one before.
        starts: per stem, the depth of its first own node: its fork for the first, for the others how much it
            shares with the stem before.
        nodes: how many nodes have to be run for it.
    """

    stems: tuple[Stem, ...]
    starts: tuple[int, ...]
    nodes: int

    @property
    def fork(self) -> int:
        """Depth at which the branch leaves the trunk."""
        return self.starts[0]


def own_nodes(stem: Stem, start: int) -> int:
    """Nodes a stem brings when its first `start` are shared: the rest of the prompt, and its fan."""
    return len(stem) - start + len(stem.fan.tokens)


def fork_off(stems: Sequence[Stem], trunk: np.ndarray) -> None:
    """Set where each stem leaves `trunk` (steps)."""
    for stem in stems:
        stem.fork = shared(stem.steps, trunk)


def branches_of(stems: Sequence[Stem], most: int) -> list[Branch]:
    """Cut a job list's stems, their forks set, into branches off the trunk, ordered by fork.

    Args:
        most: nodes a branch may have; one that would have more is cut, and what the pieces share is run once
            in each. A single stem is never cut.
    """
    # Big-endian bytes sort like the numbers: neighbours then share the longest prefixes.
    ordered = sorted(stems, key=lambda stem: (stem.fork, stem.steps.astype(">i8").tobytes()))
    branches: list[Branch] = []
    for stem in ordered:
        last = branches[-1] if branches else None
        common = shared(stem.steps, last.stems[-1].steps) if last else 0
        if last and common > stem.fork == last.fork and last.nodes + own_nodes(stem, common) <= most:
            nodes = last.nodes + own_nodes(stem, common)
            branches[-1] = Branch((*last.stems, stem), (*last.starts, common), nodes)
        else:
            branches.append(Branch((stem,), (stem.fork,), own_nodes(stem, stem.fork)))
    return branches
