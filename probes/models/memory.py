"""How much memory a model needs, and how much is free, before its weights are touched."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probes.errors import LimitError

WORKING_TOKENS = 2048
"""Tokens that are in flight at once: cached prompt, packed branches."""
WORKING_ROWS = 256
"""Positions whose logits are held at once."""


def bytes_needed(parameters: int, config: Mapping[str, Any], itemsize: int) -> int:
    """Weights and working room of a model, in bytes.

    The working room is an estimate: keys and values of `WORKING_TOKENS` tokens in every layer, one layer's
    activations for them, and `WORKING_ROWS` rows of logits with their log-softmax in fp32.

    Args:
        parameters: how many numbers the weights are.
        config: the content of config.json; of a multimodal model, its text part is used.
        itemsize: bytes of a number in the chosen dtype.
    """
    text = {**config, **(config.get("text_config") or {})}

    def number(*names: str) -> int:
        return next((int(text[name]) for name in names if isinstance(text.get(name), int)), 0)

    hidden = number("hidden_size", "n_embd", "d_model", "dim")
    heads = number("num_attention_heads", "n_head", "n_heads", "num_heads") or 1
    width = number("head_dim") or hidden // heads
    key_value = (number("num_key_value_heads") or heads) * width
    layers = number("num_hidden_layers", "n_layer", "n_layers", "num_layers")
    inner = number("intermediate_size", "n_inner", "ffn_dim") or 4 * hidden
    per_token = 2 * layers * key_value + 8 * hidden + 3 * inner
    logits = WORKING_ROWS * number("vocab_size") * 2 * 4
    return parameters * itemsize + WORKING_TOKENS * per_token * itemsize + logits


def bytes_free(device: str = "cpu") -> int:
    """Memory that can still be had on `device` ("cpu", "cuda:N" or "mps"), in bytes.

    For the processor: what the system calls available, or what is left of the container's limit.
    """
    import psutil

    system: int = min([psutil.virtual_memory().available, *container_rooms()])
    if device.startswith("cuda"):
        import torch

        # What torch holds in reserve but does not use is free to a new model as well.
        reserve = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + reserve
    if device == "mps":
        import torch

        room = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
        system = min(int(room), system)
    return system


def container_rooms(root: Path = Path("/")) -> list[int]:
    """What is left of each memory limit this process lives under, in bytes: control groups, version 1 and 2.

    Cached file pages count as used in a group, but are given up on demand: they are taken off. Empty
    where there is no limit.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # no Linux
        return []
    rooms = []
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            mount, names = "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            mount = "sys/fs/cgroup/memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        # Inside a container the group's own path may not be visible: its limit is then at the mount itself.
        for level in {group, *map(str, Path(group).parents)}:
            room = _room(root / mount / level.lstrip("/"), *names)
            if room is not None:
                rooms.append(room)
    return rooms


def _room(folder: Path, limit: str, used: str, cached: str) -> int | None:
    try:
        bound, taken = (folder / limit).read_text().strip(), int((folder / used).read_text())
        stat = (folder / "memory.stat").read_text()
    except (OSError, ValueError):
        return None
    if not bound.isdigit() or int(bound) >= 1 << 60:  # "max", or version 1's way of saying so
        return None
    match = re.search(rf"^{cached} (\d+)$", stat, re.MULTILINE)
    return max(0, int(bound) - taken + (int(match[1]) if match else 0))


def require_disk(folder: Path, needed: int) -> None:
    """Refuse what would not fit on the disk that holds `folder`.

    Raises:
        LimitError: with both numbers.
    """
    free = disk_free(folder)
    if needed > free:
        raise LimitError("disk", folder=folder, needed=readable(needed), free=readable(free))


def disk_free(folder: Path) -> int:
    """Bytes free on the disk that holds `folder`, or would hold it."""
    return shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free


def readable(count: float) -> str:
    """Bytes for people: "538 MB", "1.2 GB" (decimal units)."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.{1 if unit in ('TB', 'GB') else 0}f} {unit}"
    return f"{count:.0f} B"
