"""How many tokens a model reads: its configuration's number, held to the table of positions it really uses.

Some tables are longer than the text they serve, or begin further in: RoBERTa's first token stands at row
`padding + 1`, OPT's and BART's at row 2. What counts is measured: the row that the first token looks up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from probes.engine.configuration import text_config

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_NAMES = ("max_position_embeddings", "n_positions")
_TOKENS = 6


class _Enough(Exception):
    """The first attention begins: positions were looked up before it."""


def window_of(model: PreTrainedModel) -> int | None:
    """The longest text `model` reads, in tokens; None where nothing sets a bound.

    A model with a learned table of positions runs the beginning of one short forward, on this thread alone.
    """
    config = text_config(model)
    given = (getattr(config, name, None) for name in _NAMES)
    bounds = [next((value for value in given if isinstance(value, int) and value > 0), None)]
    words = model.get_input_embeddings()
    if any(isinstance(module, nn.Embedding) and module is not words for module in model.modules()):
        bounds.append(_measured(model))
    return min((bound for bound in bounds if bound is not None), default=None)


def _measured(model: PreTrainedModel) -> int | None:
    """Rows of the smallest table that is read one row a token, from the first token's row on."""
    rows = int(text_config(model).vocab_size)
    ids = torch.tensor([[(rows // 3 + 37 * i * i) % rows for i in range(_TOKENS)]], device=model.device)
    watch = _Lookups(ids[0])
    try:
        with torch.no_grad(), watch:
            model(ids, use_cache=False)
    except _Enough:
        pass
    except Exception:  # noqa: BLE001 - a model that cannot be run so is refused where it is examined
        return None
    return min(watch.bounds, default=None)


class _Lookups(TorchFunctionMode):
    """Sees every look-up in a table of embeddings, of this thread's forwards alone."""

    def __init__(self, ids: Tensor) -> None:
        self.bounds: list[int] = []
        self._ids = ids

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.embedding:
            self._look(*args[:2], **{k: v for k, v in (kwargs or {}).items() if k in ("input", "weight")})
        elif func in (F.scaled_dot_product_attention, F.softmax, torch.softmax, Tensor.softmax):
            raise _Enough
        return func(*args, **(kwargs or {}))

    def _look(self, input: Tensor, weight: Tensor) -> None:
        at = input.reshape(-1)
        if len(at) != _TOKENS or torch.equal(at.to(self._ids), self._ids):
            return
        start = int(at[0])
        if torch.equal(at, torch.arange(start, start + _TOKENS).to(at)):
            self.bounds.append(int(weight.shape[0]) - start)
