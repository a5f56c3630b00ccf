"""Inside a local model: words and spans become nodes of a line, references become vectors.

`probes.asking.interventions` says what is meant, `probes.engine.edits` what is run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from probes.asking.distribution import Distribution
from probes.asking.interventions import Ablation, Cut, How, Intervention, Patch, Reference, Site
from probes.asking.question import Question
from probes.asking.readings import (
    Attention,
    Continuation,
    Direct,
    Estimates,
    Gradients,
    Lens,
    Passages,
    Proposals,
    Reading,
)
from probes.asking.trials import CLEAN, Mode, Trial
from probes.engine.edits import Edit, Knockout, Replace
from probes.engine.jobs import Job
from probes.engine.lines import Line
from probes.engine.records import Record
from probes.errors import CapabilityError, InputError
from probes.models.proposals import proposals
from probes.models.references import References
from probes.models.word_attention import WordAttention, by_words
from probes.text.passage import Span, Unit

if TYPE_CHECKING:
    from probes.models.layout import Layout, Work
    from probes.models.local import LocalModel


class Inside:
    """What is done and seen inside one local model."""

    def __init__(self, model: LocalModel) -> None:
        self.model = model
        self.references = References(model)
        self._last_source: tuple[Question, Any, Job] | None = None

    # ---- trials

    def job(self, work: Work) -> Job:
        """What the engine runs for a prepared trial.

        Raises:
            InputError: a patch between prompts of different lengths.
            CapabilityError: this model has no such part.
        """
        edits = tuple(self._edit(work, one) for one in work.trial.inside)
        return replace(work.job, edits=edits)

    def _edit(self, work: Work, one: Intervention) -> Edit:
        line = Line.of(work.job)
        if isinstance(one, Cut):
            reader = line.answer_nodes if one.reader is None else self._nodes(work, one.reader)
            return Knockout(reader, self._nodes(work, one.read), one.layers, one.heads)
        if isinstance(one, Patch):
            return self._patch(work, line, one)
        at = one.at
        positions = None if at == "all" else line.answer_nodes if at == "answer" else self._nodes(work, at)
        edit = Replace(one.layer, one.site, one.head, positions)
        if one.how is How.ZERO:
            return edit
        self.model.engine.refuse(edit)
        whole = self.references.values(work, one.how, work.trial.reference)[one.site][one.layer]
        assert whole is not None
        value = self._slice(whole, one.layer, one.head)
        return replace(edit, value=value if positions is None else value[list(positions)])

    def _patch(self, work: Work, line: Line, one: Patch) -> Replace:
        positions = line.answer_nodes if one.spans == "answer" else self._nodes(work, one.spans)
        edit = Replace(one.layer, one.site, one.head, positions)
        self.model.engine.refuse(edit)
        source = self.source(work.question, one.source)
        if len(source.ids) != len(work.job.ids):
            raise InputError("patch_lengths", base=len(work.job.ids), source=len(source.ids))
        record = self.model.engine.record(source)
        value = self._slice(record.value(one.site, one.layer), one.layer, one.head)
        return replace(edit, value=value[list(positions)])

    def source(self, question: Question, other: tuple[tuple[Span, ...], str] | None) -> Job:
        """The run that a patch takes from: the clean one, or one with other words in it.

        Of the pair asked last, from memory: a map of patches takes all its states from one run.
        """
        last = self._last_source
        if last is None or last[0] is not question or last[1] != other:
            trial = CLEAN if other is None else Trial(other[0], Mode.REPLACE, other[1])
            job: Job = self.model.prepare(question, [trial])[0].work.job
            last = self._last_source = (question, other, job)
        return last[2]

    def _nodes(self, work: Work, spans: Sequence[Span]) -> tuple[int, ...]:
        return tuple(i for a, b in work.layout.tokens_of(spans) for i in range(a, b))

    def _slice(self, whole: Tensor, layer: int, head: int | None) -> Tensor:
        if head is None:
            return whole
        width = self.model.engine.anatomy.layers[layer].head_width or 0
        return whole[:, head * width : (head + 1) * width]

    def memory(self, question: Question) -> int:
        """Bytes that studies of this question take beside the weights, about."""
        layout = self.model.layout(question)
        nodes = len(layout.ids) + sum(len(term.ids) for term in layout.terms)
        return self.model.engine.edited.memory(nodes)

    def refuse(self, places: Sequence[tuple[Site, int, int | None]]) -> None:
        """Refuse what this model has no part for, before anything runs.

        Args:
            places: (site, layer, head) of the parts to be replaced.

        Raises:
            CapabilityError: with the reason; also where there are no such parts at all.
        """
        anatomy = self.model.engine.anatomy
        if not anatomy.attention_layers:
            raise CapabilityError("heads_none", layers=len(anatomy.layers))
        if not places:
            raise CapabilityError("parts_none", layers=len(anatomy.layers))
        for site, layer, head in places:
            self.model.engine.refuse(Replace(layer, site, head))

    # ---- what is seen

    def read(self, question: Question, reading: Reading, clean: Distribution | None = None) -> Any:
        """What a reading asks for.

        Args:
            clean: the clean run's answers, for a reading that is kept.

        Raises:
            CapabilityError: this model does not give it.
        """
        match reading:
            case Attention(units):
                return self.word_attention(question, units)
            case Lens():
                return self.lens(question)
            case Passages(reference):
                return self.references.passages(question, reference)
            case Proposals(span, count):
                return proposals(self.model, question, span, count)
            case Continuation(tokens):
                return self.model.greedy(question, self.model.prepare(question, [CLEAN])[0], tokens)
        if clean is None:
            raise ValueError(f"{type(reading).__name__} hangs on the clean run's answers")
        match reading:
            case Direct(target, against, parts, reference):
                return self.direct(question, clean, target, against, parts, reference)
            case Estimates(answers, parts, reference):
                return self.estimates(question, clean, dict(answers), parts, reference)
            case Gradients(answers, units):
                return self.gradients(question, clean, dict(answers), units)

    def geometry(self) -> dict[str, Any]:
        """Layers, and per layer its query heads and key/value heads (None where it has none)."""
        layers = self.model.engine.anatomy.layers
        return {
            "layers": len(layers),
            "heads": [layer.heads for layer in layers],
            "kv_heads": [layer.kv_heads if layer.heads else None for layer in layers],
            "mlp": [layer.feed_forward is not None for layer in layers],
        }

    def lens(self, question: Question) -> list[Distribution]:
        """The answers as the states after 0 .. all blocks already give them."""
        work = self.model.prepare(question, [CLEAN])[0].work
        terms = work.layout.terms
        rows = self.model.engine.lens(work.job)
        places = [work.job.continuations.index(term.ids) for term in terms]
        return [Distribution(question.answers, terms, tuple(row[places].tolist())) for row in rows]

    def direct(
        self,
        question: Question,
        clean: Distribution,
        target: int,
        against: int | None,
        trials: Sequence[Ablation | None],
        reference: Reference,
    ) -> tuple[list[float | None], dict[str, Any] | None]:
        """Each part's direct effect on the logit difference: the target's likeliest string against that of
        `against` (None: the likeliest of all other answers), at the first token in which they differ.

        Args:
            trials: None for the embedding, what enters the first layer, made zero.

        Returns:
            the effects (nats), and the two strings with the tokens they first differ in; None where something
            behind this model's parts reacts to them and cannot be held, where a part's own write cannot be
            told from the rest, or two strings do not differ.
        """
        if not trials:
            return [], None
        inside = tuple(one for one in trials if one is not None)
        work = self.model.prepare(question, [Trial(inside=inside, reference=reference)])[0].work
        contrast = _contrast(work.layout, clean, target, against)
        if contrast is None:
            return [None] * len(trials), None
        one, other, common = contrast
        line = Line.of(work.job)
        reads = [n for c, n, _ in line.reads() if line.continuations[c] == one.ids]
        node = reads[common]
        made = iter(edit for edit in self.job(work).edits if isinstance(edit, Replace))
        edits = [None if trial is None else next(made) for trial in trials]
        try:
            found = self.model.engine.direct_effects(
                work.job, edits, one.ids[common], other.ids[common], node
            )
        except CapabilityError:  # total effects may still be had
            found = None
        about = {"string": one.string, "against": other.string, "token": common}
        return (list(found), about) if found is not None else ([None] * len(trials), None)

    def estimates(
        self,
        question: Question,
        clean: Distribution,
        answers: Mapping[int, float],
        trials: Sequence[Ablation],
        reference: Reference,
    ) -> list[float]:
        """First-order estimates of each head's effect on the target's log-probability, nats.

        Attribution patching (Nanda 2023; Syed et al. 2023, arXiv 2310.10348): the gradient by the head's
        output times how the ablation changes it, one forward and one backward a string.

        Args:
            answers: the target as a weighted sum of answers' log-probabilities.
        """
        work = self.model.prepare(question, [Trial(inside=tuple(trials), reference=reference)])[0].work
        weights = _by_string(work, clean, answers)
        record, gradients = self.model.engine.gradients(work.job, weights)
        layers = self.model.engine.anatomy.layers
        edits = [edit for edit in self.job(work).edits if isinstance(edit, Replace)]
        return [_first_order(record, gradients, edit, layers) for edit in edits]

    def gradients(
        self, question: Question, clean: Distribution, answers: Mapping[int, float], units: Sequence[Unit]
    ) -> list[dict[str, float | None]]:
        """Of each unit the gradient of a weighted sum of answers' log-probabilities by its tokens' input
        embeddings: its norm, and its product with them; None for a unit that no token carries.
        """
        work = self.model.prepare(question, [CLEAN])[0].work
        weights = _by_string(work, clean, answers)
        embedded, gradient = self.model.engine.embedding_gradients(work.job, weights)
        found: list[dict[str, float | None]] = []
        for ranges in self.model.token_spans(question, units):
            tokens = [i for begin, end in ranges for i in range(begin, end)]
            own = gradient[tokens]
            product = float((own * embedded[tokens]).sum()) if tokens else None
            found.append({"norm": float(own.norm()) if tokens else None, "times_input": product})
        return found

    def attention(self, question: Question) -> list[Tensor | None]:
        """Per layer [heads, n, n] over the clean prompt's tokens, row = the token that reads."""
        return self.model.engine.attention(self.model.layout(question).ids)

    def word_attention(self, question: Question, units: Sequence[Unit]) -> WordAttention:
        """The same by words; a unit whose characters no token carries reads and is read by nobody."""
        spans = self.model.token_spans(question, units)
        tokens = [[i for begin, end in ranges for i in range(begin, end)] for ranges in spans]
        found = self.attention(question)
        return by_words([None if one is None else one.cpu().numpy() for one in found], tokens)


