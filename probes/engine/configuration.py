"""What a model's configuration and signature say of texts: their positions, and how long they may be."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def text_config(model: PreTrainedModel) -> Any:
    """The configuration of the language model inside `model`."""
    return model.config.get_text_config(decoder=True)


def takes_position_ids(model: PreTrainedModel) -> bool:
    """Whether the base model can be told the position of each token."""
    return "position_ids" in inspect.signature(model.base_model.forward).parameters


def length_limit(model: PreTrainedModel) -> int | None:
    """Longest prompt whose rotary frequencies do not depend on the prompt's length; None where none do.

    `dynamic` scaling recomputes its frequencies beyond the trained length (and keeps them for the calls that
    follow); `longrope` switches to a second set there.
    """
    config = text_config(model)
    parameters = getattr(config, "rope_parameters", None) or {}
    limits = []
    for rope in [parameters, *(value for value in parameters.values() if isinstance(value, Mapping))]:
        kind = rope.get("rope_type") or ""
        if "dynamic" in kind:
            limits.append(int(config.max_position_embeddings) - 1)
        elif kind == "longrope":
            original = rope.get("original_max_position_embeddings") or config.original_max_position_embeddings
            limits.append(int(original))
    return min(limits, default=None)
