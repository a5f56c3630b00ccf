"""Whether what a model's files claim can be true: types, sizes, counts, held against the weights beside them.

A configuration of a few bytes can ask for a million layers or for tables beyond any memory. What it claims is
checked before a library acts on it, and counted once more while the model is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any

from probes.errors import ModelError

Shapes = Mapping[str, Sequence[int]]

LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "decoder_layers")
SIZES = frozenset(LAYERS) | {
    "hidden_size", "n_embd", "d_model", "num_attention_heads", "n_head", "n_heads", "num_heads", "head_dim",
    "num_key_value_heads", "intermediate_size", "n_inner", "ffn_dim", "vocab_size",
}  # fmt: skip
"""What the memory is reckoned from: whole numbers, lists of them, or nothing."""
_COUNTED = re.compile(
    rf"{'|'.join(sorted(SIZES))}|dim|\w+_layers|(num|n)_\w*(heads?|experts?|labels|blocks?|codebooks|groups)"
)
_MANY, _WIDEST, _DEEPEST = 2**20, 2**24, 24
_TYPES: dict[str, tuple[type, ...]] = {
    "architectures": (list,),
    "text_config": (dict,),
    "max_position_embeddings": (int,),
    "n_positions": (int,),
}
_NUMBERED = re.compile(r"(.*?)\.(\d+)\.")
_SPARE = 1_000
"""So many layers more than there are may be claimed: there are models that run a few layers again and again,
and what is counted while a model is built stops the others."""


def check_types(config: Mapping[str, Any], name: str) -> None:
    """Refuse values of a configuration that no model has, at any depth.

    Raises:
        ModelError: with the field and its value.
    """
    for depth, field, value in _walk(config, 1):
        if depth > _DEEPEST:
            raise ModelError("config_broken", name=name, reason="RecursionError")
        wanted = _TYPES.get(field)
        wrong = wanted is not None and not (value is None or isinstance(value, wanted))
        if wrong or (isinstance(value, int) and abs(value) >= 2**63):
            raise _impossible(name, field, value)
        if _COUNTED.fullmatch(field):
            _check_count(name, field, value)


def _check_count(name: str, field: str, value: Any) -> None:
    most = _WIDEST if field.endswith(("size", "dim")) else _MANY
    for one in value if isinstance(value, list) else [value]:
        whole = type(one) is int and -1 <= one <= most
        if not whole and (field in SIZES or type(one) is int) and one is not None:
            raise _impossible(name, field, one)


def _impossible(name: str, field: str, value: Any) -> ModelError:
    shown = repr(value)[:40] if _is_small(value) else "…"
    return ModelError("config_value", name=name, field=field, value=shown)


def _is_small(value: Any) -> bool:
    """Python writes no number of thousands of digits."""
    return not isinstance(value, int) or abs(value) < 10**40


def _walk(value: Any, depth: int) -> Iterator[tuple[int, str, Any]]:
    """Every field of nested objects with its depth and value."""
    if depth > _DEEPEST + 1:
        return
    if isinstance(value, dict):
        for field, inner in value.items():
            yield depth, str(field)[:80], inner
            yield from _walk(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, (dict, list)):
                yield depth + 1, "", inner
                yield from _walk(inner, depth + 1)


def check_layers(config: Mapping[str, Any], tensors: Iterable[str], name: str, spare: int = _SPARE) -> None:
    """Refuse more layers than the weights have.

    Args:
        config: by config.json's names; of a multimodal model, its text part is looked at as well.
        tensors: the names of the weights; those of a layer have its number between dots.
        spare: how many layers more than there are may be claimed.

    Raises:
        ModelError: with both numbers.
    """
    numbers: dict[str, set[str]] = {}
    for tensor in tensors:
        if match := _NUMBERED.match(tensor.rpartition("/")[2]):
            numbers.setdefault(match[1], set()).add(match[2])
    held = max(map(len, numbers.values()), default=0)
    for part in (config, config.get("text_config")):
        for field in LAYERS:
            claimed = part.get(field) if isinstance(part, dict) else None
            if isinstance(claimed, int) and claimed > held + spare:
                raise ModelError("config_layers", name=name, claimed=claimed, held=held)


@dataclass
class _Room:
    """What may still be made while a model is built."""

    modules: int
    numbers: int
    table_bytes: int


_room: ContextVar[_Room | None] = ContextVar("room", default=None)


class _TooLarge(Exception):
    pass


_counting = Lock()


@contextmanager
def held_to_weights(shapes: Shapes, parameters: int, name: str) -> Iterator[None]:
    """While a model is built in here, its parts are counted; one that outgrows its weights is given up.

    Raises:
        ModelError: many more modules than tensors, more than twice the weights' numbers (tied ones are
            counted twice), or tables (masks, positions) beyond all proportion.
    """
    with _counting:
        _count_what_is_built()
    room = _Room(2_000 + 32 * len(shapes), 1_000_000 + 3 * parameters, 2**29 + 4 * parameters)
    token = _room.set(room)
    try:
        yield
    except _TooLarge as error:
        raise _larger(name, parameters) from error
    except ModelError:
        if min(room.modules, room.numbers, room.table_bytes) < 0:
            raise _larger(name, parameters) from None
        raise
    finally:
        _room.reset(token)


def _larger(name: str, parameters: int) -> ModelError:
    return ModelError("config_larger", name=name, parameters=f"{parameters:,}")


@cache
def _count_what_is_built() -> None:
    """Once a process, for good: hooks that come and go would disturb a thread that is building just now."""
    from torch.nn.modules import module

    def count(**more: int) -> None:
        room = _room.get()
        if room is None:
            return
        for what, amount in more.items():
            setattr(room, what, getattr(room, what) - amount)
            if getattr(room, what) < 0:
                raise _TooLarge

    def buffer(_owner: Any, _name: str, tensor: Any) -> None:
        if tensor is not None:
            count(table_bytes=tensor.numel() * tensor.element_size())

    def parameter(_owner: Any, _name: str, tensor: Any) -> None:
        if tensor is not None and tensor.is_meta:  # once; the weights then take its place
            count(numbers=tensor.numel())

    module.register_module_module_registration_hook(lambda *_: count(modules=1))
    module.register_module_buffer_registration_hook(buffer)
    module.register_module_parameter_registration_hook(parameter)
