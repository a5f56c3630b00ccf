"""The truth for what is changed inside a model: one plain forward over each whole text, all of its layers.

Positions are those of one text, a prompt followed by one continuation. A part of the model is replaced where
it is handed on: by a hook on the module that computes it, or by other weights. Attention is cut after the
softmax: probabilities are set to zero and each row is renormalised. No mask is built or changed here, nothing
is kept from one forward to the next, and no layer is left out.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel

from tests.oracle import log_prob as plain_log_prob

_softmax, _attention = F.softmax, F.scaled_dot_product_attention

# Where transformers keeps the map that mixes the heads, seen from a block.
PROJECTIONS = (
    *("self_attn.o_proj", "self_attn.out_proj", "self_attn.dense", "self_attention.dense", "attention.dense"),
    *("attn.c_proj", "attn.out_proj", "attn.attention.out_proj", "attn.Wo"),
)
# The feed-forward network. Those of bloom and mpt add the residual stream themselves, after their last map;
# opt, xglm and biogpt have two maps in the block and no module around them.
FEED_FORWARDS = ("fc2", "mlp", "ffn", "feed_forward", "block_sparse_moe")
FEED_FORWARDS_OF = {"BloomBlock": "mlp.dense_4h_to_h", "MptBlock": "ffn.down_proj"}


@dataclass(frozen=True, eq=False)
class Put:
    """What a site hands on becomes `value` (None: zeros) at the positions `at` (None: all of them).

    Sites: "head", a slice of the input of the output projection; "attention", the projection's output; "mlp",
    the feed-forward's output before it is added to anything; "block", the hidden states after a block.
    `value` is one vector for all positions or a row for each.
    """

    site: str
    layer: int
    head: int | None = None
    at: tuple[int, ...] | None = None
    value: Tensor | None = None


@dataclass(frozen=True)
class Cut:
    """The positions `queries` read nothing from the positions `keys`, themselves excepted."""

    queries: tuple[int, ...]
    keys: tuple[int, ...]
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None


def log_prob(
    model: PreTrainedModel, ids: Sequence[int], continuation: Sequence[int], edits: Sequence[Put | Cut] = ()
) -> float:
    """Log-probability (nats) of `continuation` after `ids` in the model so edited."""
    with contextlib.ExitStack() as stack:
        for put in (edit for edit in edits if isinstance(edit, Put)):
            stack.enter_context(_put(model, put))
        if cuts := [edit for edit in edits if isinstance(edit, Cut)]:
            stack.enter_context(_cut(model, len(ids) + len(continuation) - 1, cuts))
        return plain_log_prob(model, ids, continuation)


def values(
    model: PreTrainedModel, ids: Sequence[int], sites: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], Tensor]:
    """What (site, layer)s hand on over one text, [positions, width]; of a layer's heads, all side by side."""
    seen = {}
    with contextlib.ExitStack() as stack:
        for at in sites:  # copies, for the model goes on with the rows, and falcon adds to them in place
            stack.enter_context(changing(model, *at, lambda rows, at=at: seen.update({at: rows.clone()})))
        _forward(model, ids)
    return seen


def has(model: PreTrainedModel, site: str, layer: int) -> bool:
    """Whether a layer has such a site: a layer without attention has no heads."""
    return _module(model, site, layer) is not None


def width(model: PreTrainedModel, site: str, layer: int) -> int:
    """Length of one vector of a site: a head's own slice, or the residual stream."""
    if site != "head":
        return int(model.config.get_text_config().hidden_size)
    projection = _module(model, "head", layer)
    columns = projection.weight.shape[1 if isinstance(projection, nn.Linear) else 0]
    return int(columns) // heads(model)


def heads(model: PreTrainedModel) -> int:
    """Query heads of a layer with attention."""
    return int(model.config.get_text_config().num_attention_heads)


