"""Load a model: find it, look at what it is, refuse by name what cannot be opened or does not fit, open it.

Safetensors only, no code from a model's repository, no weights read before their size is known to fit.

While transformers builds a model it changes settings of the whole process, so one model is built at a time,
whichever threads ask; and where one of those settings is the default number type, no model runs meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from probes.errors import ModelError
from probes.models import folder as folders
from probes.models import gguf, hub, opening, placement, plausible, side_files, tokenizer_trial
from probes.models.fingerprint import fingerprint
from probes.models.memory import require_disk
from probes.models.pinned import require_weights
from probes.models.placement import Size
from probes.models.source import Source
from probes.models.stages import Progress

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_BUILDING = Lock()


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to run, and what is known of it."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast
    source: Source
    """With the commit that was loaded as `revision`, for a model from the hub."""
    fingerprint: str
    """sha256 over configuration, tokenizer and weights: equal only for the very same model."""
    dtype: str
    device: str
    size: Size
    attention: str = field(init=False)
    """The implementation it is run with; its configuration names another one while weights are read out."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "attention", str(self.model.config._attn_implementation))

    def describe(self) -> dict[str, Any]:
        """What a record says of the model; nothing of this machine's folders."""
        return {
            "model": self.source.name,
            "source": self.source.kind,
            "repo": self.source.repo,
            "revision": self.source.revision,
            "fingerprint": self.fingerprint,
            "architecture": self.size.architecture,
            "parameters": self.size.parameters,
            "dtype": self.dtype,
            "device": self.device,
            "attention": self.attention,
        }


@dataclass(frozen=True)
class _Known:
    """A model that was looked at, but whose weights were not read yet."""

    config: dict[str, Any]
    architecture: str
    parameters: int
    revision: str | None
    bring: Callable[[Progress | None], Path]
    """The folder of its files, downloaded now where they are not here."""

    def place(self, device: str, dtype: str) -> placement.Placement:
        return placement.place(self.parameters, self.config, self.architecture, device, dtype)


def inspect(source: Source, *, device: str = "auto", dtype: str = "auto") -> Size:
    """Parameters, memory needed and memory free, without reading or downloading weights.

    Raises:
        ModelError: the model cannot be had, or is of a kind that Crux does not open.
        InputError: no such device or dtype.
    """
    if source.path and source.kind == "gguf":
        header = gguf.read_header(source.path)
        return placement.place(header.parameters, header.config, header.architecture, device, dtype).size
    return _look(source).place(device, dtype).size


def load(
    source: Source,
    *,
    device: str = "auto",
    dtype: str = "auto",
    on_progress: Progress | None = None,
    weights: str | None = None,
) -> Loaded:
    """Open the model at `source`, in evaluation mode, with gradients off.

    A .gguf file is converted first, and a hub's model downloaded, each once.

    Args:
        source: from `probes.models.source.resolve`.
        device: auto, cpu, cuda, cuda:N or mps; see `placement.place`.
        dtype: auto, float32, bfloat16 or float16.
        on_progress: see `Progress`.
        weights: sha256 that they must have; see `pinned.weights_hash`.

    Raises:
        ModelError: the model cannot be had, or is of a kind that Crux does not open; the text says which.
        LimitError: it does not fit the memory or the disk, with both numbers.
        InputError: no such device or dtype.
        CapabilityError: its tokenizer does not give offsets.
    """
    report = on_progress or (lambda _stage, _done, _all: None)
    unpacked = source
    if source.path and source.kind == "gguf":
        with _BUILDING:
            unpacked = replace(source, path=gguf.converted(source.path, on_progress))
    known = _look(unpacked)
    chosen = known.place(device, dtype)
    placement.require(chosen, source.name)
    folder = known.bring(on_progress)
    if weights is not None:
        require_weights(folder, source.name, weights)
    report("load", 0, 1)
    if source.kind != "builtin":  # that one is the house's own
        tokenizer_trial.try_out(folder, source.name)
    shapes = folders.read_shapes(folder, source.name)
    with _building(chosen.torch_dtype), plausible.held_to_weights(shapes, known.parameters, source.name):
        config = opening.open_config(folder, source.name)
        tokenizer = opening.open_tokenizer(folder, source.name)
        if source.kind == "builtin" and not chosen.max_memory:
            model = opening.open_own(folder, config, chosen)
        else:
            model = opening.open_model(folder, source.name, config, chosen)
    opening.check_opened(model, tokenizer, source.name)
    report("load", 1, 1)
    return Loaded(
        model,
        tokenizer,
        replace(source, revision=known.revision),
        fingerprint(folder, source.name),
        chosen.dtype,
        opening.devices_of(model, chosen),
        chosen.size,
    )


@contextmanager
def _building(dtype: torch.dtype) -> Iterator[None]:
    """While open this thread alone builds a model, of numbers of type `dtype`."""
    import torch

    from probes.engine.turns import all_still

    with _BUILDING:
        if dtype == torch.get_default_dtype():
            yield
            return
        with all_still():
            yield


def _look(source: Source) -> _Known:
    """What the model is, from names, headers and the configuration."""
    if source.path:
        return _look_at(source.path, source.name, None)
    repo = source.repo or source.name
    if source.revision and hub.is_commit(source.revision):
        before = hub.cached(repo, source.revision)
        if before:  # a commit never changes: nobody need be asked
            return _look_at(before, source.name, source.revision)
    try:
        listing = hub.look_up(repo, source.revision)
    except ModelError as error:
        before = hub.cached(repo, source.revision)
        if before is None or error.key not in ("hub_unreachable", "hub_offline"):
            raise
        return _look_at(before, source.name, before.name)
    folders.check_files(listing.files, source.name)
    hub.refuse_large(listing)
    config = folders.read_config(hub.bring(listing, weights=False), source.name)
    architecture = folders.check_config(config, source.name)
    parameters = listing.parameters or hub.weight_bytes(listing) // _itemsize(config)
    return _Known(
        config, architecture, parameters, listing.commit, partial(_download, listing, source.name, config)
    )


def _look_at(folder: Path, name: str, revision: str | None) -> _Known:
    folders.check_files({path.name for path in folder.iterdir()}, name)
    config = folders.read_config(folder, name)
    architecture = folders.check_config(config, name)
    return _Known(config, architecture, _checked(folder, name, config), revision, lambda _: folder)


def _checked(folder: Path, name: str, config: dict[str, Any]) -> int:
    """The number of parameters, once the weights' headers and the files beside them agree (cut short?
    quantised? a configuration of another size?)."""
    shapes = folders.read_shapes(folder, name)
    plausible.check_layers(config, shapes, name)
    side_files.check_side_files(
        folder, name, rows=max((max(s, default=1) for s in shapes.values()), default=1)
    )
    return sum(map(math.prod, shapes.values()))


def _download(listing: hub.Listing, name: str, config: dict[str, Any], on_progress: Progress | None) -> Path:
    if hub.cached(listing.repo, listing.commit) is None:
        require_disk(hub.cache(), hub.weight_bytes(listing))
    folder = hub.bring(listing, weights=True, on_progress=on_progress)
    _checked(folder, name, config)  # now that they are here
    return folder


def _itemsize(config: dict[str, Any]) -> int:
    return 4 if str(config.get("dtype") or config.get("torch_dtype")) == "float32" else 2
