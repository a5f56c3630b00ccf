"""The truth the engine is held to: one plain forward for each number, nothing shared, nothing cached.

Hiding is done where it is defined, on the attention probabilities themselves: after the softmax the columns
of hidden positions are set to zero for every later row, and each row is renormalised over what is left. No
mask is built or changed anywhere in this file, so that a mistake about masks cannot be made twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from transformers import PreTrainedModel

_softmax = F.softmax


def log_prob(model: PreTrainedModel, ids: Sequence[int], continuation: Sequence[int]) -> float:
    """Log-probability (nats) of `continuation` after `ids`, from one forward over both.

    The continuation's last token is predicted, never read, and so not run: where rotary frequencies depend on
    the length of the input, running it would change what the tokens before it say.
    """
    with torch.no_grad():
        row = torch.tensor([[*ids, *continuation[:-1]]], device=model.device)
        logits = model(row, use_cache=False).logits[0, len(ids) - 1 :]
    log_probs = logits.double().cpu().log_softmax(dim=-1)
    return sum(log_probs[k, token].item() for k, token in enumerate(continuation))


def log_prob_hidden(
    model: PreTrainedModel,
    ids: Sequence[int],
    continuation: Sequence[int],
    hidden: Collection[int],
    *,
    layers: int | None = None,
) -> float:
    """`log_prob` while no later position reads the `hidden` ones, in any layer or head.

    `layers` is the number of attention layers that must have been edited (None: one or more).
    Raises AssertionError where the edit did not bite: too few attention calls, or nothing to take away.
    """
    length = len(ids) + len(continuation) - 1
    with hidden_from_later_rows(length, hidden) as edit:
        found = log_prob(model, ids, continuation)
    assert edit.calls == layers if layers is not None else edit.calls > 0, (
        f"{edit.calls} attention calls edited"
    )
    readable = any(position < length - 1 for position in hidden)
    assert (edit.removed > 0) == readable, f"{edit.removed} of attention taken away"
    return found


@dataclass
class Edit:
    """What an edit did: attention calls seen, and probability taken away over all of them."""

    calls: int = 0
    removed: float = 0.0


@contextlib.contextmanager
def hidden_from_later_rows(length: int, hidden: Collection[int]) -> Iterator[Edit]:
    """While open, every attention over `length` positions loses what it gave to `hidden` ones.

    Attention is told from other softmaxes (over experts, say) by its shape: `[..., length, length]`, or one
    column more where an attention sink takes part in the sum.
    """
    edit = Edit()

    def without(probabilities: torch.Tensor) -> torch.Tensor:
        kept = probabilities.clone()
        for column in hidden:
            kept[..., column + 1 :, column] = 0
        edit.calls += 1
        edit.removed += (probabilities - kept).sum().item()
        return kept / kept.sum(dim=-1, keepdim=True)

    def softmax(scores: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        result = _softmax(scores, *args, **kwargs)
        square = scores.dim() >= 3 and scores.shape[-2] == length and scores.shape[-1] in (length, length + 1)
        return without(result) if square else result

    def attention(
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attn_mask: torch.Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> torch.Tensor:
        """scaled_dot_product_attention as its documentation spells it out, with probabilities to edit."""
        assert query.shape[-2] == key.shape[-2] == length
        assert dropout_p == 0.0
        shared = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(shared, dim=1), value.repeat_interleave(shared, dim=1)
        scores = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)
        if is_causal:
            attn_mask = torch.ones(length, length, dtype=torch.bool, device=query.device).tril()
        if attn_mask is not None and attn_mask.dtype == torch.bool:
            scores = scores.masked_fill(~attn_mask, float("-inf"))
        elif attn_mask is not None:
            scores = scores + attn_mask
        return without(_softmax(scores, dim=-1)) @ value

    with (
        mock.patch.object(F, "softmax", softmax),
        mock.patch.object(torch, "softmax", softmax),
        mock.patch.object(F, "scaled_dot_product_attention", attention),
    ):
        yield edit
