"""What is found out about a model once, and can be remembered: its parts, and what suits this processor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from probes.engine.anatomy import Anatomy, Capability, Finding, Layer
from probes.engine.chunks import suitable_chunk
from probes.engine.jobs import Reason
from probes.engine.linears import packed_speedup
from probes.engine.room import forward_width
from probes.engine.selfcheck import examine
from probes.engine.surgery import Parts
from probes.engine.turns import turns_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_SMALLEST = 256
"""Token positions of a forward, however little memory there is."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What examining a model gave.

    Attributes:
        anatomy: its parts, and what can be done to it.
        chunk_tokens: token positions that one packed forward should have.
        packed_speedup: see `probes.engine.linears.packed_speedup`.
    """

    anatomy: Anatomy
    chunk_tokens: int
    packed_speedup: float | None

    @property
    def lasting(self) -> bool:
        """Whether they are the model's own: an experiment that broke off may have lacked memory just then."""
        return all(finding.value is not None for finding in self.anatomy.findings)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            "anatomy": self.anatomy.as_dict(),
            "chunk_tokens": self.chunk_tokens,
            "packed_speedup": self.packed_speedup,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Findings:
        """From the plain data of :meth:`as_dict`.

        Raises:
            KeyError, TypeError, ValueError: it is something else.
        """
        anatomy = data["anatomy"]
        return cls(
            Anatomy(
                tuple(Layer(**layer) for layer in anatomy["layers"]),
                {name: _capability(entry) for name, entry in anatomy["capabilities"].items()},
                anatomy["positions"],
                anatomy["one_row"],
                anatomy["length_limit"],
                anatomy["tail"],
                tuple(Finding(**finding) for finding in anatomy["findings"]),
            ),
            int(data["chunk_tokens"]),
            data["packed_speedup"],
        )


def find_out(model: PreTrainedModel, chunk_tokens: int | None = None) -> Findings:
    """Examine a model; a second or several, for every experiment reads all weights.

    Args:
        chunk_tokens: where it is given, it is not looked for.

    Raises:
        ModelError: the model has no stack of blocks.
    """
    anatomy = examine(model)
    blocks = [model.get_submodule(layer.block) for layer in anatomy.layers]
    with turns_of(model):
        size = chunk_tokens or _no_larger_than_fits(model, anatomy, suitable_chunk(model, blocks))
        return Findings(anatomy, size, packed_speedup(model, blocks, size))


def _no_larger_than_fits(model: PreTrainedModel, anatomy: Anatomy, size: int) -> int:
    """`size`, halved until a forward of twice as many positions takes a quarter of a GPU's free memory."""
    if model.device.type != "cuda" or not anatomy.attention_layers:
        return size
    free = torch.cuda.mem_get_info(model.device)[0]
    each = 2 * forward_width(model, anatomy, Parts(model, anatomy)) * model.dtype.itemsize
    while size > _SMALLEST and size * each > free / 4:
        size //= 2
    return size


def _capability(entry: Mapping[str, Any]) -> Capability:
    reason = entry["reason"]
    if reason is None:
        return Capability(entry["ok"])
    return Capability(entry["ok"], Reason(reason["key"], {k: v for k, v in reason.items() if k != "key"}))
