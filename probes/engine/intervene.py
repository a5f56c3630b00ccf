"""Job lists with interventions: which way, checked, and with what fallback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from probes.engine.anatomy import Anatomy
from probes.engine.configuration import text_config
from probes.engine.foreign import refused_in_words
from probes.engine.forward import Forwards
from probes.engine.inside import score_inside
from probes.engine.inside_plain import Changed, changed_runs, score_inside_plainly
from probes.engine.interventions import InsideJob, Intervention, Knockout, Line, Replace
from probes.engine.jobs import Reason, Report, Way
from probes.engine.linears import free_bytes
from probes.engine.records import Clean, Recorder
from probes.engine.surgery import Parts
from probes.errors import CapabilityError, LimitError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from probes.engine.execute import Engine

Result = tuple[int, tuple[float, ...]]

_MOST_OF_FREE = 0.4
"""A record may take this share of the free memory; what is run on it needs room too."""
_NEEDS = {"head": "heads", "attention": "heads", "mlp": "blocks", "block": "states"}
"""What a model must be able to do for each site."""


def refuse(anatomy: Anatomy, edit: Intervention) -> None:
    """Refuse what this model has no part for.

    Raises:
        CapabilityError: with the reason found at load, or the layer or head that is not there.
    """
    if isinstance(edit, Knockout):
        for need in ("hide", *(["hide_by_head"] if edit.heads is not None else [])):
            _refuse_lacking(anatomy, need)
        return
    _refuse_lacking(anatomy, _NEEDS[edit.site])
    if not 0 <= edit.layer < len(anatomy.layers):
        raise CapabilityError("layer_unknown", layer=edit.layer, last=len(anatomy.layers) - 1)
    layer = anatomy.layers[edit.layer]
    if edit.site in ("head", "attention") and layer.heads is None:
        raise CapabilityError("layer_without_heads", layer=edit.layer)
    if edit.site == "mlp" and layer.feed_forward is None:
        raise CapabilityError("layer_without_mlp", layer=edit.layer)
    if edit.head is not None and not 0 <= edit.head < (layer.heads or 0):
        raise CapabilityError("head_unknown", layer=edit.layer, head=edit.head, last=(layer.heads or 1) - 1)


def _refuse_lacking(anatomy: Anatomy, need: str) -> None:
    reason = anatomy.why_not(need)
    if reason is not None:
        raise CapabilityError(reason.key, **reason.values)


def ways_of(anatomy: Anatomy, longest: int, how: str) -> tuple[list[Way], Reason | None]:
    """The ways to try for texts of up to `longest` tokens, fastest first, and why not all of them."""
    if how == "reference":
        return ["reference"], None
    if how == "batches":
        return ["batches", "reference"], None
    reason, limit = anatomy.why_not("share_prefixes"), anatomy.length_limit
    if reason is None and limit is not None and longest > limit:
        reason = Reason("tree_length", {"tokens": longest, "limit": limit})
    return (["tree", "batches", "reference"], None) if reason is None else (["batches", "reference"], reason)


class Inside:
    """Runs jobs with interventions for an engine; keeps the clean record of the last few lines."""

    KEPT = 2

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._clean: dict[Line, Clean] = {}

    def results(self, jobs: Sequence[InsideJob], how: str, report: Report) -> Iterator[Result]:
        """Every job's log-probabilities, line by line; the report says how."""
        report.tokens_plain = sum(inside.job.plain_tokens for inside in jobs)
        lines: dict[Line, list[tuple[int, InsideJob]]] = {}
        for index, inside in enumerate(jobs):
            lines.setdefault(Line.of(inside.job), []).append((index, inside))
        forwards = self.engine.forwards(report)
        for line, members in lines.items():
            ways, why = ways_of(self.engine.anatomy, line.longest, how)
            report.how, report.why = ways[0], report.why or why
            places = {
                index: [line.continuations.index(c) for c in inside.job.continuations]
                for index, inside in members
            }
            runs = changed_runs(line, members, len(self.engine.anatomy.layers))
            for index, sums in self._line(forwards, line, runs, ways):
                yield index, tuple(sums[place] for place in places[index])

    def _line(
        self, forwards: Forwards, line: Line, runs: Sequence[Changed], ways: Sequence[Way]
    ) -> Iterator[Result]:
        waiting = {run.index: run for run in runs}
        for way in ways:
            forwards.report.how = way
            try:
                for index, sums in self._score(way, forwards, line, list(waiting.values())):
                    del waiting[index]
                    yield index, sums
                return
            except Exception as error:  # whatever broke, a plainer way may still give exact numbers
                self._clean.pop(line, None)  # the next round is checked from its first run on
                if way == ways[-1]:
                    with refused_in_words():
                        raise
                why = {"way": way, "error": f"{type(error).__name__}: {error}"}
                forwards.report.why = Reason("way_failed", why)

    def _score(self, way: Way, forwards: Forwards, line: Line, runs: Sequence[Changed]) -> Iterator[Result]:
        if way == "tree":
            clean = self.clean(line, forwards)
            restart = self.engine.anatomy.can("restart")
            return score_inside(forwards, clean, runs, 2 * self.engine.chunk_tokens, restart=restart)
        together = way == "batches" and not forwards.length_matters(line.longest)
        return score_inside_plainly(forwards, line, runs, self.engine.chunk_tokens if together else 0)

    def memory(self, nodes: int) -> int:
        """Bytes, about, that runs on a line of so many nodes take beside the weights: record and forward."""
        engine = self.engine
        if not engine.anatomy.attention_layers:
            return 0
        parts, item = Parts(engine.model, engine.anatomy), engine.model.dtype.itemsize
        forward = max(nodes, 2 * engine.chunk_tokens) * forward_width(engine.model, engine.anatomy, parts)
        return record_bytes(engine.anatomy, parts, nodes, item) + forward * item

    def _check_memory(self, line: Line) -> None:
        if not self.engine.anatomy.attention_layers or self.engine.model.device.type != "cpu":
            return
        parts = Parts(self.engine.model, self.engine.anatomy)
        needed = record_bytes(self.engine.anatomy, parts, len(line), self.engine.model.dtype.itemsize)
        free = free_bytes()
        if needed > _MOST_OF_FREE * free:
            raise LimitError("memory_inside", needed=f"{needed / 1e9:.1f}", free=f"{free / 1e9:.1f}")

    def clean(self, line: Line, forwards: Forwards) -> Clean:
        """The clean run of `line`, kept for the calls that follow."""
        if line not in self._clean:
            self._check_memory(line)
            recorder = Recorder(forwards, Parts(self.engine.model, self.engine.anatomy))
            shares = ways_of(self.engine.anatomy, line.longest, "auto")[0][0] == "tree"
            found = recorder.shared(line) if shares else recorder.plain(line)
            while len(self._clean) >= self.KEPT:
                self._clean.pop(next(iter(self._clean)), None)
            self._clean[line] = found
        return self._clean[line]


