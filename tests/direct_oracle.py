"""Direct effects by their definition, from one forward with gradients.

Every attention block's and every feed-forward's output is cut from what made it, and so is each norm from
the factor that it divides by (written out here from its formula, and held to what the module gives). What is
left is one affine map from each part's output to the logits before any cap, so its gradient times the change
of the output is the effect, however large the change.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from tests import inside_oracle

_EPSILONS = ("eps", "variance_epsilon", "norm_eps")
_STATES = ("mamba", "linear_attn")
"""Children of a block that carry a state from position to position, beside its attention."""


def direct_effects(
    model: PreTrainedModel,
    ids: Sequence[int],
    changes: Sequence[tuple[str, int, Tensor]],
    tokens: tuple[int, int],
) -> list[float]:
    """How logit[tokens[0]] - logit[tokens[1]] behind `ids` moves.

    Args:
        changes: of the "attention" or "mlp" of a layer, what is added to its output at the last position.
    """
    leaves: dict[tuple[str, int], Tensor] = {}
    read: list[Tensor] = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(_cut_parts(model, leaves))
        stack.enter_context(_held_norms(model))
        head = model.get_output_embeddings()
        hook = head.register_forward_hook(lambda _m, _a, out: read.append(out.reshape(-1, out.shape[-1])[-1]))
        stack.callback(hook.remove)
        logits = model(torch.tensor([ids]), use_cache=False).logits[0, -1].detach()
    raw = read[0]
    after = _behind_the_head(model, raw.detach(), logits)
    wanted = sorted({(site, layer) for site, layer, _ in changes})
    slopes = [
        dict(
            zip(
                wanted,
                torch.autograd.grad(raw[t], [leaves[w] for w in wanted], retain_graph=True),
                strict=True,
            )
        )
        for t in tokens
    ]
    found = []
    for site, layer, change in changes:
        moved = raw.detach()[list(tokens)].clone()
        for k, slope in enumerate(slopes):
            moved[k] += slope[site, layer].reshape(-1, len(change))[-1] @ change
        new, old = after(moved), logits[list(tokens)]
        found.append(float((new[0] - new[1]) - (old[0] - old[1])))
    return found


def _behind_the_head(model: PreTrainedModel, raw: Tensor, logits: Tensor) -> Callable[[Tensor], Tensor]:
    """What the model makes of the output embedding's values: a factor, then a soft cap."""
    config = model.config.get_text_config()
    cap = getattr(config, "final_logit_softcapping", None) or (
        15.0 if config.model_type == "nanochat" else None
    )
    small = logits.abs() < (cap or torch.inf) / 2  # near the cap nothing can be told from it
    before, values = logits[small], raw[small]
    before = before if cap is None else cap * torch.atanh(before / cap)
    factor = float((before @ values) / (values @ values))

    def after(values: Tensor) -> Tensor:
        return values * factor if cap is None else cap * torch.tanh(values * factor / cap)

    torch.testing.assert_close(after(raw), logits, rtol=1e-4, atol=1e-4)
    return after


@contextlib.contextmanager
def _cut_parts(model: PreTrainedModel, leaves: dict[tuple[str, int], Tensor]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for layer, block in enumerate(inside_oracle.blocks(model)):
            for site in ("attention", "mlp"):
                module = inside_oracle._module(model, site, layer)
                if module is not None:
                    hook = module.register_forward_hook(_leaf(leaves, (site, layer)))
                    stack.callback(hook.remove)
            for name, child in block.named_children():
                if name in _STATES:
                    stack.callback(child.register_forward_hook(lambda _m, _a, out: _detached(out)).remove)
        yield


def _leaf(leaves: dict[tuple[str, int], Tensor], place: tuple[str, int]) -> Callable[..., Any]:
    def cut(_module: nn.Module, _args: Any, output: Any) -> Any:
        first = output if isinstance(output, Tensor) else output[0]
        leaves[place] = first.detach().requires_grad_()
        handed_on = leaves[place] * 1  # some models write into it
        return handed_on if isinstance(output, Tensor) else (handed_on, *output[1:])

    return cut


def _detached(output: Any) -> Any:
    return output.detach() if isinstance(output, Tensor) else (output[0].detach(), *output[1:])


@contextlib.contextmanager
def _held_norms(model: PreTrainedModel) -> Iterator[None]:
    """While open every norm has its value, and the gradient of itself with its factor held."""

    def hold(module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        hidden = args[0]
        assert isinstance(hidden, Tensor)
        slope = _formula(module, hidden.detach(), output.detach())
        return output.detach() + slope(hidden - hidden.detach())

    with contextlib.ExitStack() as stack:
        for module in model.modules():
            name = type(module).__name__
            if ("Norm" in name or name == "RMSNorm") and not list(module.children()) and "Gated" not in name:
                stack.callback(module.register_forward_hook(hold).remove)
        yield


def _formula(module: nn.Module, hidden: Tensor, output: Tensor) -> Callable[[Tensor], Tensor]:
    """The linear map that a norm is at `hidden`: the one of the usual formulas that gives `output`."""
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    eps = next((value for name in _EPSILONS if isinstance(value := getattr(module, name, None), float)), 1e-5)
    shift = 0.0 if bias is None else bias.detach()
    scales: list[Tensor | float] = [1.0] if weight is None else [weight.detach(), 1 + weight.detach()]
    for scale, prepared in itertools.product(scales, (_as_it_is, _centred)):
        factor = scale * (prepared(hidden).pow(2).mean(-1, keepdim=True) + eps).rsqrt()
        if torch.allclose(factor * prepared(hidden) + shift, output, rtol=1e-3, atol=1e-4):
            return lambda change, factor=factor, prepared=prepared: factor * prepared(change)
    raise AssertionError(f"{type(module).__name__} follows no formula here")


def _as_it_is(vector: Tensor) -> Tensor:
    return vector


def _centred(vector: Tensor) -> Tensor:
    return vector - vector.mean(-1, keepdim=True)
