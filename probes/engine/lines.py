"""A prompt and the trie of its continuations as one row of nodes.

Nodes 0 .. n - 1 are the prompt's tokens, n .. n + m - 1 the trie's (`tree.fan_of`), in its order; a
continuation's last token is only read off, so one-token answers bring no node at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.engine.edits import Knockout
from probes.engine.jobs import Job
from probes.engine.tree import STEM_END, Fan, fan_of


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
