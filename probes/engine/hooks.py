"""The only file that touches a module: every hook, every swapped buffer, and always undone.

Everything here is a context manager. What it changes is put back when the block ends, however it ends, so a
model outside the engine is exactly the model that was loaded. Hooks are global to a module: callers hold the
engine's lock while one of these is open.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn

Arguments = dict[str, Any]


@lru_cache(maxsize=256)
def _parameters(forward: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(forward).parameters)[1:]


def bound(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Arguments:
    """All arguments of a call of `module` by name, positional ones too (some models pass masks by place)."""
    return dict(zip(_parameters(type(module).forward), args, strict=False)) | dict(kwargs)


def _call(module: nn.Module, arguments: Arguments) -> tuple[tuple[Any, ...], Arguments]:
    """Arguments by name as a call again: the first by place, as every block takes its hidden states."""
    rest = dict(arguments)
    return (rest.pop(_parameters(type(module).forward)[0]),), rest


def first(output: Any) -> Tensor:
    """The hidden states in what a block or an attention module returns."""
    return output if isinstance(output, Tensor) else output[0]


def with_first(output: Any, hidden: Tensor) -> Any:
    """What a block or an attention module returned, with other hidden states in it."""
    if isinstance(output, Tensor):
        return hidden
    if isinstance(output, (tuple, list)):
        return type(output)((hidden, *output[1:]))
    fields = dict(output)  # a ModelOutput
    fields[next(iter(fields))] = hidden
    return type(output)(**fields)


@contextmanager
def recorded_arguments(modules: Sequence[nn.Module], names: Sequence[str]) -> Iterator[list[Arguments]]:
    """Yields a list that holds, after a forward, what each module was handed under `names`."""
    seen: list[Arguments] = [{} for _ in modules]
    with ExitStack() as undo:
        for index, module in enumerate(modules):

            def keep(module: nn.Module, args: Any, kwargs: Any, index: int = index) -> None:
                given = bound(module, args, kwargs)
                seen[index] = {name: given[name] for name in names if given.get(name) is not None}

            undo.callback(module.register_forward_pre_hook(keep, with_kwargs=True).remove)
        yield seen


@contextmanager
def replaced_arguments(modules: Sequence[nn.Module], arguments: Sequence[Arguments]) -> Iterator[None]:
    """Hand each module the arguments given for it instead of those of the same name; {} leaves it alone."""
    with ExitStack() as undo:
        for module, new in zip(modules, arguments, strict=True):
            if not new:
                continue

            def swap(module: nn.Module, args: Any, kwargs: Any, new: Arguments = new) -> Any:
                return _call(module, bound(module, args, kwargs) | new)

            undo.callback(module.register_forward_pre_hook(swap, with_kwargs=True).remove)
        yield


@contextmanager
def edited_inputs(
    modules: Sequence[nn.Module], edits: Sequence[Callable[[Tensor], Tensor] | None]
) -> Iterator[None]:
    """Pass each module's first argument through its edit before the module runs; None leaves it alone."""
    with ExitStack() as undo:
        for module, edit in zip(modules, edits, strict=True):
            if edit is None:
                continue

            def change(
                module: nn.Module, args: Any, kwargs: Any, edit: Callable[[Tensor], Tensor] = edit
            ) -> Any:
                (hidden,), rest = _call(module, bound(module, args, kwargs))
                return (edit(hidden),), rest

            undo.callback(module.register_forward_pre_hook(change, with_kwargs=True).remove)
        yield


@contextmanager
def edited_outputs(
    modules: Sequence[nn.Module], edits: Sequence[Callable[[Tensor], Tensor] | None]
) -> Iterator[None]:
    """Pass the hidden states each module returns through its edit; None leaves them alone."""
    with ExitStack() as undo:
        for module, edit in zip(modules, edits, strict=True):
            if edit is None:
                continue

            def change(
                _module: nn.Module, _args: Any, output: Any, edit: Callable[[Tensor], Tensor] = edit
            ) -> Any:
                return with_first(output, edit(first(output)))

            undo.callback(module.register_forward_hook(change).remove)
        yield


