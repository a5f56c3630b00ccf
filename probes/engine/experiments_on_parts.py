"""Experiments on what is done inside a model: parts replaced, single heads blinded, runs begun half way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from probes.engine.anatomy import Anatomy, Finding
from probes.engine.by_hooks import changed_runs, score_hooked
from probes.engine.by_restart import score_restarted
from probes.engine.edits import Edit, Knockout, Replace
from probes.engine.experiments import TOKENS, Examined
from probes.engine.jobs import Job
from probes.engine.lens import final_logits
from probes.engine.lines import Line
from probes.engine.records import Recorder
from probes.engine.surgery import Parts

_UNREAD = 2


def blocks_move(subject: Examined) -> Finding:
    """With the attention, or the feed-forward, of the first or last block that has one replaced by zeros the
    logits move.
    """
    line, layers = _line(subject), subject.anatomy.layers
    attend = [(Replace(layer.index, "attention"),) for layer in layers if layer.projection is not None]
    feed = [(Replace(layer.index, "mlp"),) for layer in layers if layer.feed_forward is not None]
    jobs = [*attend[:1], *attend[1:][-1:], *feed[:1], *feed[1:][-1:]] if feed else []
    clean, *moved = _plainly(subject, line, [(), *jobs])
    least = min((abs(value - clean) for value in moved), default=0.0)
    return Finding("blocks_move", least > 0, least, "> 0")


def states_handed_on(subject: Examined) -> Finding:
    """What the last block hands on, and nothing else, gives the model's own logits."""
    forwards, parts = subject.forwards, Parts(subject.model, subject.anatomy)
    record = Recorder(forwards, parts).plain(_line(subject)).record
    last = record.value("block", len(parts.layers) - 1)[list(record.read)]
    off = float((final_logits(forwards, parts, record, last[None])[0] - record.logits).abs().max())
    return Finding("states_handed_on", off <= subject.tolerance, off, "the model's own logits")


def blinded_by_head(subject: Examined) -> Finding:
    """A mask with an entry a head is taken: all of it open changes nothing, one head blinded does."""
    layer = subject.anatomy.attention_layers[-1]
    heads = layer.heads or 1
    visible = np.broadcast_to(np.tri(TOKENS, dtype=bool), (1, heads, TOKENS, TOKENS))
    blind = visible.copy()
    blind[0, 0, _UNREAD + 1 :, _UNREAD] = False
    seen, forwards, depth = [], subject.forwards, subject.every[None]
    for shown in (visible, blind):
        open_ = forwards.sight(visible[:, 0], depth, depth)
        each = [open_] * len(subject.anatomy.layers)
        each[layer.index] = forwards.sight(shown, depth, depth)
        zero = np.zeros(TOKENS, np.int64)
        seen.append(forwards.sighted(subject.ids, zero, subject.every, subject.masks, each))
    same = float((seen[0] - subject.plain).abs().max())
    moved = float((seen[1] - subject.plain).abs().max())
    ok = same <= subject.tolerance and moved > same
    return Finding("blinded_by_head", ok, same, f"with a head blinded they move by {moved:.1e}")


def begun_half_way(subject: Examined) -> Finding:
    """Runs begun where they differ from the clean one give the numbers of whole forwards with hooks."""
    line = _line(subject)
    jobs = [(), *_trials(subject.anatomy, line)]
    forwards = subject.forwards
    clean = Recorder(forwards, Parts(subject.model, subject.anatomy)).shared(line)
    runs = changed_runs(
        line, [(i, _job(line, edits)) for i, edits in enumerate(jobs)], len(clean.record.shapes)
    )
    found = dict(score_restarted(forwards, clean, runs, 3 * TOKENS, restart=True))
    expected = _plainly(subject, line, jobs)
    worst = max(abs(found[i][0] - value) for i, value in enumerate(expected))
    return Finding("begun_half_way", worst <= subject.tolerance, worst, "whole forwards with hooks")


def _trials(anatomy: Anatomy, line: Line) -> list[tuple[Edit, ...]]:
    """One of each kind in the first, the middle and the last layer with attention."""
    layers = anatomy.attention_layers
    chosen = {layer.index: layer for layer in (layers[0], layers[len(layers) // 2], layers[-1])}
    trials: list[tuple[Edit, ...]] = []
    for index, layer in chosen.items():
        trials += [(Replace(index, "head", 0),), (Replace(index, "head", 0, (_UNREAD,)),)]
        trials += [(Replace(index, "attention"),), (Replace(index, "block", None, (_UNREAD,)),)]
        trials += [(Replace(index, "mlp"),)] if layer.feed_forward else []
        if anatomy.can("hide"):
            trials.append((Knockout((TOKENS - 2,), (_UNREAD, _UNREAD + 1), (index,)),))
    return trials


def _line(subject: Examined) -> Line:
    ids = tuple(subject.ids[0, :-1].tolist())
    return Line(ids, ((int(subject.ids[0, -1]),),))


def _job(line: Line, edits: Sequence[Edit]) -> Job:
    return replace(Job(line.ids, line.continuations), edits=tuple(edits))


def _plainly(subject: Examined, line: Line, jobs: Sequence[Sequence[Edit]]) -> list[float]:
    """Each job's log-probability by a whole forward with hooks, all side by side in one batch."""
    runs = changed_runs(line, [(i, _job(line, edits)) for i, edits in enumerate(jobs)], 0)
    with torch.no_grad():
        found = dict(score_hooked(subject.forwards, line, runs, TOKENS * len(runs)))
    return [found[i][0] for i in range(len(jobs))]
