"""What is told of a model that could be loaded, from catalogue and machine alone: nobody is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from probes.models import catalog
from probes.models.catalog import CatalogEntry
from probes.models.looking import on_this_machine, preview
from probes.models.placement import Placement, Size, place
from probes.models.source import Source


@dataclass(frozen=True)
class Offer:
    """One model of a list."""

    name: str
    entry: CatalogEntry | None
    """What the catalogue says of it, where it is in it."""
    here: bool
    """Whether all of it is on this machine."""
    dtype: str
    size: Size | None
    """None where nobody knows before a hub is asked."""
    halved: int | None
    """Bytes that it would need in bfloat16, where it does not fit as asked, and would so."""

    @property
    def fits(self) -> bool:
        return self.size is None or self.size.fits

    @property
    def chinese(self) -> bool:
        return self.name == "builtin" or (self.entry is not None and self.entry.chinese)


def offer(source: Source, device: str = "auto", dtype: str = "auto", spare: int = 0) -> Offer:
    """The model at `source` as it would be loaded.

    Args:
        spare: bytes that will be free by the time it is loaded, on top of those that are now.

    Raises:
        ModelError: what is on this machine is none that Crux opens.
        InputError: no such device or dtype.
    """
    entry, here = catalog.find(source.name), on_this_machine(source)
    if entry is not None:

        def placed(number: str) -> Placement:
            return place(entry.parameters, entry.shape, "", device, number)

        chosen = placed(dtype)
        size = replace(chosen.size, bytes_free=chosen.size.bytes_free + spare)
        less = placed("bfloat16").size.bytes_needed
        halved = less if not size.fits and less <= size.bytes_free else None
        return Offer(entry.name, entry, here is not None, chosen.dtype, size, halved)
    if here is None:
        return Offer(source.name, None, False, dtype, None, None)
    found = preview(replace(source, path=here, repo=None), device=device, dtype=dtype)
    size = replace(found.size, bytes_free=found.size.bytes_free + spare)
    return Offer(source.name, None, True, found.dtype, size, None)


def chinese_first(offers: Sequence[Offer]) -> Offer | None:
    """The Chinese-capable model to begin with: one that fits and wants no account, here or not."""
    fitting = [one for one in offers if one.entry and one.chinese and one.fits and not one.entry.gated]
    return next((one for one in fitting if one.here), fitting[0] if fitting else None)