def lens(model: PreTrainedModel, ids: Sequence[int], continuation: Sequence[int]) -> list[list[float]]:
    """Per number of blocks, none to all: the log-probability of each token read off after so many.

    The blocks after that hand on what they were given. All that follows the last block works on each position
    by itself, so the model's own norm, projection, scale and cap read off those hidden states as they would
    read off the last.
    """
    found = []
    for after in range(len(blocks(model)) + 1):
        with contextlib.ExitStack() as stack:
            for block in blocks(model)[after:]:
                hook = block.register_forward_hook(_hand_on, with_kwargs=True)
                stack.callback(hook.remove)
            logits = _forward(model, [*ids, *continuation[:-1]])[len(ids) - 1 :]
        log_probs = logits.double().log_softmax(dim=-1)
        found.append([log_probs[k, token].item() for k, token in enumerate(continuation)])
    return found


def attention(model: PreTrainedModel, ids: Sequence[int]) -> list[Tensor | None]:
    """Per layer what each position reads of each, [heads, queries, keys], as it leaves the softmax.

    Where attention may also go to a sink, a row adds up to less than one. None: a layer without attention.
    """
    found: list[Tensor | None] = [None] * len(blocks(model))

    def keep(probabilities: Tensor, layer: int) -> Tensor:
        assert found[layer] is None
        found[layer] = probabilities.reshape(-1, *probabilities.shape[-2:])[..., : len(ids)].clone()
        return probabilities

    with _probabilities(model, len(ids), keep):
        _forward(model, ids)
    return found


def output_slice_zeroed(
    model: PreTrainedModel, ids: Sequence[int], continuation: Sequence[int], layer: int, head: int
) -> float:
    """The common mistake: a slice of the projection's output, which belongs to no head, set to zero."""
    size = width(model, "attention", layer) // heads(model)

    def zero(rows: Tensor) -> None:
        rows[:, head * size : (head + 1) * size] = 0

    with changing(model, "attention", layer, zero):
        return plain_log_prob(model, ids, continuation)


def blocks(model: PreTrainedModel) -> nn.ModuleList:
    """The decoder's stack; a vision tower beside it may be as deep."""
    count = model.config.get_text_config().num_hidden_layers
    inside = itertools.chain(model.get_decoder().modules(), model.modules())
    return next(m for m in inside if isinstance(m, nn.ModuleList) and len(m) == count)


def _module(model: PreTrainedModel, site: str, layer: int) -> nn.Module | None:
    """The module a site belongs to; for heads and attention alike, the projection that mixes the heads."""
    block = blocks(model)[layer]
    if site == "block":
        return block
    own = FEED_FORWARDS_OF.get(type(block).__name__)
    for name in ((own,) if own else FEED_FORWARDS) if site == "mlp" else PROJECTIONS:
        with contextlib.suppress(AttributeError):
            return block.get_submodule(name)
    return None


