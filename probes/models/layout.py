"""A question as a local model reads it: its tokens, which of them carry which words, what is scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from probes.asking.answers import Ids, Term
from probes.asking.interventions import Ablation, Cut, How, Patch
from probes.asking.question import Question
from probes.asking.trials import Trial
from probes.errors import CapabilityError
from probes.models import prompting
from probes.models.offsets import Carried
from probes.text.passage import Span

if TYPE_CHECKING:
    from probes.engine.jobs import Job


@dataclass(frozen=True)
class Layout:
    """A question as this model reads it: the frame, the clean prompt's tokens, the strings to score."""

    frame: prompting.Frame
    ids: Ids
    carried: Carried | None
    """Of each token its characters of the prompt; None where that cannot be told."""
    terms: tuple[Term, ...]
    continuations: tuple[Ids, ...]

    def tokens_of(self, spans: Sequence[Span]) -> tuple[Span, ...]:
        """Token ranges that carry these characters of the passage; none where no token does.

        Raises:
            CapabilityError: it cannot be told which tokens do.
        """
        shift = len(self.frame.before)
        whole = [(a + shift, b + shift) for a, b in spans]
        there = [part for span in whole for part in self.carriers.of(span)] if whole else []
        return prompting.token_spans(self.offsets, there) if there else ()

    @property
    def carriers(self) -> Carried:
        """What each token carries.

        Raises:
            CapabilityError: it cannot be told.
        """
        if self.carried is None:
            raise CapabilityError("offsets_unknown")
        return self.carried

    @property
    def offsets(self) -> tuple[Span, ...]:
        """Of each token, in characters of the prompt.

        Raises:
            CapabilityError: it cannot be told.
        """
        return self.carriers.spans


@dataclass(frozen=True)
class Work:
    """What the engine runs, and how its numbers become answers."""

    job: Job
    layout: Layout
    question: Question
    trial: Trial


@dataclass(frozen=True)
class Posed:
    """A trial as it is put: the question in its wording, about its passage, and what is left to do there."""

    question: Question
    layout: Layout
    trial: Trial
    whole: Trial
    """The trial as the study asked for it."""

    def reaches(self, clean: Layout, ids: Ids, taken: bool) -> bool:
        """Whether it does anything: its words are `taken`, or the prompt is another than the clean one."""
        if self.trial is self.whole:
            return reaches(self.layout, self.trial, taken)
        other = (ids, self.layout.continuations) != (clean.ids, clean.continuations)
        return other or (not self.trial.is_clean and reaches(self.layout, self.trial, taken))


def reaches(layout: Layout, trial: Trial, taken: bool) -> bool:
    """Whether a trial does anything: its words are `taken`, or its interventions have tokens to act on."""
    places = [
        [one.reader, one.read] if isinstance(one, Cut) else [one.spans if isinstance(one, Patch) else one.at]
        for one in trial.inside
    ]
    inside = any(
        all(spans is None or isinstance(spans, str) or layout.tokens_of(spans) for spans in where)
        for where in places
    )
    patched = any(isinstance(one, Patch) for one in trial.inside)  # what else differs is the run it goes into
    return inside or (taken and not patched) or trial.is_clean


def inside_key(question: Question, layout: Layout, trial: Trial) -> list[Any]:
    """What the interventions of a trial depend on beside the prompt's tokens."""
    if not trial.inside:
        return []
    refers = any(isinstance(one, Ablation) and one.how is not How.ZERO for one in trial.inside)
    frame, about = layout.frame, []
    if refers:
        from probes.models.reference_passages import plan_of

        about = [frame.before, frame.after, repr(plan_of(question)), repr(trial.reference)]
    # spans are read off the clean passage's tokens
    return [*map(repr, trial.inside), *about, *layout.ids]
