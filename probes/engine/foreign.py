"""What breaks inside a model of a build that nobody foresaw is a refusal in words, not a crash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from probes.errors import CapabilityError

_BREAKS = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, AssertionError)
_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


@contextmanager
def refused_in_words() -> Iterator[None]:
    """While open, what breaks in a forward with hooks is told; want of memory stays what it is.

    Raises:
        CapabilityError: with what broke.
    """
    try:
        yield
    except _BREAKS as error:
        if isinstance(error, torch.OutOfMemoryError) or any(word in str(error) for word in _MEMORY):
            raise
        note = f"{type(error).__name__}: {error}"[:200]
        raise CapabilityError("inside_refused", note=note) from error
