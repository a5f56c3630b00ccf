"""Look at a model before its weights are read: what it is, what it needs, what is still to be downloaded."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from probes.errors import ModelError
from probes.models import folder as folders
from probes.models import gguf, hub, placement, plausible, side_files
from probes.models.hubs import Hub, hub_named, hubs, reach
from probes.models.listing import Listing, refuse_large, weight_bytes
from probes.models.memory import require_disk
from probes.models.placement import Placement, Size
from probes.models.source import Source
from probes.models.stages import Progress

NO_HUB = ("hub_unreachable", "hub_offline")
"""Errors that say that no hub could be asked."""


@dataclass(frozen=True)
class Known:
    """A model that was looked at, but whose weights were not read yet."""

    config: dict[str, Any]
    architecture: str
    parameters: int
    revision: str | None
    hub: str
    """Of which protocol the hub is that it is from; "" where it is from none."""
    left: int
    """Bytes of its weights that would have to be downloaded."""
    bring: Callable[[Progress | None], Path]
    """The folder of its files, downloaded now where they are not here."""

    def place(self, device: str, dtype: str) -> Placement:
        return placement.place(self.parameters, self.config, self.architecture, device, dtype)


@dataclass(frozen=True)
class Preview:
    """What is told of a model before it is loaded."""

    name: str
    size: Size
    device: str
    dtype: str
    download: int
    """Bytes still to come from a hub; 0 for what is on this machine."""


def preview(source: Source, *, device: str = "auto", dtype: str = "auto") -> Preview:
    """What loading it would take, without reading or downloading weights.

    Raises:
        ModelError: the model cannot be had, or is of a kind that Crux does not open.
        InputError: no such device or dtype.
    """
    if source.path and source.kind == "gguf":
        header = gguf.read_header(source.path)
        chosen = placement.place(header.parameters, header.config, header.architecture, device, dtype)
        return Preview(source.name, chosen.size, chosen.device, chosen.dtype, 0)
    known = look(source)
    chosen = known.place(device, dtype)
    return Preview(source.name, chosen.size, chosen.device, chosen.dtype, known.left)


def inspect(source: Source, *, device: str = "auto", dtype: str = "auto") -> Size:
    """Parameters, memory needed and memory free; see `preview`."""
    return preview(source, device=device, dtype=dtype).size


def on_this_machine(source: Source) -> Path | None:
    """The folder or file, where all of the model is here; asks nobody, opens no weights."""
    if source.path:
        return source.path
    found = hub.here(source.repo or source.name, source.revision, hub_named(source.hub), hubs())
    return found[0] if found else None


def look(source: Source) -> Known:
    """What the model is, from names, headers and the configuration.

    Raises:
        ModelError: it cannot be had, or is of a kind that Crux does not open.
    """
    if source.path:
        return _look_at(source.path, source.name, None, "")
    first, repo = hub_named(source.hub), source.repo or source.name
    here = hub.here(repo, source.revision, first, hubs())
    branch = source.revision is not None and not hub.is_commit(source.revision)
    # what is here is used as it is, unless a branch or tag is named, which may have moved on since
    if here and (not branch or reach(first) is False):
        return _look_at(here[0], source.name, _told_revision(*here, source.revision), here[1].protocol)
    try:
        listing = hub.look_up(hub.repo_at(repo, first), source.revision, first)
    except ModelError as error:
        if here is None or error.key not in NO_HUB:
            raise
        return _look_at(here[0], source.name, _told_revision(*here, source.revision), here[1].protocol)
    return _look_at_listing(listing, source.name)


def _look_at_listing(listing: Listing, name: str) -> Known:
    folders.check_files(listing.files, name)
    refuse_large(listing)
    config = folders.read_config(hub.bring(listing, weights=False), name)
    architecture = folders.check_config(config, name)
    parameters = listing.parameters or weight_bytes(listing) // _itemsize(config)
    return Known(
        config,
        architecture,
        parameters,
        listing.commit if listing.hub.protocol == "huggingface" else listing.revision,
        listing.hub.protocol,
        hub.left(listing),
        partial(_download, listing, name, config),
    )


def _told_revision(folder: Path, where: Hub, asked: str | None) -> str | None:
    """The commit that is here; a hub that names none is known by what was asked of it."""
    return folder.name if where.protocol == "huggingface" else asked


def _look_at(folder: Path, name: str, revision: str | None, protocol: str) -> Known:
    folders.check_files({path.name for path in folder.iterdir()}, name)
    config = folders.read_config(folder, name)
    architecture = folders.check_config(config, name)
    parameters = _checked(folder, name, config)
    return Known(config, architecture, parameters, revision, protocol, 0, lambda _: folder)


def _checked(folder: Path, name: str, config: dict[str, Any]) -> int:
    """The number of parameters, once the weights' headers and the files beside them agree (cut short?
    quantised? a configuration of another size?)."""
    shapes = folders.read_shapes(folder, name)
    plausible.check_layers(config, shapes, name)
    side_files.check_side_files(
        folder, name, rows=max((max(s, default=1) for s in shapes.values()), default=1)
    )
    return sum(map(math.prod, shapes.values()))


def _download(listing: Listing, name: str, config: dict[str, Any], on_progress: Progress | None) -> Path:
    require_disk(hub.cache(listing.hub), hub.left(listing))
    folder = hub.bring(listing, weights=True, on_progress=on_progress)
    _checked(folder, name, config)  # now that they are here
    return folder


def _itemsize(config: dict[str, Any]) -> int:
    return 4 if str(config.get("dtype") or config.get("torch_dtype")) == "float32" else 2
