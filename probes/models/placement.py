"""Where a model runs and in which number format: chosen, checked against the memory that is free."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from probes.errors import InputError, LimitError
from probes.models.memory import bytes_free, bytes_needed, readable

if TYPE_CHECKING:
    import torch

DTYPES = ("auto", "float32", "bfloat16", "float16")
_SHORT = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16", "f32": "float32", "half": "float16"}


@dataclass(frozen=True)
class Size:
    """What a model takes and what there is, in bytes, before its weights are read."""

    parameters: int
    bytes_needed: int
    bytes_free: int
    architecture: str

    @property
    def fits(self) -> bool:
        return self.bytes_needed <= self.bytes_free


@dataclass(frozen=True)
class Placement:
    """The decision: one device, or several with a bound in bytes for each (`device_map` of transformers)."""

    device: str
    dtype: str
    size: Size
    max_memory: Mapping[int | str, int] | None = None

    @property
    def torch_dtype(self) -> torch.dtype:
        import torch

        return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[self.dtype]


def devices() -> tuple[str, ...]:
    """What this machine offers: "cpu", "cuda:0", ..., "mps"."""
    import torch

    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    apple = ["mps"] if torch.backends.mps.is_available() else []
    return ("cpu", *(f"cuda:{number}" for number in range(cards)), *apple)


def device_named(device: str) -> str:
    """The device of this machine that is meant: "auto" is a CUDA card where there is one.

    Raises:
        InputError: there is no such device here.
    """
    return _device(device, devices())


def place(
    parameters: int, config: Mapping[str, Any], architecture: str, device: str, dtype: str
) -> Placement:
    """Choose device and dtype. `size.fits` of the result says whether there is room.

    "auto" as device: a CUDA card where there is one, then MPS, then the processor. "auto" as dtype: fp32, in
    which effects are not drowned by rounding; on a CUDA card bf16 where only that fits. Where one card is too
    small for a device given as "auto" or "cuda", all cards and the processor's memory share the model.

    Args:
        parameters: how many numbers the weights are.
        config: the content of config.json.
        architecture: the class that will run it.
        device: auto, cpu, cuda, cuda:N or mps.
        dtype: auto, float32, bfloat16, float16, or fp32, bf16, fp16.

    Raises:
        InputError: no such device here, no such dtype.
    """
    there = devices()
    chosen = _device(device, there)
    wanted = _dtype(dtype)

    def trial(name: str) -> Placement:
        needed = bytes_needed(parameters, config, 4 if name == "float32" else 2)
        return Placement(chosen, name, Size(parameters, needed, bytes_free(chosen), architecture))

    names = ["float32", "bfloat16"] if wanted == "auto" and chosen.startswith("cuda") else [wanted]
    tried = [trial("float32" if name == "auto" else name) for name in names]
    fitting = next((placement for placement in tried if placement.size.fits), None)
    if fitting:
        return fitting
    if device in ("auto", "cuda") and chosen.startswith("cuda"):
        shared = (_shared(placement, there, bytes_needed(0, config, 2)) for placement in tried)
        return next((placement for placement in shared if placement.size.fits), tried[-1])
    return tried[-1]


def require(placement: Placement, name: str) -> None:
    """Refuse what does not fit.

    Raises:
        LimitError: with both numbers.
    """
    size = placement.size
    if not size.fits:
        raise LimitError(
            "memory",
            name=name,
            parameters=f"{size.parameters / 1e6:,.0f} M",
            dtype=placement.dtype,
            device=placement.device,
            needed=readable(size.bytes_needed),
            free=readable(size.bytes_free),
        )


def _shared(placement: Placement, there: tuple[str, ...], room: int) -> Placement:
    """The same model over all cards, then the processor; `room` bytes stay free on each card for the work."""
    memory: dict[int | str, int] = {
        int(name.removeprefix("cuda:")): max(0, bytes_free(name) - room)
        for name in there
        if name.startswith("cuda:")
    }
    memory["cpu"] = bytes_free("cpu")
    size = placement.size
    every = Size(size.parameters, size.bytes_needed, sum(memory.values()), size.architecture)
    return Placement(placement.device, placement.dtype, every, memory)


def _device(device: str, there: tuple[str, ...]) -> str:
    if device == "auto":
        return next((name for name in ("cuda:0", "mps") if name in there), "cpu")
    if not re.fullmatch(r"cpu|mps|cuda(:\d{1,3})?", device):
        raise InputError("device_unknown", device=device[:40], devices=", ".join(there))
    exact = "cuda:0" if device == "cuda" else device
    if exact not in there:
        raise InputError("device_missing", device=device, devices=", ".join(there))
    return exact


def _dtype(dtype: str) -> str:
    name = _SHORT.get(dtype, dtype)
    if name not in DTYPES:
        raise InputError("dtype_unknown", dtype=dtype[:40], dtypes=", ".join(DTYPES))
    return name