@contextlib.contextmanager
def changing(
    model: PreTrainedModel, site: str, layer: int, change: Callable[[Tensor], object]
) -> Iterator[None]:
    """While open, what the site hands on passes `change` first, as rows [positions, width] it may write to.

    Raises AssertionError where there is no such site, or the model did not pass it just once.
    """
    module, calls = _module(model, site, layer), []
    assert module is not None, f"layer {layer} has no {site}"

    def changed(found: Tensor) -> Tensor:
        calls.append(found)
        rows = found.reshape(-1, found.shape[-1]).clone()  # a batch of one, whatever axes a module keeps
        change(rows)
        return rows.view(found.shape)

    def before(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return changed(args[0]), *args[1:]

    def after(_: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        return _with_first(output, changed(output[0] if isinstance(output, tuple) else output))

    register = module.register_forward_pre_hook if site == "head" else module.register_forward_hook
    handle = register(before if site == "head" else after)
    try:
        yield
    finally:
        handle.remove()
    assert len(calls) == 1, f"{site} of layer {layer} was passed {len(calls)} times"


@contextlib.contextmanager
def _put(model: PreTrainedModel, put: Put) -> Iterator[None]:
    size = width(model, put.site, put.layer)
    start = (put.head or 0) * size

    def change(rows: Tensor) -> None:
        at = list(range(len(rows)) if put.at is None else put.at)
        rows[at, start : start + size] = torch.tensor(0.0) if put.value is None else put.value

    with changing(model, put.site, put.layer, change):
        yield


@contextlib.contextmanager
def zero_columns(model: PreTrainedModel, layer: int, head: int) -> Iterator[None]:
    """While open, a copy of the projection stands in whose weights know nothing of the head."""
    projection, size = _module(model, "head", layer), width(model, "head", layer)
    without = copy.deepcopy(projection)
    with torch.no_grad():  # Conv1D stores [in, out]
        weight = without.weight if isinstance(without, nn.Linear) else without.weight.T
        weight[:, head * size : (head + 1) * size] = 0
    parent = next(m for m in model.modules() if any(child is projection for child in m.children()))
    name = next(name for name, child in parent.named_children() if child is projection)
    with mock.patch.dict(parent._modules, {name: without}):
        yield


@contextlib.contextmanager
def _cut(model: PreTrainedModel, length: int, cuts: Sequence[Cut]) -> Iterator[None]:
    met = set()

    def edited(probabilities: Tensor, layer: int) -> Tensor:
        """Heads are the third axis from the end, with or without one for the batch (of one) before it."""
        kept = probabilities.clone()
        met.add(layer)
        for cut in (cut for cut in cuts if cut.layers is None or layer in cut.layers):
            for head in range(kept.shape[-3]) if cut.heads is None else cut.heads:
                for query in cut.queries:
                    kept[..., head, query, [key for key in cut.keys if key != query]] = 0
        return kept / kept.sum(dim=-1, keepdim=True)

    with _probabilities(model, length, edited):
        yield
    named = {layer for cut in cuts for layer in cut.layers or ()}
    assert named <= met != set(), f"attention was seen in layers {sorted(met)}"


@contextlib.contextmanager
def _probabilities(
    model: PreTrainedModel, length: int, edit: Callable[[Tensor, int], Tensor]
) -> Iterator[None]:
    """While open, all attention probabilities pass through `edit`, together with their layer.

    They are told from other softmaxes (over experts, say) by their shape: `[..., length, length]`, or one
    column more where an attention sink takes part in the sum.
    """
    running: list[int] = []

    def softmax(scores: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        result = _softmax(scores, *args, **kwargs)
        square = scores.dim() >= 3 and scores.shape[-2] == length and scores.shape[-1] in (length, length + 1)
        return edit(result, running[-1]) if square else result

    def attention(query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """Values that are the identity bring the probabilities themselves out."""
        assert query.shape[-2] == key.shape[-2] == length
        each = torch.eye(length).expand(*key.shape[:-1], length)
        probabilities = _attention(query, key, each, *args, **kwargs)
        shared = query.shape[1] // key.shape[1]
        return edit(probabilities, running[-1]) @ value.repeat_interleave(shared, dim=1)

    with contextlib.ExitStack() as stack:
        for layer, block in enumerate(blocks(model)):
            hook = block.register_forward_pre_hook(lambda *call, layer=layer: running.append(layer))
            stack.callback(hook.remove)
        stack.enter_context(mock.patch.object(F, "softmax", softmax))
        stack.enter_context(mock.patch.object(torch, "softmax", softmax))
        stack.enter_context(mock.patch.object(F, "scaled_dot_product_attention", attention))
        yield


def _forward(model: PreTrainedModel, ids: Sequence[int]) -> Tensor:
    with torch.no_grad():
        return model(torch.tensor([list(ids)]), use_cache=False).logits[0]


def _hand_on(_: nn.Module, args: Any, kwargs: dict[str, Any], output: Any) -> Any:
    return _with_first(output, args[0] if args else kwargs["hidden_states"])


def _with_first(output: Any, first: Tensor) -> Any:
    return (first, *output[1:]) if isinstance(output, tuple) else first
