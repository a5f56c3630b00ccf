"""Eight tokens through a model, changed in ways that must, or must not, move the numbers.

Each experiment returns a `Finding`; what follows from it is decided in `selfcheck`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from probes.engine import hooks
from probes.engine.anatomy import Anatomy, Finding, output_weight
from probes.engine.by_batches import Scored, relative_tolerance, score_batches
from probes.engine.by_tree import Sessions, score_tree
from probes.engine.chunking import Costs
from probes.engine.configuration import text_config
from probes.engine.forward import Forwards
from probes.engine.jobs import Job, Report
from probes.engine.masks import MASK_ARGUMENTS, DepthMasks
from probes.engine.tree import stems_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel

TOKENS = 8
_HIDDEN = 2
_SAMPLED_LAYERS = 8
_TINY = 1e-30


class Examined:
    """One model on the table. A forward of a few tokens costs reading all weights: few are made.

    Attributes:
        anatomy: what is known so far; the caller narrows it as findings come in.
        plain: logits [8, vocabulary] of a forward nothing was done to.
        relative, tolerance: largest difference between two ways of computing one number, relative to the
            largest number and in logits.
    """

    def __init__(self, model: PreTrainedModel, anatomy: Anatomy) -> None:
        self.model = model
        self.anatomy = anatomy
        size = int(text_config(model).vocab_size)
        self.ids = np.array([[(size // 3 + 37 * i * i + 11 * i) % size for i in range(TOKENS)]])
        self.every = np.arange(TOKENS)
        self.plain = self._logits(self.ids)[0]
        self.relative = relative_tolerance(model.dtype)
        self.tolerance = self.relative * float((self.plain.amax(-1) - self.plain.amin(-1)).max())
        self._recorded: list[hooks.Arguments] = []
        self._calls: list[tuple[Tensor, Tensor]] = []

    @property
    def forwards(self) -> Forwards:
        """The calls the engine makes, by the anatomy as it stands."""
        return Forwards(self.model, self.anatomy, Report(how="reference"))

    @property
    def masks(self) -> DepthMasks:
        """The masks recorded over the eight tokens."""
        return self.forwards.depth_masks(self._recorded)

    def modules(self, names: Sequence[str | None]) -> list[nn.Module]:
        """The modules at `names`."""
        return [self.model.get_submodule(name) for name in names if name]

    @property
    def blocks(self) -> list[nn.Module]:
        """The stack."""
        return self.modules([layer.block for layer in self.anatomy.layers])

    @property
    def projections(self) -> list[nn.Module]:
        """The output projection of each layer that has one."""
        return self.modules([layer.projection for layer in self.anatomy.attention_layers])

    def _logits(self, ids: np.ndarray) -> Tensor:
        found: Tensor = self.model(
            torch.tensor(ids, device=self.model.device), use_cache=False
        ).logits.float()
        return found

    # ---- hooks, reading, causality

    def no_op_hooks(self) -> Finding:
        """Hooks that change nothing leave the logits equal bit for bit. Records the masks on the way."""
        same: list[Callable[[Tensor], Tensor] | None] = [lambda hidden: hidden] * len(self.blocks)
        with (
            hooks.recorded_arguments(self.blocks, MASK_ARGUMENTS) as self._recorded,
            hooks.edited_inputs(self.blocks, same),
            hooks.recorded_calls(self.blocks),
        ):
            logits = self._logits(self.ids)[0]
        value = float((logits - self.plain).abs().max())
        return Finding("no_op_hooks", torch.equal(logits, self.plain), value, "= 0")

    def read_positions(self) -> Finding:
        """Logits asked for at two positions only are those of the whole."""
        columns = np.array([TOKENS - 1, 2])
        logits = self.forwards.plain(self.ids, np.zeros(2, int), columns)
        value = float((logits - self.plain[columns]).abs().max())
        return Finding("read_positions", value <= self.tolerance, value, "logits at two positions only")

    def causal(self) -> Finding:
        """A shorter text gives the same log-probabilities."""
        short = self.forwards.plain(self.ids[:, :5], np.zeros(5, int), self.every[:5]).log_softmax(-1)
        value = float((short - self.plain[:5].log_softmax(-1)).abs().max())
        return Finding("causal", value <= self.tolerance, value, "a shorter text agrees")

    # ---- masks

    def takes_masks(self) -> bool:
        """Whether every layer taken for attention accepts a mask [batch, 1, queries, keys]."""
        alone, depth = np.eye(TOKENS, dtype=bool)[None], self.every[None]
        try:
            forwards = self.forwards
            with forwards.steered(self.masks, forwards.sight(alone, depth, depth), TOKENS):
                self._logits(self.ids)
        except (RuntimeError, ValueError, TypeError, IndexError):  # a shape the module does not know
            return False
        return True

    def leaks(self) -> tuple[list[float], list[float]]:
        """How far a change at position 0 of a block's input reaches later positions of what comes out.

        Two rows run side by side; before each block the second is made a copy of the first with position 0
        changed, while every position may see itself alone.

        Returns:
            per attention module and per block, relative to the largest output.
        """

        def disturb(hidden: Tensor) -> Tensor:
            hidden = hidden.clone()
            hidden[..., 1, :, :] = hidden[..., 0, :, :]
            hidden[..., 1, 0, :] += hidden[..., 0, -1, :] + hidden.std()
            return hidden

        depth = np.broadcast_to(self.every, (2, TOKENS))
        alone = np.broadcast_to(np.eye(TOKENS, dtype=bool), (2, TOKENS, TOKENS))
        attention = self.modules([layer.attention for layer in self.anatomy.attention_layers])
        forwards = self.forwards
        with (
            forwards.steered(self.masks, forwards.sight(alone, depth, depth), TOKENS),
            hooks.edited_inputs(self.blocks, [disturb] * len(self.blocks)),
            hooks.recorded_calls([*attention, *self.blocks]) as calls,
        ):
            self._logits(np.repeat(self.ids, 2, axis=0))
        leaks = [_leak(output.float().reshape(-1, 2, TOKENS, output.shape[-1])) for _, output in calls]
        return leaks[: len(attention)], leaks[len(attention) :]

    def hidden_unread(self) -> Finding:
        """Nothing after a hidden position depends on the token there; before it nothing changes at all."""
        ids = np.repeat(self.ids, 2, axis=0)
        ids[1, _HIDDEN] = self.ids[0, 0]
        hidden = np.zeros(ids.shape, bool)
        hidden[:, _HIDDEN] = True
        rows, columns = np.repeat([0, 1], TOKENS), np.tile(self.every, 2)
        one, two = self.forwards.masked(ids, hidden, rows, columns, self.masks).view(2, TOKENS, -1)
        after = slice(_HIDDEN + 1, None)
        earlier = float((one[: _HIDDEN + 1] - self.plain[: _HIDDEN + 1]).abs().max())
        moved = float((one[after] - self.plain[after]).abs().max())
        read = float((one - two)[after].abs().max())
        if all(layer.reads_only_masked for layer in self.anatomy.layers):
            ok = max(earlier, read) <= self.tolerance < moved
            return Finding("hidden_unread", ok, read, f"later logits move by {moved:.1e}, with it by 0")
        ok = earlier <= self.tolerance < moved
        return Finding("hidden_unread", ok, read, "other layers carry on what attention may not read")

    # ---- heads

    def zeroing_moves(self) -> Finding:
        """With one head zeroed the logits move.

        Row r has the first head of one layer zeroed; then a row with all heads of all layers zeroed, and two
        left alone that tell the noise. What the projections do here is kept for the next two experiments.
        """
        layers, projections = self.anatomy.attention_layers, self.projections
        chosen = sorted({round(i) for i in np.linspace(0, len(layers) - 1, _SAMPLED_LAYERS)})
        rows = len(chosen) + 3
        edits = [
            _zero_heads(rows, chosen.index(i) if i in chosen else None, layer.head_width or 1)
            for i, layer in enumerate(layers)
        ]
        with hooks.edited_inputs(projections, edits), hooks.recorded_calls(projections) as calls:
            logits = self._logits(np.repeat(self.ids, rows, axis=0))[:, -1]
        self._calls = [
            (z.reshape(rows, -1, z.shape[-1]), out.reshape(rows, -1, out.shape[-1])) for z, out in calls
        ]
        moved = (logits[:-3] - logits[-1]).abs().amax(-1)
        noise = float((logits[-2] - logits[-1]).abs().max())
        return Finding("zeroing_moves", bool((moved > 4 * noise).all()), float(moved.min()), f"> {noise:.1e}")

    def zeroed_leave_bias(self) -> Finding:
        """With all heads of a layer zeroed its projection gives its bias."""
        pairs = zip(self.projections, self._calls, strict=True)
        worst = max(float((out[-3] - _bias(projection)).abs().max()) for projection, (_, out) in pairs)
        return Finding("zeroed_leave_bias", worst == 0.0, worst, "= 0")

    def heads_add_up(self) -> Finding:
        """A projection's output is the sum of its heads' contributions and its bias."""
        worst = 0.0
        for layer, projection, (z, out) in zip(
            self.anatomy.attention_layers, self.projections, self._calls, strict=True
        ):
            split = (layer.heads or 1, layer.head_width or 1)
            weight = output_weight(projection).float().unflatten(1, split)
            each = torch.einsum("thw,ohw->tho", z[-1].float().unflatten(-1, split), weight)
            off = (each.sum(-2) + _bias(projection) - out[-1]).abs().max()
            worst = max(worst, float(off / out[-1].abs().max().clamp_min(_TINY)))
        return Finding("heads_add_up", worst <= self.relative, worst, "relative to the output")

    # ---- whole job lists

    def tree(self) -> Finding:
        """A small tree of prompts gives the plain loop's numbers."""
        costs = Costs(0.0, 0.0, 4 * TOKENS, 1 << 20, 64, self.anatomy.one_row)
        return self._as_plain("tree", score_tree(self.forwards, stems_of(self._jobs()), costs, Sessions()))

    def padded_batch(self) -> Finding:
        """A batch padded on the right gives the plain loop's numbers."""
        return self._as_plain(
            "padded_batch", score_batches(self.forwards, stems_of(self._jobs()), 4 * TOKENS)
        )

    def _jobs(self) -> list[Job]:
        """The clean text and two with a token less, each with a one-token and a two-token continuation."""
        ids = tuple(self.ids[0].tolist())
        ends = ((ids[1],), (ids[0], ids[2]))
        return [Job(ids[:6], ends), Job(ids[:2] + ids[3:6], ends), Job(ids[:4] + ids[5:7], ends)]

    @cached_property
    def _expected(self) -> list[list[float]]:
        """Per job its tokens' log-probabilities, from one plain forward each."""
        expected = []
        for job in self._jobs():
            (one,), (two, three) = job.continuations
            last = len(job.ids) - 1
            log_probs = self._logits(np.array([[*job.ids, two]]))[0].log_softmax(-1)
            expected.append(
                [float(log_probs[last, one]), float(log_probs[last, two]), float(log_probs[last + 1, three])]
            )
        return expected

    def _as_plain(self, name: str, found: Iterable[Scored]) -> Finding:
        mine = {one.stem.jobs[0][0]: [value for path in one.values for value in path] for one in found}
        pairs = [zip(mine[job], expected, strict=True) for job, expected in enumerate(self._expected)]
        worst = max(abs(a - b) for pair in pairs for a, b in pair)
        return Finding(name, worst <= self.tolerance, worst, "the plain loop's numbers")


def _leak(out: Tensor) -> float:
    """Of outputs [..., 2, tokens, width]: difference of the two rows after position 0, relative."""
    return float((out[:, 0, 1:] - out[:, 1, 1:]).abs().max() / out[:, 0].abs().max().clamp_min(_TINY))


def _bias(projection: nn.Module) -> Tensor | float:
    bias = getattr(projection, "bias", None)
    return bias if isinstance(bias, Tensor) else 0.0


def _zero_heads(rows: int, row: int | None, width: int) -> Callable[[Tensor], Tensor]:
    """Zero all heads in the third row from the end and, in `row`, the first one."""

    def zero(z: Tensor) -> Tensor:
        z = z.clone()
        by_row = z.view(rows, -1, z.shape[-1])
        by_row[-3] = 0
        if row is not None:
            by_row[row, :, :width] = 0
        return z

    return zero
