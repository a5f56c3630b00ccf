"""The engine's door: a list of jobs through a model in few forwards, exactly, and how it was done.

Deleting, hiding and what is done inside a model differ in their jobs; `ways` says how they are run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from torch import Tensor

from probes.engine.anatomy import Anatomy
from probes.engine.attention_and_gradients import attention_weights, embedding_gradients, head_gradients
from probes.engine.by_batches import Scored, score_batches, score_reference
from probes.engine.by_tree import Sessions, score_tree
from probes.engine.configuration import text_config
from probes.engine.costs import costs_of
from probes.engine.direct import direct_effects
from probes.engine.edited import Edited
from probes.engine.edits import Edit, Replace
from probes.engine.findings import Findings, find_out
from probes.engine.foreign import refused_in_words
from probes.engine.forward import Forwards
from probes.engine.jobs import Job, Report, Way, summed
from probes.engine.lens import lens
from probes.engine.linears import PackedLinears, pack_linears
from probes.engine.lines import Line
from probes.engine.records import Record
from probes.engine.refusals import check_jobs, refuse, refuse_lacking
from probes.engine.rounding import Precision, precision
from probes.engine.run import Progress, Result, Run
from probes.engine.tree import Stem, stems_of
from probes.engine.turns import turns_of
from probes.engine.ways import How, by_ways, ways_of

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Engine:
    """A causal language model, examined and ready to be run thousands of times.

    Attributes:
        findings: what examining the model gave; another engine can be told.
        anatomy: what was found in the model and what it can do.
        linears: the faster copies of its linear maps, with their memory and speed-up; None where not used.
        lock: held by whatever runs the model, in any thread and by any engine of this model; see `turns`.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        chunk_tokens: int | None = None,
        packed_linears: Literal["auto", "off"] = "auto",
        known: Findings | None = None,
    ) -> None:
        """
        Args:
            model: in evaluation mode.
            chunk_tokens: token positions of one packed forward, at most; by default what suits the processor.
            packed_linears: "auto" keeps a second copy of the weights in a faster layout where that is exact
                and pays (float32 on a CPU), "off" never does.
            known: the `findings` of an engine for the very same model, on the same processor.
        """
        if model.training:
            raise ValueError("the model must be in evaluation mode: call model.eval() first")
        self.model = model
        self.lock = turns_of(model)
        self.findings = known or find_out(model, chunk_tokens)
        self.anatomy: Anatomy = self.findings.anatomy
        self.chunk_tokens = chunk_tokens or self.findings.chunk_tokens
        self.linears: PackedLinears | None = None
        if packed_linears == "auto":
            blocks = [model.get_submodule(layer.block) for layer in self.anatomy.layers]
            with self.lock:
                self.linears = pack_linears(blocks, self.chunk_tokens, self.findings.packed_speedup)
        self.costs = costs_of(model, self.anatomy, self.chunk_tokens)
        self.edited = Edited(self)

    def run(
        self,
        jobs: Sequence[Job],
        *,
        how: How = "auto",
        on_progress: Progress | None = None,
        sessions: Sessions | None = None,
    ) -> Run:
        """Log-probability of every job's continuations; nothing runs before the first result is asked for.

        What jobs without edits share is run once. Where some have edits, each run begins at the first block
        and token where something changes, all continuations at once.

        Args:
            jobs: the first one is the clean prompt.
            how: "reference" for the plain loop, "batches" for whole texts side by side, padded; "auto" for
                the fastest exact way.
            on_progress: called after each finished job with (finished, all).
            sessions: what earlier calls about the same clean prompt left, and this one leaves; of jobs
                without edits.

        Raises:
            ValueError: no such way, or a position that is not there.
            CapabilityError: this model has no such part, or it cannot be changed, or masked.
        """
        check_jobs(self.anatomy, jobs)
        longest = max((len(job.ids) + max(map(len, job.continuations)) - 1 for job in jobs), default=0)
        ways, why = ways_of(self.anatomy, longest, how)
        report = Report(ways[0], why, tokens_plain=sum(job.plain_tokens for job in jobs))
        results: Iterator[Result] = iter(())
        if any(job.edits for job in jobs):
            report.why = None  # each line has its own
            results = self.edited.results(jobs, how, report)
        elif jobs:
            rounds = Sessions() if sessions is None else sessions
            results = self._unedited(stems_of(jobs), ways, report, rounds)
        return Run(results, report, len(jobs), on_progress, self.lock)

    @staticmethod
    def sessions() -> Sessions:
        """What calls about one clean prompt leave to each other; for a study in rounds."""
        return Sessions()

    def refuse(self, edit: Edit) -> None:
        """Refuse what this model has no part for.

        Raises:
            CapabilityError: with the reason.
        """
        refuse(self.anatomy, edit)

    @refused_in_words()
    def record(self, job: Job) -> Record:
        """What every part of every layer computes at every token of a job, with nothing done to it."""
        with self.lock:
            return self.edited.clean(Line.of(job), self.forwards(Report(how="tree"))).record

    @refused_in_words()
    def lens(self, job: Job) -> np.ndarray:
        """[layers + 1, continuations]: log-probability of each continuation after 0 .. all blocks.

        Raises:
            CapabilityError: what its blocks hand on was not recognised.
        """
        refuse_lacking(self.anatomy, "states")
        forwards = self.forwards(Report(how="tree"))
        with self.lock:
            if forwards.length_matters(Line.of(job).longest):  # each text is another run there
                alone = [self.record(Job(job.ids, (c,))) for c in job.continuations]
                return np.concatenate([lens(forwards, record) for record in alone], axis=1)
            record = self.record(job)
            places = [record.line.continuations.index(c) for c in job.continuations]
            return lens(forwards, record)[:, places]

    @refused_in_words()
    def direct_effects(
        self, job: Job, edits: Sequence[Replace | None], token: int, against: int, node: int | None = None
    ) -> list[float] | None:
        """Each edit's effect on logit[token] - logit[against] by its own write alone, nats; see `direct`.

        Args:
            edits: None for what enters the first block made zero.
            node: of the job's line; None for the prompt's last token.
        """
        at = len(job.ids) - 1 if node is None else node
        forwards = self.forwards(Report(how="tree"))
        with self.lock:
            return direct_effects(forwards, self.record(job), edits, at, token, against)

    @refused_in_words()
    def attention(self, ids: Sequence[int]) -> list[Tensor | None]:
        """Per layer the attention weights [heads, n, n] of a prompt, row = query; None where none."""
        with self.lock:
            return attention_weights(self.forwards(Report(how="reference")), ids)

    @refused_in_words()
    def gradients(self, job: Job, weights: Sequence[float]) -> tuple[Record, list[Tensor | None]]:
        """The clean record, and per layer [nodes, heads * width] the gradient of sum_i weights_i * log-prob_i
        by the heads' outputs, for attribution patching.
        """
        with self.lock:
            clean = self.edited.clean(Line.of(job), self.forwards(Report(how="tree")))
            record = clean.record
            by_line = [0.0] * len(record.line.continuations)
            for continuation, weight in zip(job.continuations, weights, strict=True):
                by_line[record.line.continuations.index(continuation)] += weight
            return record, head_gradients(self.forwards(Report(how="reference")), clean, by_line)

    @refused_in_words()
    def embedding_gradients(self, job: Job, weights: Sequence[float]) -> tuple[Tensor, Tensor]:
        """[tokens, width] twice: the prompt's input embeddings, and the gradient by them of
        sum_i weights_i * log-prob_i of the continuations.
        """
        with self.lock:
            return embedding_gradients(self.forwards(Report(how="reference")), job, weights)

    def precision(self, job: Job) -> Precision | None:
        """How far effects are off for the number type of the weights; None in float32."""
        first = list(dict.fromkeys(continuation[0] for continuation in job.continuations))
        return precision(self.forwards(Report(how="reference")), job.ids, first)

    def forwards(self, report: Report) -> Forwards:
        """The calls of the model, counted in `report`."""
        return Forwards(self.model, self.anatomy, report, self.linears)

    def greedy(self, ids: Sequence[int], max_new_tokens: int) -> tuple[int, ...]:
        """The likeliest token again and again, up to an end-of-text token (left out) or `max_new_tokens`."""
        forwards = Forwards(self.model, self.anatomy, Report(how="reference"))
        ends, text = _end_tokens(self.model), list(ids)
        cached = self.anatomy.can("share_prefixes") and self.anatomy.length_limit is None
        following = forwards.cached() if cached else forwards.whole()
        fresh = text
        for _ in range(max_new_tokens):
            token = int(following(fresh if cached else text).argmax())
            if token in ends:
                break
            fresh = [token]
            text.append(token)
        return tuple(text[len(ids) :])

    def likeliest(self, ids: Sequence[int], count: int) -> tuple[int, ...]:
        """The `count` likeliest next tokens, the likeliest first; none that ends a text."""
        forwards = Forwards(self.model, self.anatomy, Report(how="reference"))
        ranked = forwards.whole()(list(ids)).argsort(descending=True)[: count + 8].tolist()
        ends = _end_tokens(self.model)
        return tuple(token for token in ranked if token not in ends)[:count]

    def _unedited(
        self, stems: list[Stem], ways: Sequence[Way], report: Report, sessions: Sessions
    ) -> Iterator[Result]:
        forwards = self.forwards(report)
        forwards.lends = True

        def attempt(way: Way, left: list[Stem]) -> Iterator[tuple[int, Scored]]:
            return ((id(scored.stem), scored) for scored in self._score(way, forwards, left, sessions))

        waiting = {id(stem): stem for stem in stems}
        for _, scored in by_ways(ways, report, waiting, attempt, sessions.forget):
            yield from _by_job(scored, forwards.length_matters(scored.stem.depth))

    def _score(self, way: Way, forwards: Forwards, stems: list[Stem], sessions: Sessions) -> Iterator[Scored]:
        if way == "tree":
            return score_tree(forwards, stems, self.costs, sessions)
        if way == "batches":
            return score_batches(forwards, stems, self.chunk_tokens)
        return score_reference(forwards, stems)


def _by_job(scored: Scored, apart: bool) -> Iterator[Result]:
    """The numbers of every job; `apart`: each of its texts is another run from its first token on."""
    sums = list(map(sum, scored.values)) if apart else summed(scored.stem.continuations, scored.values)
    for job, places in scored.stem.jobs:
        yield job, tuple(sums[place] for place in places)


def _end_tokens(model: PreTrainedModel) -> set[int]:
    ends: set[int] = set()
    for config in (model.generation_config, model.config, text_config(model)):
        value = getattr(config, "eos_token_id", None)
        ends |= set(value) if isinstance(value, list) else {value} if isinstance(value, int) else set()
    return ends