def _by_string(work: Work, clean: Distribution, answers: Mapping[int, float]) -> list[float]:
    """Of each continuation's log-probability, what it weighs in the sum of answers' log-probabilities."""
    weights = dict.fromkeys(work.job.continuations, 0.0)
    for term, log_prob in zip(work.layout.terms, clean.log_probs, strict=True):
        whole = clean.probability[term.answer]
        if term.answer in answers and whole > 0:
            weights[term.ids] += answers[term.answer] * term.sign * float(np.exp(log_prob)) / whole
    return list(weights.values())


def _first_order(record: Record, gradients: Sequence[Tensor | None], edit: Replace, layers: Any) -> float:
    gradient = gradients[edit.layer]
    if gradient is None or edit.head is None:
        raise ValueError("only heads are estimated")
    width = layers[edit.layer].head_width
    part = slice(edit.head * width, (edit.head + 1) * width)
    nodes = slice(None) if edit.positions is None else list(edit.positions)
    change = -record.value("head", edit.layer)[nodes, part]
    if edit.value is not None:
        change = change + edit.value
    return float((gradient[nodes, part] * change).sum())


def _contrast(
    layout: Layout, clean: Distribution, target: int, against: int | None
) -> tuple[Any, Any, int] | None:
    """The target's likeliest string, the likeliest of the other answers, and how many tokens they share."""
    ranked = sorted(zip(clean.log_probs, layout.terms, strict=True), key=lambda pair: -pair[0])
    added = [term for _, term in ranked if term.sign > 0]
    one = next((term for term in added if term.answer == target), None)
    rivals = [term for term in added if term.answer != target]
    other = next((term for term in rivals if against in (None, term.answer)), None)
    if one is None or other is None:
        return None
    common = next((i for i, (a, b) in enumerate(zip(one.ids, other.ids, strict=False)) if a != b), None)
    return None if common is None else (one, other, common)
