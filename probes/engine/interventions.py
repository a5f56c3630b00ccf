"""What is done inside a model during one forward: data alone, in token positions and tensors.

A *line* is a job's prompt followed by the nodes of its continuations' trie (`tree.fan_of`): node 0 .. n - 1
are the prompt's tokens, n .. n + m - 1 the trie's, in its order; a continuation's last token is only read
off, so one-token answers bring no node at all. Interventions name the nodes of a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from probes.engine.jobs import Job
from probes.engine.tree import STEM_END, Fan, fan_of

if TYPE_CHECKING:
    from torch import Tensor

Site = Literal["head", "attention", "mlp", "block"]
SITES: tuple[Site, ...] = ("head", "attention", "mlp", "block")


@dataclass(frozen=True, slots=True, eq=False)
class Replace:
    """Put something else in the place of what a part of the model computed.

    Attributes:
        layer: index of the block.
        site: "head": a head's slice of the output projection's input; "attention": the projection's output
            (its bias included); "mlp": the feed-forward's output; "block": what a block hands on.
        head: the query head, for the site "head" alone.
        positions: nodes of the line; None for every one.
        value: None for zeros, a vector [width], or [positions, width] (the line's nodes where `positions` is
            None). A head's width is its slice's, the other sites' that of the residual stream.
    """

    layer: int
    site: Site
    head: int | None = None
    positions: tuple[int, ...] | None = None
    value: Tensor | None = None

    def __post_init__(self) -> None:
        if (self.site == "head") != (self.head is not None):
            raise ValueError(f"site {self.site!r} with head {self.head}: a head is named for the site 'head'")

    @property
    def first_layer(self) -> int:
        """The first block it changes."""
        return self.layer

    @property
    def first_node(self) -> int | None:
        """The first node it changes; None for no node at all."""
        return 0 if self.positions is None else min(self.positions, default=None)

    def changes(self, nodes: int) -> tuple[int, ...]:
        """The nodes it changes, of so many."""
        return tuple(range(nodes)) if self.positions is None else self.positions


@dataclass(frozen=True, slots=True)
class Knockout:
    """Attention knockout: no query node may read a key node (Geva et al. 2023, arXiv 2304.14767).

    What is left of each query's attention is renormalised, as a mask before the softmax does. A node always
    reads itself.

    Attributes:
        queries, keys: nodes of the line.
        layers: indices of blocks, None for all that have attention.
        heads: query heads, None for all.
    """

    queries: tuple[int, ...]
    keys: tuple[int, ...]
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None

    @property
    def first_layer(self) -> int:
        """The first block it may change."""
        return 0 if self.layers is None else min(self.layers, default=0)

    @property
    def first_node(self) -> int | None:
        """The first node that loses something it could read; None where nobody does."""
        earliest = min(self.keys, default=None)
        later = [query for query in self.queries if earliest is not None and query > earliest]
        return min(later, default=None)

    def changes(self, nodes: int) -> tuple[int, ...]:
        """The nodes it may change, of so many."""
        first = self.first_node
        return () if first is None else tuple(query for query in self.queries if first <= query < nodes)


Intervention = Replace | Knockout


@dataclass(frozen=True, slots=True)
class InsideJob:
    """A job, and what is done inside the model while it runs; nothing for the clean run."""

    job: Job
    edits: tuple[Intervention, ...] = ()


@dataclass(frozen=True)
class Line:
    """A prompt and the trie of its continuations as one row of nodes.

    Attributes:
        ids: the prompt's tokens.
        continuations: the distinct continuations.
    """

    ids: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, job: Job) -> Line:
        """The line of a job; its hidden positions are no part of it."""
        return cls(job.ids, tuple(dict.fromkeys(job.continuations)))

    @property
    def fan(self) -> Fan:
        """The trie of the continuations."""
        return fan_of(self.continuations)

    def __len__(self) -> int:
        return len(self.ids) + len(self.fan.tokens)

    @property
    def longest(self) -> int:
        """Tokens of the longest text on it."""
        return len(self.ids) + self.fan.height

    @cached_property
    def tokens(self) -> np.ndarray:
        """int64 [nodes]."""
        return np.concatenate([np.array(self.ids, np.int64), self.fan.tokens])

    @cached_property
    def depth(self) -> np.ndarray:
        """int64 [nodes], each node's position in its own text."""
        return np.concatenate([np.arange(len(self.ids)), len(self.ids) + self.fan.depth])

    @cached_property
    def sees(self) -> np.ndarray:
        """bool [nodes, nodes]: which nodes stand before a node in its text, itself included."""
        n, m = len(self.ids), len(self.fan.tokens)
        sees = np.zeros((n + m, n + m), bool)
        sees[:n, :n] = np.tri(n, dtype=bool)
        sees[n:, :n] = True
        sees[n:, n:] = self.fan.sees
        return sees

    @property
    def answer_nodes(self) -> tuple[int, ...]:
        """The prompt's last token and the continuations' own: where the answer is read."""
        return tuple(range(len(self.ids) - 1, len(self)))

    def node(self, place: int) -> int:
        """Number of a fan's node (or of STEM_END, the prompt's last token)."""
        return len(self.ids) - 1 if place == STEM_END else len(self.ids) + place

    def reads(self) -> list[tuple[int, int, int]]:
        """(continuation, node, target token) of every log-probability that is added up."""
        return [
            (c, self.node(place), target) for c, pairs in enumerate(self.fan.reads) for place, target in pairs
        ]

    def knockout_of(self, hidden: frozenset[int]) -> Knockout:
        """What a job's hidden positions mean: nothing later reads them."""
        return Knockout(tuple(range(len(self))), tuple(sorted(hidden)))