@contextmanager
def recorded_inputs(modules: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Yields a list that holds, after a forward, each module's first argument, the very tensor."""
    seen: list[Tensor] = [torch.empty(0) for _ in modules]
    with ExitStack() as undo:
        for index, module in enumerate(modules):

            def keep(module: nn.Module, args: Any, kwargs: Any, index: int = index) -> None:
                (seen[index],), _ = _call(module, bound(module, args, kwargs))

            undo.callback(module.register_forward_pre_hook(keep, with_kwargs=True).remove)
        yield seen


@contextmanager
def recorded_outputs(modules: Sequence[nn.Module]) -> Iterator[list[Any]]:
    """Yields a list that holds, after a forward, what each module returned, whatever its kind.

    The hidden states are copied: some models go on to write into them (falcon adds its attention to what its
    feed-forward returned).
    """
    seen: list[Any] = [None for _ in modules]
    with ExitStack() as undo:
        for index, module in enumerate(modules):

            def keep(_module: nn.Module, _args: Any, output: Any, index: int = index) -> None:
                seen[index] = with_first(output, first(output).clone())

            undo.callback(module.register_forward_hook(keep).remove)
        yield seen


@contextmanager
def recorded_calls(modules: Sequence[nn.Module]) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Yields a list that holds, after a forward, each module's (first argument, hidden states returned)."""
    seen: list[tuple[Tensor, Tensor]] = [(torch.empty(0), torch.empty(0)) for _ in modules]
    with ExitStack() as undo:
        for index, module in enumerate(modules):

            def keep(module: nn.Module, args: Any, kwargs: Any, output: Any, index: int = index) -> None:
                (hidden,), _ = _call(module, bound(module, args, kwargs))
                seen[index] = (hidden, first(output))

            undo.callback(module.register_forward_hook(keep, with_kwargs=True).remove)
        yield seen


@contextmanager
def read_positions(head: nn.Module, rows: Tensor, columns: Tensor) -> Iterator[None]:
    """Let the output embedding see only hidden states [row, column]; logits come as [1, reads, vocabulary].

    With a vocabulary of 50,000 to 250,000 the logits of positions nobody reads cost more than the rest of a
    small model, in time and in memory.
    """

    def pick(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return (args[0][rows, columns][None], *args[1:])

    handle = head.register_forward_pre_hook(pick)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def only_positions(module: nn.Module, rows: Tensor, columns: Tensor) -> Iterator[None]:
    """Let a module that works on each position by itself run at [row, column] alone; elsewhere it gives 0."""
    shape: list[torch.Size] = []

    def pick(_module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        shape.append(args[0].shape)
        return (args[0][rows, columns][None], *args[1:])

    def spread(_module: nn.Module, _args: Any, output: Tensor) -> Tensor:
        whole = output.new_zeros(shape.pop())
        whole[rows, columns] = output[0]
        return whole

    with ExitStack() as undo:
        undo.callback(module.register_forward_pre_hook(pick).remove)
        undo.callback(module.register_forward_hook(spread).remove)
        yield


@contextmanager
def replaced_forwards(
    modules: Sequence[nn.Module], functions: Sequence[Callable[..., Any]]
) -> Iterator[None]:
    """Let each module's call run its function; hooks on the module run as ever."""
    with ExitStack() as undo:
        for module, function in zip(modules, functions, strict=True):
            if "forward" in vars(module):
                undo.callback(setattr, module, "forward", module.forward)
            else:
                undo.callback(vars(module).pop, "forward", None)
            module.forward = function
        yield


def returning(output: Any) -> Callable[..., Any]:
    """A forward that gives `output`, whatever it is handed."""
    return lambda *_args, **_kwargs: output


@contextmanager
def left_as_found(model: nn.Module) -> Iterator[None]:
    """Take away the hooks that a call leaves behind (transformers keeps those that collect attention)."""
    flag = "_output_capturing_hooks_installed"
    before = [(m, list(m._forward_hooks), flag in vars(m)) for m in model.modules()]
    try:
        yield
    finally:
        for module, kept, flagged in before:
            for key in [key for key in module._forward_hooks if key not in kept]:
                del module._forward_hooks[key]
            if not flagged:
                vars(module).pop(flag, None)


@contextmanager
def replaced_buffers(modules: Sequence[nn.Module], name: str, tensor: Tensor) -> Iterator[None]:
    """Put `tensor` in the place of each module's buffer `name`."""
    with ExitStack() as undo:
        for module in modules:
            undo.callback(setattr, module, name, getattr(module, name))
            setattr(module, name, tensor)
        yield
