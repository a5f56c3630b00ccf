"""Norms as the linear maps they are at one state, the factor they divide by held.

A layer norm or RMS norm is, its factor held, one linear map: each component times its own number (after the
mean is taken off). Those numbers are read off the module itself, from a vector of equal magnitudes that has
the state's norm, and tried on the state, so a module that is no such map is not taken for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from probes.engine import hooks

_FITS = 1e-3
"""Largest error of the map at the state itself, as a share of the norm's largest component there."""


@dataclass(frozen=True, slots=True)
class HeldNorm:
    """A norm at the states `clean` [positions, width], its factor that of the last of them.

    Attributes:
        scale: [width], what each component is multiplied by.
        centred: whether the mean is taken off before.
        out: [positions, width], what the norm gives for `clean`.
    """

    module: nn.Module
    clean: Tensor
    scale: Tensor
    centred: bool
    out: Tensor

    def __call__(self, hidden: Tensor, *_args: Any, **_kwargs: Any) -> Tensor:
        """The map, in the place of the module's forward."""
        change = hidden.reshape(-1, *self.clean.shape) - self.clean
        if self.centred:
            change = change - change.mean(-1, keepdim=True)
        return (self.out + self.scale * change).reshape(hidden.shape)


def held_norm(module: nn.Module, clean: Tensor) -> HeldNorm | None:
    """`module` at the states [positions, width]; None where it is no such map at the last of them."""

    def norm(vector: Tensor) -> Tensor:
        out: Tensor = module(vector[None, None])[0, 0]
        return out

    state = clean[-1]
    with torch.no_grad():
        out, shift = norm(state), norm(torch.zeros_like(state))
        if out.shape != state.shape:  # a map to another width: no norm
            return None
        tolerance = _FITS * float(out.abs().max().clamp_min(1e-30))
        centred = bool((norm(state + state.abs().mean()) - out).abs().max() <= tolerance)
        inner = state - state.mean() if centred else state
        signs = torch.ones_like(state)
        signs[1::2] = -1
        if centred:
            signs = signs - signs.mean()
        flat = signs * (inner.norm() / signs.norm())
        scale = (norm(flat) - shift) / flat
        if not bool((scale * inner + shift - out).abs().max() <= tolerance):
            return None
        return HeldNorm(module, clean, scale, centred, module(clean[None])[0])


@contextmanager
def held(norms: Sequence[HeldNorm]) -> Iterator[None]:
    """While open each norm is the linear map it was at its clean states."""
    with hooks.replaced_forwards([norm.module for norm in norms], list(norms)):
        yield
