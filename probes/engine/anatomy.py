"""Where the parts of a decoder are, in any architecture, and what may be done to it.

The parts are found by rule and the rules are then proved on the loaded weights (`selfcheck`), because names
and configuration entries cannot be trusted: two architectures use one word for two things, and a wrong guess
gives plausible numbers instead of an error.

* *Blocks*: the `ModuleList` with `num_hidden_layers` members (`decoder_layers` where the configuration is
  that of an encoder and a decoder), looked for in the decoder before the whole model (a vision tower can have
  as many layers), and in no list inside another.
* *Output projection*: in a block, the linear map under an attention module that mixes the heads
  (`o_proj`, `out_proj`, `c_proj`, `dense`, `wo`, ...). Its parent is the attention module.
* *Head*: a slice of that projection's **input**, of width `in_features / query heads`. (A slice of its output
  mixes all heads and means nothing.) With grouped queries a head is a query head; several share the keys and
  values of one key/value head.
* A layer without such a projection (state-space, linear attention, convolution), or with a list of attention
  modules, has no heads: None, never 0.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from probes.engine.configuration import text_config
from probes.engine.jobs import Reason
from probes.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PROJECTIONS = ("o_proj", "out_proj", "c_proj", "dense", "wo", "Wo", "o")
ATTENTION = ("attn", "attention")
NOT_ATTENTION = ("linear_attn", "linear_attention")
FEED_FORWARD = ("mlp", "moe", "feedforward", "ffn")
"""In the names of classes whose module is a feed-forward part by itself."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One block of the decoder; names are module paths within the model.

    Attributes:
        index: position in the stack.
        block, attention, projection: module paths; the last two None where there is no softmax attention.
        heads: query heads, None where the layer has none.
        kv_heads: key/value heads as the cache holds them, None where unknown.
        head_width: columns of the projection's input that belong to one head.
        feed_forward: the module whose output is the layer's feed-forward part, None where none was found.
        reads_only_masked: whether a position reads others through masked attention alone; False where the
            block also carries a recurrent state or a convolution.
    """

    index: int
    block: str
    attention: str | None = None
    projection: str | None = None
    heads: int | None = None
    kv_heads: int | None = None
    head_width: int | None = None
    feed_forward: str | None = None
    reads_only_masked: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the self-check tried: `value` is the number it looked at, `note` says what it should be.

    `value` is None where the experiment broke off, or what it gave is no finite number.
    """

    name: str
    ok: bool
    value: float | None
    note: str

    def __post_init__(self) -> None:
        if self.value is not None and not math.isfinite(self.value):
            object.__setattr__(self, "value", None)