def record_bytes(anatomy: Anatomy, parts: Parts, nodes: int, itemsize: int) -> int:
    """Memory that the record of a line of so many nodes takes."""
    per_node = 0
    for layer in anatomy.layers:
        heads, stream = parts.widths(layer.index)
        per_node += heads + 4 * stream  # the projection, the attention module, the feed-forward, the block
    return nodes * per_node * itemsize


def forward_width(model: PreTrainedModel, anatomy: Anatomy, parts: Parts) -> int:
    """Numbers that a forward keeps for each node: keys and values of every layer, and the outputs of the
    widest one. A layer's linear maps put out as many numbers a node as they have weights for each input; of
    experts only those that are asked count.
    """
    config = text_config(model)
    experts = getattr(config, "num_experts", None) or getattr(config, "num_local_experts", None) or 1
    asked = (getattr(config, "num_experts_per_tok", None) or 1) / experts
    kept = sum(2 * (layer.kv_heads or layer.heads or 0) * (layer.head_width or 0) for layer in anatomy.layers)
    widest = 0.0
    for layer, block in zip(anatomy.layers, parts.blocks, strict=True):
        named = block.named_parameters()
        weights = sum(p.numel() * (asked if "expert" in name else 1) for name, p in named)
        widest = max(widest, weights / parts.widths(layer.index)[1])
    return kept + round(2 * widest)


def check_edits(anatomy: Anatomy, jobs: Sequence[InsideJob]) -> None:
    """Refuse at once what cannot be done, before anything runs.

    Raises:
        CapabilityError: see `refuse`.
        ValueError: a node outside the line.
    """
    seen: set[tuple[object, ...]] = set()
    for inside in jobs:
        nodes = len(Line.of(inside.job))
        if inside.job.hidden:
            _refuse_lacking(anatomy, "hide")
        for edit in inside.edits:
            if isinstance(edit, Replace):
                key: tuple[object, ...] = (edit.layer, edit.site, edit.head)
                _check_nodes(edit.positions or (), nodes)
            else:
                key = ("cut", edit.heads is None)
                _check_nodes((*edit.queries, *edit.keys), nodes)
            if key not in seen:
                refuse(anatomy, edit)
                seen.add(key)


def _check_nodes(positions: Sequence[int], nodes: int) -> None:
    outside = [node for node in positions if not 0 <= node < nodes]
    if outside:
        raise ValueError(f"nodes {outside[:5]} are outside the line of {nodes}")
