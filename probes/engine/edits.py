"""What is done inside a model during one forward: data alone, in token positions and tensors.

Edits name the nodes of a line; see `probes.engine.lines`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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


Edit = Replace | Knockout