@dataclass(frozen=True, slots=True)
class Capability:
    """Whether something may be done to this model and, where not, why."""

    ok: bool
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What was found in a model, and what of it was proved.

    Attributes:
        layers: one entry a block.
        capabilities: `share_prefixes` (many prompts as one tree), `pad` (prompts of several lengths in one
            batch), `read` (logits at chosen positions only), `hide` (attention knockout), `hide_by_head` (in
            single heads), `heads`, `blocks` (parts of a block replaced), `states` (what blocks hand on read
            off and replaced), `restart` (a run begun where it differs from the clean one).
        positions: how a position is told its depth: "ids" (`position_ids`) or "bias" (alibi and its kin).
        one_row: the model's position bias has no batch axis, so packed branches must share one row.
        tail: the last block's part that works on each position by itself; it need only run where logits are
            read. None where there is none, or it did not prove itself.
        length_limit: prompts up to this many tokens share one set of rotary frequencies (None: all do).
        findings: what the self-check saw.
    """

    layers: tuple[Layer, ...]
    capabilities: Mapping[str, Capability]
    positions: str
    one_row: bool
    length_limit: int | None
    tail: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def attention_layers(self) -> tuple[Layer, ...]:
        """The layers that have softmax attention."""
        return tuple(layer for layer in self.layers if layer.projection is not None)

    def can(self, name: str) -> bool:
        """Whether the capability `name` is there."""
        return self.capabilities[name].ok

    def why_not(self, name: str) -> Reason | None:
        """The reason the capability `name` is refused; None where it is there."""
        return self.capabilities[name].reason

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            "layers": [asdict(layer) for layer in self.layers],
            "capabilities": {
                name: {
                    "ok": capability.ok,
                    "reason": capability.reason.as_dict() if capability.reason else None,
                }
                for name, capability in self.capabilities.items()
            },
            "positions": self.positions,
            "one_row": self.one_row,
            "length_limit": self.length_limit,
            "tail": self.tail,
            "findings": [asdict(finding) for finding in self.findings],
        }


def find_layers(model: PreTrainedModel) -> tuple[Layer, ...]:
    """The blocks of `model` with their attention modules, by rule, unproved.

    Raises:
        ModelError: there is no stack of blocks as the configuration announces it.
    """
    config = text_config(model)
    path, stack = _stack(model, config)
    layers = tuple(_layer(index, f"{path}.{index}", block, config) for index, block in enumerate(stack))
    layers = tuple(replace(layer, feed_forward=_feed_forward(model, layer)) for layer in layers)
    return tuple(layer if layer.projection else _like_the_others(model, layer, layers) for layer in layers)


def _stack(model: PreTrainedModel, config: Any) -> tuple[str, nn.ModuleList]:
    count = getattr(config, "decoder_layers", None) or getattr(config, "num_hidden_layers", None)
    decoder = model.get_decoder() if hasattr(model, "get_decoder") else None
    inside = {id(module) for module in decoder.modules()} if isinstance(decoder, nn.Module) else set()
    lists = {name: m for name, m in model.named_modules() if isinstance(m, nn.ModuleList)}
    outer = [(n, m) for n, m in lists.items() if not any(n.startswith(f"{other}.") for other in lists)]
    outer.sort(key=lambda found: id(found[1]) not in inside)
    for wanted in (count, getattr(config, "num_layers", None)):  # of double layers each counts as two
        for name, stack in outer:
            if len(stack) == wanted:
                return name, stack
    raise ModelError("no_blocks", architecture=type(model).__name__, layers=count)


def _layer(index: int, path: str, block: nn.Module, config: Any) -> Layer:
    for name, module in block.named_modules():
        parent, _, leaf = name.rpartition(".")
        if leaf not in PROJECTIONS or projection_width(module) is None:
            continue
        owner = block.get_submodule(parent)
        if not (parent and (_is_attention(parent) or _is_attention(type(owner).__name__))):
            continue
        if parent.rpartition(".")[2].isdecimal():  # one of several in a block: none of them is its attention
            break
        heads = _query_heads(owner, config)
        width = projection_width(module) or 0
        if heads is None or width % heads:
            continue
        return Layer(index, path, f"{path}.{parent}", f"{path}.{name}", heads, None, width // heads)
    return Layer(index, path)


def find_tail(model: PreTrainedModel, layers: tuple[Layer, ...]) -> str | None:
    """The largest part of the last block beside its attention: its feed-forward network, as a rule."""
    return _largest_part(model, layers[-1])


def _largest_part(model: PreTrainedModel, layer: Layer) -> str | None:
    """The child of a block with most weights beside the one that holds its attention.

    Nor is it attention to another text (`encoder_attn`), which a decoder by itself never runs, nor a norm,
    which may be all there is beside the attention (nemotron_h).
    """
    parts = {
        f"{layer.block}.{name}": sum(parameter.numel() for parameter in part.parameters())
        for name, part in model.get_submodule(layer.block).named_children()
        if layer.projection is not None
        and not layer.projection.startswith(f"{layer.block}.{name}.")
        and not any(word in name.lower() for word in ATTENTION)
        and any(parameter.dim() > 1 for parameter in part.parameters())
    }
    return max(parts, key=lambda name: parts[name], default=None)


def _feed_forward(model: PreTrainedModel, layer: Layer) -> str | None:
    """The module whose output is a layer's feed-forward part, before it is added to anything.

    As a rule the block's largest part beside the attention. Where its maps stand in the block by themselves
    (opt, xglm) it is the one that leads back to the residual stream; where the module adds the residual
    stream itself (bloom) it is the last map inside.
    """
    part = _largest_part(model, layer)
    if part is None or layer.projection is None:
        return None
    width = output_weight(model.get_submodule(layer.projection)).shape[0]
    module = model.get_submodule(part)
    if projection_width(module) is not None:
        return _last_map(model.get_submodule(layer.block), layer.block, width, deep=False)
    if "residual" in inspect.signature(type(module).forward).parameters:
        return _last_map(module, part, width, deep=True)
    return part


def _like_the_others(model: PreTrainedModel, layer: Layer, layers: tuple[Layer, ...]) -> Layer:
    """A layer without attention, its feed-forward named as in the layers that have both; or found by its
    class, where every layer is one or the other (nemotron_h).
    """
    for other in layers:
        if other.projection is not None and other.feed_forward is not None:
            name = layer.block + other.feed_forward.removeprefix(other.block)
            try:
                model.get_submodule(name)
            except AttributeError:
                continue
            return replace(layer, feed_forward=name)
    for name, part in model.get_submodule(layer.block).named_children():
        if any(word in type(part).__name__.lower() for word in FEED_FORWARD):
            return replace(layer, feed_forward=f"{layer.block}.{name}")
    return layer


def _last_map(owner: nn.Module, path: str, width: int, *, deep: bool) -> str | None:
    """The last linear map in `owner` that gives the residual stream's width."""
    inside = owner.named_modules() if deep else owner.named_children()
    maps = [
        name
        for name, module in inside
        if projection_width(module) is not None
        and isinstance(module, nn.Linear)
        and module.out_features == width
    ]
    return f"{path}.{maps[-1]}" if maps else None


def _is_attention(path: str) -> bool:
    """Whether a module path, or the name of a class, speaks of attention."""
    return any(word in path.lower() for word in ATTENTION) and not any(word in path for word in NOT_ATTENTION)


def _query_heads(attention: nn.Module, config: Any) -> int | None:
    """Query heads: the attention module's own number before the configuration's, for it may vary by layer."""
    for owner in (attention, config):
        for name in ("num_attention_heads", "num_heads", "n_heads", "n_head"):
            value = getattr(owner, name, None)
            if isinstance(value, int) and value > 0:
                return value
    return None


def projection_width(projection: nn.Module) -> int | None:
    """Columns of a projection's input; None if it is no linear map. (GPT-2's Conv1D stores [in, out].)"""
    weight = getattr(projection, "weight", None)
    if not isinstance(weight, Tensor) or weight.dim() != 2:
        return None
    return int(weight.shape[1] if isinstance(projection, nn.Linear) else weight.shape[0])


def output_weight(projection: nn.Module) -> Tensor:
    """The projection's weight as [out, in], whichever way round the module stores it."""
    weight: Tensor = projection.weight  # type: ignore[assignment]
    return weight if isinstance(projection, nn.Linear) else weight.T
