"""What every source of answers offers, whether it is a model in this process or one behind an API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from probes.asking.distribution import Distribution
from probes.asking.question import Question
from probes.asking.trials import Trial
from probes.text.passage import Unit
from probes.text.segment import Span

Progress = Callable[[int, int], None]
"""Called as (trials done, trials in all) after each chunk. What it raises cancels the run."""


@dataclass(frozen=True)
class Put:
    """How a question is put to a model: the template, and what stands around the passage as it was sent."""

    template: str
    instruction: str = ""
    answer_prefix: str = ""
    system: str | None = None


@dataclass(frozen=True)
class Prepared:
    """A trial as this model would run it: the prompt as sent, and how it differs from the clean one."""

    trial: Trial
    prompt: str
    prompt_ids: tuple[int, ...]
    """() from a model whose tokens are not known."""
    put: Put
    removed: tuple[Span, ...] = ()
    """The passage's characters that were really cut, hidden or replaced (a word takes a space with it); where
    the trial rewrites the passage, characters of the rewritten one."""
    token_spans: tuple[Span, ...] = ()
    """The tokens that carry `trial.spans`, snapped outward to token boundaries: of the prompt before anything
    is taken away."""
    hidden_positions: tuple[int, ...] = ()
    fillers: tuple[str, ...] = ()
    retokenised: bool = False
    """Tokens beside the gap changed too: the ablated prompt is not the clean one with tokens cut out."""
    length_changed: bool = False
    reaches: bool = True
    """False where nothing is taken away, for no token carries the words: it has no effect, not one of 0."""
    key: Any = None
    """All that decides the numbers, for the store."""
    work: Any = field(default=None, repr=False)
    """What the model itself needs to run it."""

    @property
    def tokens(self) -> int:
        """How many of the clean prompt's tokens are taken away."""
        return sum(end - start for start, end in self.token_spans)


@dataclass(frozen=True)
class Outcome:
    """A trial that was run: what was prepared, and what the model then gave the answers."""

    prepared: Prepared
    answers: Distribution


def lengths(spans: Sequence[Sequence[Span]]) -> list[int]:
    """How many tokens each unit has, by its ranges of tokens."""
    return [sum(end - begin for begin, end in ranges) for ranges in spans]


class AnswerModel(Protocol):
    """A source of answers. `studies` say what to try, a model says how a trial becomes a prompt."""

    @property
    def name(self) -> str:
        """What it is called, as `load_model` takes it; of a folder or file only its name."""

    @property
    def identity(self) -> list[str]:
        """All that decides its numbers beside the prompt."""

    @property
    def arguments(self) -> list[str]:
        """The options of the command line that load it; of a folder or file only its name, never its path."""

    def describe(self, *, examined: bool = True) -> dict[str, Any]:
        """Name, kind, sizes; with `examined`, capabilities and the self-check's findings. For provenance."""

    def notes(self, question: Question) -> list[dict[str, Any]]:
        """What a reader should know of this question put to this model: what was given and is not sent, where
        it leaves what the model was made for. Each with its `key` among the texts `notes.…`, and its values.
        """

    def operations(self, question: Question) -> float:
        """Of one run about this question, about, for estimates of time; 1 where nobody knows."""

    def units(self, question: Question, kind: str) -> tuple[Unit, ...]:
        """The passage's units of `kind`; "token" are this model's own.

        Raises:
            CapabilityError: nobody knows its tokens.
        """

    def token_spans(self, question: Question, units: Sequence[Unit]) -> list[tuple[Span, ...]]:
        """The ranges of the clean prompt's tokens that carry each unit."""

    def prepare(self, question: Question, trials: Sequence[Trial]) -> list[Prepared]:
        """Prompts for `trials`, without running anything.

        Raises:
            LimitError: a prompt does not fit the window.
            CapabilityError: this model cannot do a trial's mode.
        """

    def score(self, prepared: Sequence[Prepared], rounds: dict[str, Any] | None = None) -> Scoring:
        """Run, in chunks: leaving the loop over the results cancels. The first should be the clean prompt.

        Args:
            rounds: the model's own notes on earlier rounds of the same study; {} in the first, None where
                there will be no other.
        """

    def outcome(self, question: Question, prepared: Prepared, numbers: Sequence[float]) -> Outcome:
        """Numbers of `score`, fresh or from the store, as answers."""

    def precision(self, prepared: Prepared) -> dict[str, Any] | None:
        """How far effects may be off for the number type it computes in: its name (`dtype`), the error bar in
        `nats`, whether that was `measured` or derived; None where the noise floor says all there is.
        """

    def greedy(self, question: Question, prepared: Prepared) -> str | None:
        """What the model would say of itself after the prompt; None where it is not asked."""


class Scoring(Protocol):
    """A run under way: yields (index, numbers) in any order. What the numbers are is the model's affair, such
    as log-probabilities of the answers' strings; they are kept, and `AnswerModel.outcome` reads them.
    """

    def __iter__(self) -> Iterator[tuple[int, tuple[float, ...]]]: ...

    def report(self) -> dict[str, Any]:
        """How it was run, once through: way and reason, forwards, tokens, checks, noise floor (nats)."""
