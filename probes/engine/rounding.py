"""How far numbers of a model in half precision are off: the same texts run once more in float32.

A noise floor tells what a batch's shape changes. In bfloat16 that is no error bar: every shape rounds the
states after each map to the same 8 bits, so runs agree with one another and not with the weights' own answer.
Here a model's modules compute in float32 for one forward, from the weights as they are, and what the
answers' first tokens then get is held against what they get otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from probes.engine.forward import Forwards

TEXTS = 8
"""The prompt, and as many more that differ from it in one token: roundings of one text are few."""
DEVIATIONS = 3.0
"""Standard deviations of a difference of two runs that count as its error bar."""


@dataclass(frozen=True, slots=True)
class Precision:
    """What an effect in this number type is known to.

    Attributes:
        dtype: the type, "bfloat16" for instance.
        nats: error bar of a change of a log-probability: three standard deviations of the difference of two
            numbers whose roundings have nothing to do with one another.
        measured: against float32; else derived, one unit in the last place of the logits' spread a number.
    """

    dtype: str
    nats: float
    measured: bool


def precision(forwards: Forwards, ids: Sequence[int], tokens: Sequence[int]) -> Precision | None:
    """The error bar of effects on `tokens` after the prompt `ids`; None in float32 and wider.

    Two forwards of a few texts, one of them in float32; each weight is widened only while its module runs.
    """
    dtype = forwards.model.dtype
    eps = float(torch.finfo(dtype).eps)
    if eps <= float(torch.finfo(torch.float32).eps):
        return None
    texts = _texts(ids)
    with forwards.lock:
        own, spread = _log_probs(forwards, texts, tokens)
        try:
            with widened(forwards.model):
                off = own - _log_probs(forwards, texts, tokens)[0]
            one = float(off.square().mean().sqrt())
        except (RuntimeError, TypeError, ValueError):  # a model whose own code insists on its number type
            one = math.nan
    measured = math.isfinite(one)
    if not measured:
        one = eps * spread
    return Precision(str(dtype).removeprefix("torch."), DEVIATIONS * math.sqrt(2) * one, measured)


def _texts(ids: Sequence[int]) -> np.ndarray:
    """[texts, tokens]: the prompt, and it with one token, here and there, put in the place of the next."""
    places = np.unique(np.linspace(0, max(len(ids) - 2, 0), TEXTS).astype(int))
    texts = np.repeat(np.array([ids]), len(places) + 1, axis=0)
    for row, place in enumerate(places, 1):
        texts[row, min(place + 1, len(ids) - 1)] = ids[place]
    return np.unique(texts, axis=0)


def _log_probs(forwards: Forwards, texts: np.ndarray, tokens: Sequence[int]) -> tuple[Tensor, float]:
    """[texts, tokens] in nats, and the spread of the logits."""
    count, length = texts.shape
    logits = forwards.plain(texts, np.arange(count), np.full(count, length - 1)).cpu().double()
    spread = float((logits.amax(-1) - logits.amin(-1)).max())
    return logits.log_softmax(-1)[:, list(tokens)], spread


@contextmanager
def widened(model: nn.Module) -> Iterator[None]:
    """While open each module computes in float32: what it holds itself is widened while it runs, and is then
    the very tensor that it was. To be opened by who holds the model's lock.
    """
    held: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {}

    def widen(module: nn.Module, *_: object) -> None:
        own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
        held[module] = [(t, t.data) for t in own if t.is_floating_point() and t.element_size() < 4]
        for tensor, narrow in held[module]:
            tensor.data = narrow.float()

    def restore(module: nn.Module, *_: object) -> None:
        for tensor, narrow in held.pop(module, []):
            tensor.data = narrow

    hooks = []
    try:
        for module in model.modules():
            if any(True for _ in (*module.parameters(recurse=False), *module.buffers(recurse=False))):
                hooks.append(module.register_forward_pre_hook(widen))
                hooks.append(module.register_forward_hook(restore, always_call=True))
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for module in list(held):
            restore(module)
