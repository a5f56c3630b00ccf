"""Linear maps in oneDNN's own weight layout: the same float32 arithmetic, twice as fast on some processors.

PyTorch hands a float32 `Linear` to a general matrix library that, on AMD processors, reaches half to nine
tenths of what oneDNN reaches once the weight lies in the layout oneDNN likes. The two operators used here are
private to PyTorch, so nothing is taken for granted: they must exist, give the same numbers to 1e-4 on every
shape of weight, be faster by the clock over a model's maps taken together, and leave enough memory for the
second copy of the weights. Otherwise the model's own maps are used. The plain forwards of the checks and of
the reference never use them, so every job list also checks them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from probes.engine import hooks
from probes.engine.clock import least_seconds

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_TOLERANCE = 1e-4
_FEWEST_WEIGHTS = 1 << 16  # below, a call costs as much as its arithmetic, and the gain is a matter of luck
_WORTH = 1.07
_MOST_OF_FREE = 0.25

Map = Callable[[Tensor], Tensor]


class PackedLinears:
    """Second copies of a model's linear maps, used while `applied()` is open.

    Attributes:
        bytes: memory of the copies.
        speedup: how many times faster all maps together were, by the clock, when they were made.
    """

    def __init__(self, modules: Sequence[nn.Module], maps: Sequence[Map], speedup: float) -> None:
        self.speedup = speedup
        self.bytes = sum(_weight(module).nbytes for module in modules)
        self._modules = list(modules)
        self._maps = list(maps)
        self._versions = self._seen()

    def _seen(self) -> list[tuple[int, int]]:
        return [(weight.data_ptr(), weight._version) for weight in map(_weight, self._modules)]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Run the packed maps in the place of the modules' own; not at all once a weight has been changed."""
        if self._seen() != self._versions:
            yield
            return
        with hooks.replaced_forwards(self._modules, self._maps):
            yield


def packed_speedup(model: PreTrainedModel, blocks: Sequence[nn.Module], rows: int) -> float | None:
    """How many times faster the linear maps inside `blocks` are packed, by the clock; None where they cannot
    be had or do not give the same numbers.

    Args:
        rows: token positions of a usual forward.
    """
    if model.device.type != "cpu" or model.dtype != torch.float32 or not _available():
        return None
    shapes = by_shape(linear_maps(blocks))
    with torch.no_grad():
        if not shapes or not all(_exact(module, _packed(module, rows), rows) for module, _ in shapes):
            return None
        return _speedup(shapes, rows)


def pack_linears(blocks: Sequence[nn.Module], rows: int, speedup: float | None) -> PackedLinears | None:
    """Pack the linear maps inside `blocks`; None where that does not pay, or memory is short.

    Args:
        rows: token positions of a usual forward.
        speedup: see `packed_speedup`.
    """
    if speedup is None or speedup < _WORTH:
        return None
    modules = linear_maps(blocks)
    if sum(_weight(module).nbytes for module in modules) > _MOST_OF_FREE * free_bytes():
        return None
    with torch.no_grad():
        return PackedLinears(modules, [_packed(module, rows) for module in modules], speedup)


def linear_maps(blocks: Sequence[nn.Module]) -> list[nn.Module]:
    """The linear maps inside `blocks` that are large enough to matter."""
    return [module for block in blocks for module in block.modules() if _fits(module)]


def by_shape(modules: Sequence[nn.Module]) -> list[tuple[nn.Module, int]]:
    """One module of each shape of weight, and how many there are of it."""
    one = {tuple(_weight(module).shape): module for module in modules}
    counts = Counter(tuple(_weight(module).shape) for module in modules)
    return [(one[shape], count) for shape, count in counts.items()]


def _available() -> bool:
    needed = ("_reorder_linear_weight", "_linear_pointwise")
    return torch.backends.mkldnn.is_available() and all(hasattr(torch.ops.mkldnn, name) for name in needed)


def _fits(module: nn.Module) -> bool:
    """A plain linear map, no subclass with a will of its own, and nobody else's replaced forward."""
    from transformers.pytorch_utils import Conv1D

    kinds = (nn.Linear, Conv1D)
    return (
        type(module) in kinds and "forward" not in vars(module) and _weight(module).numel() >= _FEWEST_WEIGHTS
    )


def _weight(module: nn.Module) -> Tensor:
    """[out, in] of a `Linear`, [in, out] of GPT-2's `Conv1D`."""
    weight: Tensor = module.weight  # type: ignore[assignment]
    return weight


def _packed(module: nn.Module, rows: int) -> Map:
    weight = _weight(module).detach()
    weight = weight if isinstance(module, nn.Linear) else weight.T.contiguous()
    operators: Any = torch.ops.mkldnn
    packed = operators._reorder_linear_weight(weight, rows)
    bias = module.bias.detach() if isinstance(module.bias, Tensor) else None

    def forward(x: Tensor) -> Tensor:
        y: Tensor = operators._linear_pointwise(x, packed, bias, "none", [], "")
        return y

    return forward


def sample(module: nn.Module, rows: int) -> Tensor:
    """A random input [1, rows, width] of a linear map."""
    weight = _weight(module)
    width = weight.shape[1] if isinstance(module, nn.Linear) else weight.shape[0]
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, rows, int(width), generator=generator).to(weight)


def _exact(module: nn.Module, packed: Map, rows: int) -> bool:
    """Whether both give the same numbers, for the usual number of rows and for a few."""
    for count in (rows, 3):
        x = sample(module, count)
        own = module(x)
        if not bool((packed(x) - own).abs().max() <= _TOLERANCE * own.abs().max()):
            return False
    return True


def _speedup(modules: Sequence[tuple[nn.Module, int]], rows: int) -> float:
    """Processor time of a model's own maps over that of the packed ones: one module of each shape, and how
    many there are.
    """
    own = packed = 0.0
    for module, count in modules:
        x, other = sample(module, rows), _packed(module, rows)
        first, second = least_seconds([partial(module, x), partial(other, x)])
        own, packed = own + count * first, packed + count * second
    return own / packed


def free_bytes() -> int:
    """Memory that can be had without swapping; a system that does not tell is taken to have 4 GiB."""
    table = Path("/proc/meminfo")
    if table.exists():
        for line in table.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 4 << 30
