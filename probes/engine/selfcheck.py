"""A model examined as it is loaded: each rule of `anatomy` is tried on its own weights (`experiments`).

What fails is refused later with the reason; nothing is ever silently zero. The experiments move something
that must, or must not, move the logits, so they hold for architectures nobody thought of:

* hooks that change nothing leave the logits equal bit for bit;
* a shorter text gives the same numbers (causality), and so does a batch padded on the right;
* with a mask that lets each position see itself alone, a change at position 0 stays there, block by block; a
  block where it does not carries information past its mask (a recurrent state, a convolution);
* a projection's output is the sum of its heads' contributions and its bias; with all heads zeroed the bias is
  left; with one head zeroed the logits move;
* nothing after a hidden position depends on the token there;
* with a part of a block replaced the logits move; a head alone can be blinded;
* the last block's output, handed on by itself, gives the model's own logits;
* a small tree of prompts gives the plain loop's numbers, and runs begun half way those of whole forwards.

Eight tokens cannot show a window of 4,096: each job list is checked again as it is run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch

from probes.engine.anatomy import Anatomy, Capability, Finding, Layer, find_layers, find_tail
from probes.engine.configuration import length_limit, takes_position_ids
from probes.engine.experiments import TOKENS, Examined
from probes.engine.experiments_on_parts import (
    begun_half_way,
    blinded_by_head,
    blocks_move,
    states_handed_on,
)
from probes.engine.jobs import Reason
from probes.engine.turns import turns_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel


CAPABILITIES = (
    "share_prefixes",
    "pad",
    "read",
    "hide",
    "hide_by_head",
    "heads",
    "blocks",
    "states",
    "restart",
)


def examine(model: PreTrainedModel) -> Anatomy:
    """Find the parts of `model`, prove them, and say what may be done to it.

    Raises:
        ModelError: the model has no stack of blocks.
    """
    everything = {name: Capability(True) for name in CAPABILITIES}
    positions = "ids" if takes_position_ids(model) else "bias"
    anatomy = Anatomy(find_layers(model), everything, positions, False, length_limit(model))
    with turns_of(model), torch.no_grad():
        return _Examination(Examined(model, anatomy)).run()


class _Examination:
    """The order of the experiments, and what each finding takes away."""

    def __init__(self, subject: Examined) -> None:
        self.subject = subject
        self.findings: list[Finding] = []

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self.subject.anatomy.layers

    def run(self) -> Anatomy:
        """All experiments, each on what the ones before have left standing."""
        subject = self.subject
        self._try(subject.no_op_hooks, "read", "read_refused")
        self._try(subject.read_positions, "read", "read_refused")
        self._try(subject.causal, "pad", "pad_refused")
        self._separate_layers()
        self._heads()
        self._try(partial(states_handed_on, self.subject), "states", "states_refused")
        self._hide()
        self._share()
        self._try(subject.padded_batch, "pad", "pad_refused")
        return replace(subject.anatomy, findings=tuple(self.findings))

    def _try(self, experiment: Callable[[], Finding], capability: str, key: str) -> None:
        """Run an experiment and keep its finding; a failure takes the capability away."""
        self._keep(self._observe(experiment), capability, key)

    def _observe(self, experiment: Callable[[], Finding]) -> Finding:
        """What an experiment finds; an exception is a failure."""
        try:
            return experiment()
        except Exception as error:  # noqa: BLE001 - whatever fails inside a foreign model means: refuse
            name = getattr(experiment, "func", experiment).__name__
            return Finding(name, False, None, f"{type(error).__name__}: {error}")

    def _keep(self, finding: Finding, capability: str, key: str) -> None:
        self.findings.append(finding)
        if not finding.ok:
            self._refuse(capability, key, {"check": finding.name, "note": finding.note})

    def _refuse(self, capability: str, key: str, values: Mapping[str, object]) -> None:
        anatomy = self.subject.anatomy
        if anatomy.can(capability):
            refused = {**anatomy.capabilities, capability: Capability(False, Reason(key, values))}
            self.subject.anatomy = replace(anatomy, capabilities=refused)

    def _separate_layers(self) -> None:
        """Which blocks read other positions through their mask alone, and which attention is none at all."""
        subject = self.subject
        try:
            inside, whole = self._leaks()
        except Exception as error:  # noqa: BLE001 - blocks that cannot be steered: nothing that needs it is offered
            note = f"{type(error).__name__}: {error}"
            self.findings.append(Finding("masks_obeyed", False, None, note))
            self._refuse("hide", "masks_refused", {"note": note})
            self._refuse("share_prefixes", "masks_refused", {"note": note})
            return
        tight = subject.relative
        candidates = zip(subject.anatomy.attention_layers, inside, strict=True)
        real = {layer.index for layer, leak in candidates if leak <= tight}
        # A block without softmax attention has to keep to itself exactly: a short convolution leaks little.
        masked = [leak <= (tight if index in real else 0.0) for index, leak in enumerate(whole)]
        self._keep_attention(real, masked)
        worst = max((leak for leak, fine in zip(whole, masked, strict=True) if fine), default=0.0)
        note = f"{sum(masked)} of {len(masked)} blocks read through masks alone"
        self.findings.append(Finding("masks_obeyed", True, worst, note))

    def _leaks(self) -> tuple[list[float], list[float]]:
        """`Subject.leaks`, a second time without the layers that choke on a mask if some do."""
        try:
            return self.subject.leaks()
        except (RuntimeError, ValueError, TypeError, IndexError):
            self._drop_unsteerable()
            return self.subject.leaks()

    def _keep_attention(self, indices: set[int], masked: Sequence[bool] | None = None) -> None:
        """Forget the attention modules of all layers but `indices`."""
        layers = [
            layer
            if layer.index in indices
            else Layer(layer.index, layer.block, feed_forward=layer.feed_forward)
            for layer in self.layers
        ]
        if masked is not None:
            layers = [replace(layer, reads_only_masked=masked[layer.index]) for layer in layers]
        self.subject.anatomy = replace(self.subject.anatomy, layers=tuple(layers))

    def _drop_unsteerable(self) -> None:
        """Find out which layers take a mask: linear attention under an attention's name chokes on one."""
        everything = self.subject.anatomy
        candidates = [layer.index for layer in everything.attention_layers]
        taking = set()
        for index in candidates:
            self._keep_attention({index})
            if self.subject.takes_masks():
                taking.add(index)
            self.subject.anatomy = everything
        self._keep_attention(taking)

    def _heads(self) -> None:
        if not self.subject.anatomy.attention_layers:
            for capability in ("heads", "blocks", "restart"):
                self._refuse(capability, "heads_none", {"layers": len(self.layers)})
            return
        subject = self.subject
        for experiment in (subject.zeroing_moves, subject.zeroed_leave_bias, subject.heads_add_up):
            self._try(experiment, "heads", "heads_refused")
        self._try(partial(blocks_move, subject), "blocks", "blocks_refused")

    def _hide(self) -> None:
        if not self.subject.anatomy.attention_layers:
            self._refuse("hide", "hide_unsupported", {"layers": len(self.layers)})
        elif self.subject.anatomy.can("hide"):
            self._try(self.subject.hidden_unread, "hide", "hide_refused")
        reason = self.subject.anatomy.why_not("hide")
        if reason is not None:
            self._refuse("hide_by_head", reason.key, reason.values)
        else:
            self._try(partial(blinded_by_head, self.subject), "hide_by_head", "hide_by_head_refused")

    def _share(self) -> None:
        anatomy = self.subject.anatomy
        mixed = sum(not layer.reads_only_masked for layer in self.layers)
        if mixed or not anatomy.attention_layers:
            self._refuse("share_prefixes", "tree_recurrent", {"layers": mixed or len(self.layers)})
        if not anatomy.can("share_prefixes") or mixed or not anatomy.attention_layers:
            return
        masks = self.subject.masks
        if anatomy.positions == "bias" and not masks.biased:
            self._refuse("share_prefixes", "tree_positions", {})
            return
        whole = replace(anatomy, one_row=masks.one_row)
        self.subject.anatomy = replace(whole, tail=find_tail(self.subject.model, self.layers))
        finding = self._observe(self.subject.tree)
        if not finding.ok and self.subject.anatomy.tail is not None:
            self.subject.anatomy = whole
            finding = self._observe(self.subject.tree)
        self._keep(finding, "share_prefixes", "tree_refused")
        if self.subject.anatomy.can("share_prefixes"):
            self._count_key_value_heads()
            self._try(partial(begun_half_way, self.subject), "restart", "restart_refused")

    def _count_key_value_heads(self) -> None:
        """The cache says how many key/value heads a layer keeps, where each layer keeps its own."""
        subject = self.subject
        trunk, _ = subject.forwards.trunk(subject.ids[0].tolist(), TOKENS, TOKENS, subject.every[-1:])
        if len(trunk.keys_values) != len(self.layers):
            return
        layers = tuple(
            replace(layer, kv_heads=int(pair[0].shape[1])) if pair is not None and layer.heads else layer
            for layer, pair in zip(self.layers, trunk.keys_values, strict=True)
        )
        subject.anatomy = replace(subject.anatomy, layers=layers)
